"""Attacks of the threat model, each with its defence in place, and without: then the attack must succeed."""
