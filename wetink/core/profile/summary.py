"""Summary: a person as folded, in bytes from which an open is answered without reading their events again.

Nothing but a fold kept: reading one gives the very person that folding all those events gives. The newest views are at
hand; for older ones, and for the events themselves, the log is asked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from wetink.core.events.event import Product
from wetink.core.events.stored_event import Entry
from wetink.core.profile.fold import fold, in_order
from wetink.core.profile.history import History
from wetink.core.profile.person import Person, Seen
from wetink.core.profile.views import Views

NEWEST = 8
"""Products viewed that are at hand: more than an email shows."""

Recall = Callable[[], Sequence[Entry]]
"""Gives the entries a summary was made of."""


class _Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest view of one product, the product packed until somebody asks for it."""

    at: int
    trusted: bool
    packed: msgspec.Raw

    def seen(self) -> Seen:
        return Seen(_product(self.packed), self.at, self.trusted)


class _Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`person` has neither views nor history nor `done`. The newest view of each product follows, newest first.

    `trusted` says whether servers' keys told of all views, `more` whether there are products beyond these.
    """

    person: Person
    trusted: bool
    newest: tuple[_Kept, ...]
    more: bool
    done: dict[str, msgspec.Raw]


class _Done(Mapping[str, tuple[int, ...]]):
    """When things happened, unpacked when a rule asks."""

    __slots__ = ("_packed",)

    def __init__(self, packed: dict[str, msgspec.Raw]) -> None:
        self._packed = packed

    def __getitem__(self, name: str) -> tuple[int, ...]:
        return _times(self._packed[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


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


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Summary).decode
_product = msgspec.msgpack.Decoder(Product).decode
_times = msgspec.msgpack.Decoder(tuple[int, ...]).decode


def summarize(entries: Iterable[Entry]) -> bytes:
    """Return the summary of whoever all these events are of."""
    person = _folded(list(entries))
    newest = person.views[: NEWEST + 1]
    kept = [(seen.at, seen.trusted, seen.product) for seen in newest[:NEWEST]]
    facts = {
        name: getattr(person, name) for name in Person.__struct_fields__ if name not in ("views", "history", "done")
    }
    return _encode((facts, _trusted(person), kept, len(newest) > NEWEST, person.done))


def person_of(summary: bytes, recall: Recall) -> Person:
    """Return the person; `recall` gives their events, should anybody ask for more than the summary says.

    Raises msgspec.DecodeError for what `summarize` of this version has not made.
    """
    read = _decode(summary)
    recalled = _Recalled(recall)
    more = (lambda: _folded(recalled.events).views) if read.more else None
    views = Views((kept.seen() for kept in read.newest), trusted=read.trusted, more=more)
    force_setattr(read.person, "views", views)
    force_setattr(read.person, "history", History(recalled))
    force_setattr(read.person, "done", _Done(read.done))
    return read.person


def _folded(events: Sequence[Entry]) -> Person:
    return fold(events, max((event.at for event in events), default=0))


def _trusted(person: Person) -> bool:
    return isinstance(person.views, Views) and person.views.trusted
