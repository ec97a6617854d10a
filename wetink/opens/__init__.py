"""The open, in order: recipient, person, decision, picture; then the click."""
