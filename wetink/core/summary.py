"""Summary: a person as folded, in bytes from which an open is answered without reading their events again.

Nothing but a fold kept: reading one gives the very person that folding all those events gives. The newest views are at
hand; the older ones stay packed until somebody asks for more.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import astuple, force_setattr

from wetink.core.entry import Entry
from wetink.core.event import Product
from wetink.core.fold import fold, in_order
from wetink.core.history import History
from wetink.core.person import Person
from wetink.core.views import Views

NEWEST = 4
"""Views that are at hand: as many as most emails show, and one more."""


class _Flat(Product, frozen=True, array_like=True, gc=False):
    """A product without the names of its fields."""


class _View(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One view, with the newest at hand: its products as they were told."""

    at: int
    level: str
    products: tuple[Product, ...]


class _FlatView(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One of the older views."""

    at: int
    level: str
    flat: tuple[_Flat, ...]

    @property
    def products(self) -> tuple[Product, ...]:
        return tuple([Product(*astuple(each)) for each in self.flat])


class _Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`person` has neither views nor history. The views follow, oldest first, and whether servers' keys told of all."""

    person: Person
    trusted: bool
    newest: tuple[_View, ...]
    older: msgspec.Raw


class _Viewed(Sequence[Any]):
    """Views, oldest first, of which the older ones are read when their turn comes."""

    __slots__ = ("_newest", "_older")

    def __init__(self, newest: Sequence[_View], older: msgspec.Raw) -> None:
        self._newest, self._older = newest, older

    def _all(self) -> list[Any]:
        return [*_decode_older(self._older), *self._newest]

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __reversed__(self) -> Iterator[Any]:
        yield from reversed(self._newest)
        yield from reversed(_decode_older(self._older))


class _Recalled(Sequence[Any]):
    """Events, oldest first, that are read when one of them is asked for."""

    __slots__ = ("_events", "_recall")

    def __init__(self, recall: Callable[[], Sequence[Entry]]) -> None:
        self._recall = recall
        self._events: Sequence[Entry] | None = None

    def _all(self) -> Sequence[Entry]:
        if self._events is None:
            self._events = in_order(self._recall())
        return self._events

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all())


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Summary).decode
_decode_older = msgspec.msgpack.Decoder(list[_FlatView]).decode


def summarize(entries: Iterable[Entry]) -> bytes:
    """Return the summary of whoever all these events are of."""
    listed = list(entries)
    person = fold(listed, max((entry.at for entry in listed), default=0))
    views = person.views
    viewed = views.viewed if isinstance(views, Views) else ()
    split = max(0, len(viewed) - NEWEST)
    older = [_FlatView(each.at, each.level, tuple(map(_flat, each.products))) for each in viewed[:split]]
    newest = tuple([_View(each.at, each.level, each.products) for each in viewed[split:]])
    trusted = all(each.level == "server" for each in viewed)
    facts = {name: getattr(person, name) for name in Person.__struct_fields__ if name not in ("views", "history")}
    return _encode((facts, trusted, newest, msgspec.Raw(_encode(older))))


def person_of(summary: bytes, recall: Callable[[], Sequence[Entry]]) -> Person:
    """Return the person; `recall` gives their events if anybody asks for their history.

    Raises msgspec.DecodeError for what `summarize` of this version has not made.
    """
    read = _decode(summary)
    force_setattr(read.person, "views", Views(_Viewed(read.newest, read.older), trusted=read.trusted))
    force_setattr(read.person, "history", History(_Recalled(recall)))
    return read.person


def _flat(product: Product) -> _Flat:
    return _Flat(*astuple(product))
