"""Blocks: a place in an email, its variants, and how one of them is decided."""
