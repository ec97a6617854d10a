"""Messages: the steps that turn a sender's message into an event, and a shop's own mappings."""
