"""The stream in front of the store: NATS JetStream, what is published to it, and how that reaches the store."""
