"""Again: answers given a moment ago, for whoever asks the very same while nothing has happened since."""

from collections import OrderedDict
from collections.abc import Hashable, MutableMapping, Sequence
from typing import Any

from wetink.ports.ledger import Served

TTL_MS = 2_000
"""How long an answer may be given again: what depends on the time alone is no older."""
MOST_ANSWERS, MOST_BYTES = 1_024, 64 << 20

Message = MutableMapping[str, Any]
Answer = tuple[Sequence[Message], Served | None]
"""What was sent, and what a picture is counted as each time it is."""


class Again:
    """Answers (as ASGI messages) by all that was asked, with the version of the store they were made of."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[Hashable, tuple[object, int, Answer, int]] = OrderedDict()
        self._bytes = 0
        self._asked: dict[str, int] = {}

    def asked_before(self, path: str, now: int) -> bool:
        """Return whether anybody has asked for this path a moment ago, and note that somebody has now (Unix ms)."""
        last = self._asked.get(path)
        if len(self._asked) >= MOST_ANSWERS:
            self._asked.clear()
        self._asked[path] = now
        return last is not None and 0 <= now - last < TTL_MS

    def get(self, asked: Hashable, state: object, now: int) -> Answer | None:
        """Return the answer to the same question in the same state, None when there is none; `now` is Unix ms."""
        kept = self._kept.get(asked)
        if kept is None or kept[0] != state or not 0 <= now - kept[1] < TTL_MS:
            return None
        return kept[2]

    def put(
        self, asked: Hashable, state: object, now: int, messages: Sequence[Message], served: Served | None = None
    ) -> None:
        """Keep an answer, with what it is counted as; those kept longest go first."""
        old = self._kept.pop(asked, None)
        size = sum(len(message.get("body", b"")) for message in messages)
        self._bytes += size - (old[3] if old is not None else 0)
        self._kept[asked] = state, now, (messages, served), size
        while self._bytes > MOST_BYTES or len(self._kept) > MOST_ANSWERS:
            self._bytes -= self._kept.popitem(last=False)[1][3]
