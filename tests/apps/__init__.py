"""Apps: what each shows to whom."""
