"""Ingest: requests become messages on disk. Replay reprocesses past messages. Files and feeds fill the catalog."""
