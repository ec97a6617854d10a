"""Storage engines: one package each, right when `tests/contracts/test_store.py` passes on it."""
