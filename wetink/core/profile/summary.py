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
    """The newest view of one product: the index of its event in the column of views, or the product itself."""

    at: int
    trusted: bool
    product: int | Product


class _Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`person` has no views, history and `done`. The newest view of each product follows, newest first.

    `trusted` says whether server keys sent all views.
    """

    person: Person
    trusted: bool
    views: tuple[_Kept, ...]
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
    alone = {each[0]: place for place, each in enumerate(person.history.products(VIEWED)) if len(each) == 1}
    views = [(seen.at, seen.trusted, alone.get(seen.product, seen.product)) for seen in person.views]
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
    force_setattr(read.person, "views", Views(_views(read.views, read.columns.get(VIEWED)), trusted=read.trusted))
    force_setattr(read.person, "done", _Done(read.done))
    force_setattr(read.person, "history", History(columns=read.columns))
    return read.person


def _views(kept: Sequence[_Kept], viewed: Columns | None) -> Iterator[Seen]:
    """Yield the views. Each product is decoded when it is read."""
    packed = _packed(viewed.products) if viewed is not None else []
    for each in kept:
        product = each.product if isinstance(each.product, Product) else _alone(packed[each.product])[0]
        yield Seen(product, each.at, each.trusted)
