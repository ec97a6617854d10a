"""Outbound: webhooks, deliveries, circuit breakers and feeds."""
