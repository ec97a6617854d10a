"""A breaker: for a while, the renderer does not retry a page that made a worker hang, crash or run out of memory."""

import time
from collections.abc import Callable

from wetink.render.cache import Kept

SECONDS = 60.0
"""Seconds for which a failed page is not drawn."""
STRIKES = 3
"""Failed pages within that time after which even a template that was drawn before is not drawn."""
MOST = 4_096


class Quarantine:
    """Templates and pages by key. A template that was never drawn is blocked at its first strike."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._strikes = Kept[list[tuple[float, str]]](MOST)
        self._proven = Kept[bool](MOST)

    def why(self, template: bytes, page: bytes = b"") -> str:
        """Return the reason why a page must not be drawn now, empty if it may be."""
        strikes = self._lately(template)
        if strikes and (template not in self._proven or len(strikes) >= STRIKES):
            return strikes[-1][1]
        mine = self._lately(page) if page else []
        return mine[-1][1] if mine else ""

    def suspects(self, template: bytes) -> bool:
        """Return whether a page of a template failed recently, so that its other pages must be drawn one at a time."""
        return bool(self._lately(template))

    def proven(self, template: bytes) -> bool:
        """Return whether a template was drawn before."""
        return template in self._proven

    def prove(self, template: bytes) -> None:
        """Record that a template was drawn."""
        self._proven.put(template, True)

    def strike(self, template: bytes, page: bytes, reason: str) -> None:
        """Record that a page of a template failed, and the reason."""
        for key in filter(None, (template, page)):
            self._strikes.put(key, [*self._lately(key), (self._clock(), reason)])

    def _lately(self, key: bytes) -> list[tuple[float, str]]:
        since = self._clock() - SECONDS
        return [strike for strike in self._strikes.get(key) or () if strike[0] > since]
