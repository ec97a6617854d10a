"""Telemetry: numbers, traces and request IDs that the operator reads. Nothing here knows a person."""
