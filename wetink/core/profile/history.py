"""History: the usable events of one person, in order, decoded on demand."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

import msgspec

from wetink.core.events.event import Entry, Event, Order, Product

AnyEvent: TypeAlias = Event | Entry
T = TypeVar("T")

_NO_ORDER = Order()


def name_of(event: AnyEvent) -> str:
    """Return the name of an event in rules: a track's name, or else the message type."""
    return event.name if event.type == "track" else event.type


class Columns(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The products and the order of each event of one name, oldest first, packed as msgpack.

    If each event has exactly one product, `fields` has the values of each field, without fields that all lack. Else it
    is None, and `products` has the products of each event.
    """

    count: int
    fields: dict[str, bytes] | None
    products: bytes
    orders: bytes


class History:
    """The usable events of one person. Each is decoded when it is first read.

    A summary has no events. It has the packed `Columns` of their products and orders, by the events' names.
    """

    __slots__ = ("_columns", "_events", "_named", "_pages", "_read")

    def __init__(
        self, events: Sequence[AnyEvent] = (), *, pages: bool = True, columns: Mapping[str, bytes] | None = None
    ) -> None:
        """Take all events, oldest first. Without `pages`, events from browser keys do not count."""
        self._events, self._pages, self._columns = events, pages, columns or {}
        self._named: dict[str, list[AnyEvent]] | None = None
        self._read: dict[tuple[str, str], Any] = {}

    def without_pages(self) -> "History":
        """Return the history without events from pages."""
        return History(self._events, pages=False)

    def _counts(self, event: AnyEvent) -> bool:
        return event.usable and (self._pages or event.level == "server")

    def named(self, name: str) -> Sequence[AnyEvent]:
        """Return the events of a name: as many as `Person.done` has times, in the same order."""
        if self._named is None:
            named: dict[str, list[AnyEvent]] = {}
            for event in self._events:
                if self._counts(event):
                    named.setdefault(name_of(event), []).append(event)
            self._named = named
        return self._named.get(name, ())

    def products(self, name: str) -> Sequence[tuple[Product, ...]]:
        """Return the products of each event of a name."""
        return self._once(name, "products", lambda: self._products(name))

    def _products(self, name: str) -> Sequence[tuple[Product, ...]]:
        columns = self._packed(name)
        if columns is None:
            return [event.products for event in self.named(name)]
        if columns.fields is None:
            return _products(columns.products)
        values = [self._values(columns, field) for field in PRODUCT_FIELDS]
        return [(Product(*each),) for each in zip(*values, strict=True)]

    def orders(self, name: str) -> Sequence[Order | None]:
        """Return the order of each event of a name."""
        return self._once(name, "orders", lambda: self._orders(name))

    def _orders(self, name: str) -> Sequence[Order | None]:
        columns = self._packed(name)
        return [event.order for event in self.named(name)] if columns is None else _orders(columns.orders)

    def _packed(self, name: str) -> Columns | None:
        """Return the columns of a name; None without any."""
        packed = self._columns.get(name)
        return self._once(name, "columns", lambda: _columns(packed)) if packed is not None else None

    def _values(self, columns: Columns, field: str) -> Sequence[Any]:
        """Return a field of the only product of each event."""
        packed = (columns.fields or {}).get(field)
        return _list(packed) if packed is not None else [PRODUCT_FIELDS[field]] * columns.count

    def properties(self, name: str) -> Sequence[dict[str, Any]]:
        """Return the other properties of each event of a name."""
        return self._once(name, "properties", lambda: [event.properties for event in self.named(name)])

    def fields(self, name: str, room: str, field: str) -> Sequence[Any] | None:
        """Return one field of each event of a name: of its only product, of its order, or its own.

        Returns None if an event does not have exactly one product.
        """
        return self._once(name, f"{room}.{field}", lambda: self._fields(name, room, attrgetter(field), field))

    def _fields(self, name: str, room: str, get: Callable[[Any], Any], field: str) -> Sequence[Any] | None:
        if room == "product":
            columns = self._packed(name)
            if columns is not None and columns.fields is not None:
                return self._values(columns, field)
            products = self.products(name)
            if any([len(each) != 1 for each in products]):
                return None
            return [get(each[0]) for each in products]
        if room == "order":
            return [get(each or _NO_ORDER) for each in self.orders(name)]
        return list(map(get, self.named(name)))

    def _once(self, name: str, part: str, read: Callable[[], T]) -> T:
        found: T
        if (name, part) in self._read:
            found = self._read[name, part]
        else:
            found = self._read[name, part] = read()
        return found

    def times(self) -> list[int]:
        """Return the times of all events (Unix ms, ascending)."""
        return [event.at for event in self._events if self._counts(event)]

    def __len__(self) -> int:
        """Return the number of events, usable or not."""
        return len(self._events)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, History) and list(map(_key, self._events)) == list(map(_key, other._events))

    def __hash__(self) -> int:
        return hash(tuple(map(_key, self._events)))

    def __repr__(self) -> str:
        """Return the number of events."""
        return f"History({len(self)} events)"


def _key(event: AnyEvent) -> tuple[int, str, str]:
    return event.at, event.source, event.message_id


_products = msgspec.msgpack.Decoder(list[tuple[Product, ...]]).decode
_orders = msgspec.msgpack.Decoder(list[Order | None]).decode
_columns = msgspec.msgpack.Decoder(Columns).decode
_list = msgspec.msgpack.Decoder(list[Any]).decode

PRODUCT_FIELDS: Mapping[str, Any] = {each.name: each.default for each in msgspec.structs.fields(Product)}
"""The fields of a product, in order, and their values in a product without them."""
