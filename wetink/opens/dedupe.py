"""Once: whether something happens for the first time in a while."""

from collections.abc import Hashable

MOST = 50_000
"""Things that are remembered."""


class Dedupe:
    """Remembers what happened within the last `ttl_ms` milliseconds, in this process."""

    def __init__(self, ttl_ms: int) -> None:
        """Begin with nothing."""
        self._ttl = ttl_ms
        self._seen: dict[Hashable, int] = {}

    def first(self, what: Hashable, now: int) -> bool:
        """Return whether `what` has not happened in the while before `now` (Unix ms), and note that it has.

        >>> once = Once(60_000)
        >>> once.first("a", 0), once.first("a", 59_999), once.first("b", 59_999), once.first("a", 60_000)
        (True, False, True, True)
        """
        at = self._seen.get(what)
        if at is not None and 0 <= now - at < self._ttl:
            return False
        if len(self._seen) >= MOST:
            self._seen = {key: at for key, at in self._seen.items() if now - at < self._ttl}
            if len(self._seen) >= MOST:
                self._seen.clear()
        self._seen[what] = now
        return True
