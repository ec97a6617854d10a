"""Quarantine: what made a worker hang, crash or eat memory is not drawn again for a while."""

import time
from collections import OrderedDict
from collections.abc import Callable

SECONDS = 60.0
"""How long what went wrong is left alone."""
STRIKES = 3
"""Pages of a template that was drawn before must have gone wrong in that time, until all of it is left alone."""
MOST = 4_096


class Quarantine:
    """Templates and pages by key. A template nobody has seen drawn is left alone at the first strike."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none."""
        self._clock = clock
        self._strikes: OrderedDict[bytes, list[tuple[float, str]]] = OrderedDict()
        self._proven: OrderedDict[bytes, None] = OrderedDict()

    def why(self, template: bytes, page: bytes = b"") -> str:
        """Return why a page is not to be drawn now, empty when it may be."""
        strikes = self._lately(template)
        if strikes and (template not in self._proven or len(strikes) >= STRIKES):
            return strikes[-1][1]
        mine = self._lately(page) if page else []
        return mine[-1][1] if mine else ""

    def suspects(self, template: bytes) -> bool:
        """Whether a page of a template went wrong lately, so that others are to be looked at one by one."""
        return bool(self._lately(template))

    def proven(self, template: bytes) -> bool:
        """Whether a template was drawn before."""
        return template in self._proven

    def prove(self, template: bytes) -> None:
        """Note that a template was drawn."""
        self._proven[template] = None
        self._proven.move_to_end(template)
        if len(self._proven) > MOST:
            self._proven.popitem(last=False)

    def strike(self, template: bytes, page: bytes, told: str) -> None:
        """Note that a page of a template went wrong, and how."""
        for key in filter(None, (template, page)):
            self._strikes[key] = [*self._lately(key), (self._clock(), told)]
            self._strikes.move_to_end(key)
        while len(self._strikes) > MOST:
            self._strikes.popitem(last=False)

    def _lately(self, key: bytes) -> list[tuple[float, str]]:
        since = self._clock() - SECONDS
        return [strike for strike in self._strikes.get(key, ()) if strike[0] > since]
