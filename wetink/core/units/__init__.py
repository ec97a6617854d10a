"""Units: amounts, currencies, quantities, durations, shares and time zones, read from text and written as text."""
