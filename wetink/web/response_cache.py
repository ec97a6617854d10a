"""Again: answers given a moment ago, for whoever asks the very same while nothing has happened since."""

from collections import OrderedDict
from collections.abc import Hashable

from wetink.web.request import Reply

TTL_MS = 2_000
"""How long an answer may be given again: what depends on the time alone is no older."""
MOST_ANSWERS, MOST_BYTES = 1_024, 32 << 20


class Again:
    """Answers by all that was asked, with the version of the store they were made of."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[object, int, Reply]] = OrderedDict()
        self._bytes = 0
        self._asked: dict[str, int] = {}

    def asked_before(self, path: str, now: int) -> bool:
        """Return whether anybody has asked for this path a moment ago, and note that somebody has now (Unix ms)."""
        last = self._asked.get(path)
        if len(self._asked) >= MOST_ANSWERS:
            self._asked.clear()
        self._asked[path] = now
        return last is not None and 0 <= now - last < TTL_MS

    def get(self, asked: Hashable, state: object, now: int) -> Reply | None:
        """Return the answer to the same question in the same state, None when there is none; `now` is Unix ms."""
        kept = self._kept.get(asked)
        if kept is None or kept[0] != state or not 0 <= now - kept[1] < TTL_MS:
            return None
        return kept[2]

    def put(self, asked: Hashable, state: object, now: int, reply: Reply) -> None:
        """Keep an answer; those kept longest go first."""
        old = self._kept.pop(asked, None)
        self._bytes += len(reply.body) - (len(old[2].body) if old is not None else 0)
        self._kept[asked] = state, now, reply
        while self._bytes > MOST_BYTES or len(self._kept) > MOST_ANSWERS:
            self._bytes -= len(self._kept.popitem(last=False)[1][2].body)
