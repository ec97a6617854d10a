"""Profile: a person's events, folded into traits, views, cart and orders."""
