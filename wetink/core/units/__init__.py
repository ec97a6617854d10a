"""Units: amounts, currencies, quantities, durations, times and zones, read from text and written back."""
