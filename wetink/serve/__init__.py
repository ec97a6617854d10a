"""The open, told in order: recipient, person, decision, picture. And the click that follows it."""
