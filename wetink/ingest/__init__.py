"""Ingest: requests become messages on disk; replay reads past messages anew; files and feeds fill the catalog."""
