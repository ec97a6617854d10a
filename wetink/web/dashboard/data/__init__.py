"""Data: the catalog, feeds, mappings and sources."""
