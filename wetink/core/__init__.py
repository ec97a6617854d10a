"""The rules: pure functions over frozen structs. No I/O, no clock, no randomness."""
