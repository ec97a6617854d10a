"""Audiences: who is in each, who joined and left, and the webhooks that report it."""
