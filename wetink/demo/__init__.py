"""The demo: Tidewick, a small shop with two weeks of life behind it, and an inbox beside it."""
