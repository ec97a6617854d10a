"""`wetink` with caches that fill within a minute, so that a short soak tells a leak from a cache.

    python -m tests.small_caches serve --data FOLDER

Each process that serves imports this module again, and each drawer starts with `ready`.
"""

import functools
from collections.abc import Callable
from typing import Any

MEGABYTE = 1 << 20
ENTRIES = 500


def _bounded(most: Any = 128, typed: bool = False, make: Callable[..., Any] = functools.lru_cache) -> Any:
    return make(min(most, ENTRIES) if isinstance(most, int) else most, typed)


functools.lru_cache = _bounded  # before anything of wetink is imported

from wetink.render import drawing, worker  # noqa: E402


def ready() -> Callable[[bytes], bytes]:
    """Return the drawer of a sandbox worker, with small caches."""
    drawing.LAYERS = drawing.TILES = drawing.CELLS = drawing.PHOTOS = 4 * MEGABYTE
    return worker.ready()


if __name__ in ("__main__", "__mp_main__"):
    from wetink.core import memoize
    from wetink.core.catalog import trends
    from wetink.opens import assignment, products
    from wetink.opens import open as opens
    from wetink.render import renderer
    from wetink.store.sqlite import engine, identity, ledger, writer
    from wetink.web import response_cache

    trends.MOST_NAMED, trends.RECENT_PEOPLE, trends.BUYERS = 10 * ENTRIES, ENTRIES, ENTRIES
    assignment.KEPT = products.KEPT = ledger.REMEMBERED = identity.REMEMBERED = memoize.REMEMBERED = ENTRIES
    engine.HOT_KB = ledger.HOT_KB = writer.HOT_KB = 1_024
    response_cache.MOST_BYTES = renderer.PICTURES = renderer.HASHED = MEGABYTE
    opens.LastGood = functools.partial(opens.LastGood, most=MEGABYTE)
    renderer.Pool = lambda _, most, pool=renderer.Pool: pool("tests.small_caches", most)

if __name__ == "__main__":
    from wetink.cli import main

    main()
