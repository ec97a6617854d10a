"""Audiences: the list, one audience, and its editor."""
