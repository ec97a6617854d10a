"""Engines: where everything is kept. Each is a package that opens a `ports.Storage` and passes `tests/contracts`."""

from collections.abc import Mapping
from importlib import import_module

from wetink.core.errors import BadSettings
from wetink.store.engine import Engine
from wetink.store.late import open_now_or_later as open_now_or_later

ENGINES: Mapping[str, str] = {"sqlite": "wetink.store.sqlite", "postgresql": "wetink.store.postgresql"}
"""Scheme of an address -> the package with its `ENGINE`, imported on first use: each takes time to load."""


def engine_of(address: str) -> Engine:
    """Return the engine of `scheme://…`. Raises BadSettings for an unknown scheme.

    >>> engine_of("sqlite:///data").exists("sqlite:///data")
    False
    """
    scheme = address.partition(":")[0]
    if scheme not in ENGINES:
        known = ", ".join(f"{each}://" for each in ENGINES)
        raise BadSettings(
            f"WETINK_STORE: unknown store {scheme[:32]}://", hint=f"available: {known}", where="WETINK_STORE"
        )
    engine: Engine = import_module(ENGINES[scheme]).ENGINE
    return engine
