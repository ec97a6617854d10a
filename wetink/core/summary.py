"""Summary: a person as folded, in bytes from which an open is answered without reading their events again.

Nothing but a fold kept: reading one gives the very person that folding all those events gives. The newest views are at
hand; for older ones, and for the events themselves, the log is asked.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from wetink.core.entry import Entry
from wetink.core.event import Product
from wetink.core.fold import fold, in_order
from wetink.core.history import History
from wetink.core.person import Person
from wetink.core.views import Views

NEWEST = 8
"""Views that are at hand: more than an email shows."""

Recall = Callable[[], Sequence[Entry]]
"""Gives the entries a summary was made of."""


class _View(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One view, its products packed until somebody asks for them."""

    at: int
    level: str
    packed: msgspec.Raw

    @property
    def products(self) -> tuple[Product, ...]:
        return _products(self.packed)


class _Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`person` has neither views nor history. The newest views follow, oldest first, and how many are older.

    `trusted` says whether servers' keys told of all of them.
    """

    person: Person
    trusted: bool
    newest: tuple[_View, ...]
    older: int


class _Recalled(Sequence[Any]):
    """Events, oldest first, that are read when one of them is asked for."""

    __slots__ = ("_events", "_recall")

    def __init__(self, recall: Recall) -> None:
        self._recall = recall
        self._events: list[Entry] | None = None

    @property
    def events(self) -> list[Entry]:
        if self._events is None:
            self._events = in_order(self._recall())
        return self._events

    def __getitem__(self, index: Any) -> Any:
        return self.events[index]

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.events)


class _Viewed(Sequence[Any]):
    """Views, oldest first, of which the older ones are read when their turn comes."""

    __slots__ = ("_newest", "_older", "_recalled")

    def __init__(self, newest: Sequence[_View], older: int, recalled: _Recalled) -> None:
        self._newest, self._older, self._recalled = newest, older, recalled

    def _before(self) -> Sequence[Any]:
        return _viewed(self._recalled.events)[: self._older] if self._older else ()

    def __getitem__(self, index: Any) -> Any:
        return [*self._before(), *self._newest][index]

    def __len__(self) -> int:
        return self._older + len(self._newest)

    def __reversed__(self) -> Iterator[Any]:
        yield from reversed(self._newest)
        yield from reversed(self._before())


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Summary).decode
_products = msgspec.msgpack.Decoder(tuple[Product, ...]).decode


def summarize(entries: Iterable[Entry]) -> bytes:
    """Return the summary of whoever all these events are of."""
    listed = list(entries)
    person, viewed = _folded(listed), _viewed(listed)
    newest = [(each.at, each.level, each.products) for each in viewed[-NEWEST:]]
    trusted = all(each.level == "server" for each in viewed)
    facts = {name: getattr(person, name) for name in Person.__struct_fields__ if name not in ("views", "history")}
    return _encode((facts, trusted, newest, len(viewed) - len(newest)))


def person_of(summary: bytes, recall: Recall) -> Person:
    """Return the person; `recall` gives their events, should anybody ask for more than the summary says.

    Raises msgspec.DecodeError for what `summarize` of this version has not made.
    """
    read = _decode(summary)
    recalled = _Recalled(recall)
    force_setattr(read.person, "views", Views(_Viewed(read.newest, read.older, recalled), trusted=read.trusted))
    force_setattr(read.person, "history", History(recalled))
    return read.person


def _folded(events: Sequence[Entry]) -> Person:
    return fold(events, max((event.at for event in events), default=0))


def _viewed(events: Sequence[Entry]) -> Sequence[Any]:
    views = _folded(events).views
    return views.viewed if isinstance(views, Views) else ()
