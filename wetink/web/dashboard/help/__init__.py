"""Help: the search, and the documentation."""
