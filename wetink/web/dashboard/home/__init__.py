"""Home: the overview, and the first steps."""
