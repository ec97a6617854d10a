"""Catalog: product facts, price history, trends, and which facts may be shown."""
