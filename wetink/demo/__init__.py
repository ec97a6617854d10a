"""The demo: Tidewick, a small shop with two weeks of history, and an inbox beside it."""
