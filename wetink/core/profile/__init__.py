"""Profile: a person's events folded into who they are, what they viewed, and what is in their cart."""
