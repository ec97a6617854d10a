"""Summary: a person as folded, in bytes from which an open is answered without reading their events again.

Nothing but a fold kept: reading one gives the very person that folding all those events gives, without the events.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import force_setattr

from wetink.core.events.event import Entry, Product
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Person, Seen, Views


class _Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest view of one product, the product packed until somebody asks for it."""

    at: int
    trusted: bool
    packed: msgspec.Raw

    def seen(self) -> Seen:
        return Seen(_product(self.packed), self.at, self.trusted)


class _Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`person` has neither views nor history nor `done`. The newest view of each product follows, newest first.

    `trusted` says whether servers' keys told of all views.
    """

    person: Person
    trusted: bool
    views: tuple[_Kept, ...]
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


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Summary).decode
_product = msgspec.msgpack.Decoder(Product).decode
_times = msgspec.msgpack.Decoder(tuple[int, ...]).decode


def summarize(entries: Iterable[Entry]) -> bytes:
    """Return the summary of whoever all these events are of."""
    events = list(entries)
    person = fold(events, max((event.at for event in events), default=0))
    trusted = isinstance(person.views, Views) and person.views.trusted
    views = [(seen.at, seen.trusted, seen.product) for seen in person.views]
    facts = {
        name: getattr(person, name) for name in Person.__struct_fields__ if name not in ("views", "history", "done")
    }
    return _encode((facts, trusted, views, person.done))


def person_of(summary: bytes) -> Person:
    """Return the person, without their events.

    Raises msgspec.DecodeError for what `summarize` of this version has not made.
    """
    read = _decode(summary)
    force_setattr(read.person, "views", Views((kept.seen() for kept in read.views), trusted=read.trusted))
    force_setattr(read.person, "done", _Done(read.done))
    return read.person
