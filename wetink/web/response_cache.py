"""Response cache: answers given a moment ago, for whoever asks the very same while the store says the same."""

from collections import OrderedDict
from collections.abc import Hashable

from wetink.opens.lookup import Lookup
from wetink.web.request import Reply

TTL_MS = 2_000
"""How long an answer may be given again: what depends on the time alone is no older."""
MOST_ANSWERS, MOST_BYTES = 1_024, 32 << 20


class Again:
    """Answers by all that was asked, with the lookup they were made of."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[int, Reply, Lookup]] = OrderedDict()
        self._bytes = 0
        self._asked: dict[str, int] = {}

    def asked_before(self, path: str, now: int) -> bool:
        """Return whether anybody has asked for this path a moment ago, and note that somebody has now (Unix ms)."""
        last = self._asked.get(path)
        if len(self._asked) >= MOST_ANSWERS:
            self._asked.clear()
        self._asked[path] = now
        return last is not None and 0 <= now - last < TTL_MS

    def get(self, asked: Hashable, now: int) -> tuple[Reply, Lookup] | None:
        """Return the answer to the same question, and what it was made of, None when there is none at `now` (Unix ms).

        Whoever gives it again asks first whether that still stands.
        """
        kept = self._kept.get(asked)
        return kept[1:] if kept is not None and 0 <= now - kept[0] < TTL_MS else None

    def put(self, asked: Hashable, look: Lookup, now: int, reply: Reply) -> None:
        """Keep an answer; those kept longest go first."""
        old = self._kept.pop(asked, None)
        self._bytes += len(reply.body) - (len(old[1].body) if old is not None else 0)
        self._kept[asked] = now, reply, look
        while self._bytes > MOST_BYTES or len(self._kept) > MOST_ANSWERS:
            self._bytes -= len(self._kept.popitem(last=False)[1][1].body)
