"""Summary: a folded person as bytes, so that an open need not read their events again.

A summary stores only what a fold returns, in two parts. Most opens need the first alone. Both together give the same
person as folding the events, without the events, but with their products and orders.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from wetink.core.events.event import Entry, Product
from wetink.core.profile.fold import fold
from wetink.core.profile.history import PRODUCT_FIELDS, Columns, History
from wetink.core.profile.person import Person, Seen, Views

VIEWED = "Product Viewed"
NEWEST = 8
"""Views in the first part: a block mostly shows the newest three."""


class Summary(msgspec.Struct, frozen=True, gc=False):
    """A summary. `person` has the newest views; `history` has the others, and the products and orders of all events."""

    person: bytes
    history: bytes = b""


class _Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest view of one product that is not the only one of a usable event."""

    at: int
    trusted: bool
    product: Product


class _Person(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`person` has no views, history and `done`. `trusted` says whether server keys sent all views.

    `newest` has the newest views, each packed by itself: what is packed as bytes is skipped in one step. `more` says
    whether the history has more.
    """

    person: Person
    trusted: bool
    newest: list[bytes]
    more: bool
    done: dict[str, bytes]


class _History(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Views after the newest (packed, a list of `int | _Kept`), and columns by the name of their events, packed.

    Most views are the index of an event in the column of views, times two, plus one if a server key sent it: small
    numbers take no memory of their own.
    """

    views: bytes
    columns: dict[str, bytes]


class _Done(Mapping[str, tuple[int, ...]]):
    """When events happened, decoded when a rule reads it."""

    __slots__ = ("_packed",)

    def __init__(self, packed: dict[str, bytes]) -> None:
        self._packed = packed

    def __getitem__(self, name: str) -> tuple[int, ...]:
        return _times(self._packed[name])

    def get(self, name: str, default: Any = None) -> Any:
        """Return the times of a name. It is called for each rule, and most names are of something not done."""
        packed = self._packed.get(name)
        return _times(packed) if packed is not None else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


_encode = msgspec.msgpack.Encoder().encode
_person = msgspec.msgpack.Decoder(_Person).decode
_history = msgspec.msgpack.Decoder(_History).decode
_views = msgspec.msgpack.Decoder(list[int | _Kept]).decode
_seen = msgspec.msgpack.Decoder(Seen).decode
_times = msgspec.msgpack.Decoder(tuple[int, ...]).decode


def summarize(entries: Iterable[Entry]) -> Summary:
    """Return the summary of the profile with these events."""
    events = list(entries)
    person = fold(events, max((event.at for event in events), default=0))
    trusted = isinstance(person.views, Views) and person.views.trusted
    viewed = zip(person.done.get(VIEWED, ()), person.history.products(VIEWED), strict=True)
    places = {(at, products[0]): index for index, (at, products) in enumerate(viewed) if len(products) == 1}
    views: list[object] = []
    for seen in person.views[NEWEST:]:
        index = places.get((seen.at, seen.product))
        views.append((seen.at, seen.trusted, seen.product) if index is None else 2 * index + seen.trusted)
    facts = {
        name: getattr(person, name) for name in Person.__struct_fields__ if name not in ("views", "history", "done")
    }
    columns = {name: _columns(person.history, name) for name in person.done}
    done = {name: _encode(times) for name, times in person.done.items()}
    first = facts, trusted, [_encode(seen) for seen in person.views[:NEWEST]], bool(views), done
    return Summary(_encode(first), _encode((_encode(views), columns)))


def _columns(history: History, name: str) -> bytes:
    """Return the packed `Columns` of a name."""
    orders, products = history.orders(name), history.products(name)
    if any(len(each) != 1 for each in products):
        return _encode(Columns(len(products), None, _encode(products), _encode(orders)))
    fields: dict[str, bytes] = {}
    for field, default in PRODUCT_FIELDS.items():
        values = [getattr(product, field) for (product,) in products]
        if any(value != default or type(value) is not type(default) for value in values):
            fields[field] = _encode(values)
    return _encode(Columns(len(products), fields, b"", _encode(orders)))


def person_of(summary: Summary) -> Person:
    """Return the person, without their events. Without the history, there are only the newest views.

    Raises msgspec.DecodeError if `summarize` of this version did not make the bytes.
    """
    read = _person(summary.person)
    done = _Done(read.done)
    views: Iterator[Seen] = map(_seen, read.newest)
    if summary.history:
        rest = _history(summary.history)
        history = History(columns=rest.columns)
        force_setattr(read.person, "history", history)
        if read.more:
            views = chain(views, _older(rest.views, history, done))
    more = read.more and not summary.history
    force_setattr(read.person, "views", Views(views, trusted=read.trusted, more=more))
    force_setattr(read.person, "done", done)
    return read.person


def _older(packed: bytes, history: History, done: _Done) -> Iterator[Seen]:
    """Yield the views after the newest."""
    times, products = done.get(VIEWED, ()), history.products(VIEWED)
    for each in _views(packed):
        if isinstance(each, int):
            index, trusted = divmod(each, 2)
            yield Seen(products[index][0], times[index], bool(trusted))
        else:
            yield Seen(each.product, each.at, each.trusted)
