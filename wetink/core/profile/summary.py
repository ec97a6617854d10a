"""Summary: a folded person as bytes, so that an open need not read their events again.

A summary stores only what a fold returns. Reading one gives the same person as folding the events, without the events,
but with their products and orders.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from wetink.core.events.event import Entry, Product
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Columns, History, Person, Seen, Views

VIEWED = "Product Viewed"


class _Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest view of one product that is not the only one of a usable event."""

    at: int
    trusted: bool
    product: Product


class _Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`person` has no views, history and `done`. The newest view of each product follows, newest first.

    Most are the index of an event in the column of views, times two, plus one if a server key sent it: small numbers
    take no memory of their own. `trusted` says whether server keys sent all views.
    """

    person: Person
    trusted: bool
    views: tuple[int | _Kept, ...]
    done: dict[str, msgspec.Raw]
    columns: dict[str, Columns]


class _Done(Mapping[str, tuple[int, ...]]):
    """When events happened, decoded when a rule reads it."""

    __slots__ = ("_packed",)

    def __init__(self, packed: dict[str, msgspec.Raw]) -> None:
        self._packed = packed

    def __getitem__(self, name: str) -> tuple[int, ...]:
        return _times(self._packed[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Summary).decode
_alone = msgspec.msgpack.Decoder(tuple[Product]).decode
_packed = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_times = msgspec.msgpack.Decoder(tuple[int, ...]).decode

_NO_PRODUCTS, _NO_ORDER = msgspec.Raw(_encode(())), msgspec.Raw(_encode(None))


def summarize(entries: Iterable[Entry]) -> bytes:
    """Return the summary of the profile with these events."""
    events = list(entries)
    person = fold(events, max((event.at for event in events), default=0))
    trusted = isinstance(person.views, Views) and person.views.trusted
    viewed = zip(person.done.get(VIEWED, ()), person.history.products(VIEWED), strict=True)
    places = {(at, products[0]): index for index, (at, products) in enumerate(viewed) if len(products) == 1}
    views: list[object] = []
    for seen in person.views:
        index = places.get((seen.at, seen.product))
        views.append((seen.at, seen.trusted, seen.product) if index is None else 2 * index + seen.trusted)
    facts = {
        name: getattr(person, name) for name in Person.__struct_fields__ if name not in ("views", "history", "done")
    }
    columns = {name: _columns(person.history, name) for name in person.done}
    return _encode((facts, trusted, views, person.done, columns))


def _columns(history: History, name: str) -> tuple[list[msgspec.Raw], list[msgspec.Raw]]:
    events: Sequence[Any] = history.named(name)
    products = [event.packed_products or _NO_PRODUCTS for event in events]
    return products, [event.packed_order or _NO_ORDER for event in events]


def person_of(summary: bytes) -> Person:
    """Return the person, without their events.

    Raises msgspec.DecodeError if `summarize` of this version did not make the bytes.
    """
    read = _decode(summary)
    views = _views(read.views, read.columns.get(VIEWED), read.done.get(VIEWED))
    force_setattr(read.person, "views", Views(views, trusted=read.trusted))
    force_setattr(read.person, "done", _Done(read.done))
    force_setattr(read.person, "history", History(columns=read.columns))
    return read.person


def _views(kept: Sequence[int | _Kept], viewed: Columns | None, times: msgspec.Raw | None) -> Iterator[Seen]:
    """Yield the views, each product unpacked when it is read."""
    packed = _packed(viewed.products) if viewed is not None else []
    at = _times(times) if times is not None else ()
    for each in kept:
        if isinstance(each, int):
            index, trusted = divmod(each, 2)
            yield Seen(_alone(packed[index])[0], at[index], bool(trusted))
        else:
            yield Seen(each.product, each.at, each.trusted)
