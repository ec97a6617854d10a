"""`wetink` with caches that fill within a minute, so that a short soak tells a leak from a cache.

    python -m tests.small_caches serve --data FOLDER

Each drawer starts with `ready`.
"""

import functools
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

MEGABYTE = 1 << 20
ENTRIES = 100
BOUNDS = {
    **dict.fromkeys(("KEPT", "REMEMBERED", "RECENT_PEOPLE", "BUYERS"), ENTRIES),
    **dict.fromkeys(("PICTURES", "HASHED"), MEGABYTE),
    **dict.fromkeys(("LAYERS", "TILES", "CELLS", "PHOTOS"), 4 * MEGABYTE),
    **dict.fromkeys(("MOST_NAMED", "MOST_EVENTS"), 10 * ENTRIES),
    "TOGETHER": 10,
    **dict.fromkeys(("HOT_KB", "COLD_KB", "THREAD_KB"), 256),
}
"""What constants of wetink that bound a cache are at most, by their name."""


def _bounded(maxsize: Any = 128, typed: bool = False, make: Callable[..., Any] = functools.lru_cache) -> Any:
    return make(min(maxsize, ENTRIES) if isinstance(maxsize, int) else maxsize, typed)


def shrink() -> None:
    """Lower the bounds of all modules that are imported."""
    for module in [each for name, each in sys.modules.items() if name.startswith("wetink.")]:
        for name, most in BOUNDS.items():
            if isinstance(found := getattr(module, name, None), int):
                setattr(module, name, min(found, most))


def leak(kind: str) -> None:
    """Leak a megabyte a minute, or a kilobyte a request, so that a soak is seen to find it."""
    from wetink.web.protocol import HttpProtocol

    kept: list[bytes] = []

    def grow() -> None:
        while True:
            time.sleep(1)
            kept.append(os.urandom(MEGABYTE // 60))

    def received(protocol: HttpProtocol, data: bytes, take: Any = HttpProtocol.data_received) -> None:
        kept.append(os.urandom(1024))
        take(protocol, data)

    if kind == "minute":
        threading.Thread(target=grow, daemon=True).start()
    else:
        HttpProtocol.data_received = received  # type: ignore[method-assign]


def ready() -> Callable[[bytes], bytes]:
    """Return the drawer of a sandbox worker, with small caches."""
    from wetink.render import worker

    shrink()
    return worker.ready()


functools.lru_cache = _bounded  # before anything of wetink is imported

if __name__ == "__main__":
    import wetink.store.sqlite.storage  # an engine is imported when it opens a store
    import wetink.web.app  # noqa: F401 (all that serves)
    from wetink import wiring
    from wetink.opens import open as opens
    from wetink.render import renderer
    from wetink.store.sqlite import connection
    from wetink.web import request

    shrink()
    connection.connect.__kwdefaults__["cache_kb"] = connection.COLD_KB
    request.MOST_BYTES = MEGABYTE
    wiring.Periods = functools.partial(wiring.Periods, most=MEGABYTE)
    opens.LastGood = functools.partial(opens.LastGood, most=MEGABYTE)
    renderer.Pool = lambda _, most, pool=renderer.Pool: pool("tests.small_caches", most)
    if kind := os.environ.get("SOAK_LEAK"):
        leak(kind)

    from wetink.cli import main

    main()
