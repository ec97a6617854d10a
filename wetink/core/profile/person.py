"""Person: everything that rules and apps may read about one person at one moment, decoded on demand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Self, TypeAlias, TypeVar, overload

import msgspec
from msgspec.structs import replace

from wetink.core.client_classification import Facts, classify
from wetink.core.errors import BadContent
from wetink.core.events.clock import LATEST
from wetink.core.events.event import Entry, Event, Order, Product
from wetink.core.identity.identifier import Identifier

_NO_ORDER = Order()

AnyEvent: TypeAlias = Event | Entry
T = TypeVar("T")


def name_of(event: AnyEvent) -> str:
    """Return the name of an event in rules: a track's name, or else the message type."""
    return event.name if event.type == "track" else event.type


class Columns(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The products and the order of each event of one name, oldest first, packed as msgpack."""

    products: msgspec.Raw
    orders: msgspec.Raw


class History:
    """The usable events of one person. Each is decoded when it is first read.

    A summary has no events. It has the `columns` of their products and orders, by the events' names.
    """

    __slots__ = ("_columns", "_events", "_named", "_pages", "_read")

    def __init__(
        self, events: Sequence[AnyEvent] = (), *, pages: bool = True, columns: Mapping[str, Columns] | None = None
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
        packed = self._columns.get(name)
        if packed is not None:
            return self._once(name, "products", lambda: _products(packed.products))
        return self._once(name, "products", lambda: [event.products for event in self.named(name)])

    def orders(self, name: str) -> Sequence[Order | None]:
        """Return the order of each event of a name."""
        packed = self._columns.get(name)
        if packed is not None:
            return self._once(name, "orders", lambda: _orders(packed.orders))
        return self._once(name, "orders", lambda: [event.order for event in self.named(name)])

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
            packed = self._columns.get(name)
            products = self.products(name) if packed is None else _products_with(field)(packed.products)
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


@cache
def _products_with(field: str) -> Callable[[msgspec.Raw], Sequence[tuple[Any, ...]]]:
    """Return a decoder of a column's products that reads one field only, in a quarter of the time."""
    known = next(each for each in msgspec.structs.fields(Product) if each.name == field)
    product = msgspec.defstruct("_Product", [(field, known.type, known.default)], frozen=True, gc=False)
    decode: Any = msgspec.msgpack.Decoder(list[tuple[product, ...]]).decode  # type: ignore[valid-type]
    return decode  # type: ignore[no-any-return]


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A product, and when it was last viewed, added or wished for (Unix ms)."""

    product: Product
    at: int
    trusted: bool = True
    """False if only a browser key sent it. Pictures then show the catalog's text."""


MOST = 100
"""Products that are remembered, newest first."""


class Views(Sequence[Seen]):
    """The newest view of each product, newest first. `Product.same` decides what is one product.

    A block mostly shows the first three of fifty, so products are decoded on demand. Equal to any sequence of the same
    views.
    """

    __slots__ = ("_coming", "_known", "trusted")

    def __init__(self, coming: Iterator[Seen], *, trusted: bool) -> None:
        """Take views, newest first. `trusted` says whether server keys sent all of them."""
        self._coming: Iterator[Seen] | None = coming
        self._known: list[Seen] = []
        self.trusted = trusted

    @classmethod
    def of(cls, viewed: Sequence[Event | Entry]) -> Self:
        """Return the views of these events, which come oldest first."""
        return cls(_newest_of_each(viewed), trusted=all([event.level == "server" for event in viewed]))

    def _read(self, count: int) -> list[Seen]:
        """Return the views read so far, after reading up to `count`."""
        known = self._known
        while len(known) < count and self._coming is not None:
            seen = next(self._coming, None)
            if seen is None:
                self._coming = None
            else:
                known.append(seen)
        return known

    @overload
    def __getitem__(self, index: int) -> Seen: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Seen, ...]: ...
    def __getitem__(self, index: int | slice) -> Seen | tuple[Seen, ...]:
        """Return the n-th newest view, or a tuple of a slice."""
        if isinstance(index, slice):
            ahead = index.stop is not None and index.stop >= 0 and (index.start or 0) >= 0
            return tuple(self._read(index.stop if ahead else MOST)[index])
        return self._read(index + 1 if index >= 0 else MOST)[index]

    def __len__(self) -> int:
        return len(self._read(MOST))

    def __bool__(self) -> bool:
        """Return whether there are views."""
        return bool(self._read(1))

    def __iter__(self) -> Iterator[Seen]:
        known, at = self._known, 0
        while at < len(known) or len(self._read(at + 1)) > at:
            yield known[at]
            at += 1

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Views | tuple | list) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Show the views as a tuple."""
        return repr(tuple(self))


def _newest_of_each(viewed: Sequence[Event | Entry]) -> Iterator[Seen]:
    """Yield the newest view of each product, newest first, by the rule of `Product.same`, in one pass."""
    skus: set[str] = set()
    ids: set[str] = set()
    ids_alone: set[str] = set()
    left = MOST
    for event in reversed(viewed):
        for product in reversed(event.products):
            sku, product_id = product.sku, product.product_id
            if sku:
                if sku in skus or product_id in ids_alone:
                    continue
                skus.add(sku)
            elif not product_id or product_id in ids:
                continue
            else:
                ids_alone.add(product_id)
            if product_id:
                ids.add(product_id)
            yield Seen(product, event.at, event.level == "server")
            left -= 1
            if left == 0:
                return


class Moment(msgspec.Struct, frozen=True, gc=False):
    """The circumstances of an open. `now` is Unix ms; empty fields are unknown."""

    now: int
    device: str = ""
    """`mobile`, `tablet`, `desktop`, `proxy` (a mail provider's fetcher) or `prefetch`; empty if unknown."""
    scheme: str = "light"
    campaign: str = ""
    language: str = ""
    """Such as `de` or `pt-BR`."""
    currency: str = ""
    """Such as `EUR` (ISO 4217)."""
    time_zone: str = ""
    """Such as `Europe/Berlin`."""
    local_zone: str = ""
    """The time zone of the place of the open, used if no better one is known."""
    country: str = ""
    """Such as `DE` (ISO 3166-1)."""
    region: str = ""
    city: str = ""
    latitude: float | None = None
    longitude: float | None = None
    ratio: int = 2
    """Device pixels per CSS pixel, 1 to 3."""
    moving: bool = False
    """Whether the request asks for an animated picture."""
    facts: Facts = Facts()
    """What wetink stores about the request."""
    fetch_class: str = msgspec.field(default="", name="taken_for")
    """The class of the request: `person`, `proxy`, `prefetch`, `scanner` or `unknown`."""
    parameters: Mapping[str, str] = {}
    """The query parameters of the request's URL."""


BOUNDS: Mapping[str, tuple[int, int]] = {
    "now": (0, LATEST),
    "ratio": (1, 3),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
}
"""The minimum and maximum of a moment's numbers."""


def moment_of(fields: Mapping[str, Any], now: int) -> Moment:
    """Return the moment with these fields, and `now` (Unix ms) unless they include a time.

    Raises BadContent with the field's place.

    >>> moment_of({"scheme": "dark"}, 5).now
    5
    """
    try:
        made = msgspec.convert({"now": now, **fields}, Moment)
    except msgspec.ValidationError as error:
        raise BadContent(f"moment: {error}", where="moment") from error
    for name, (least, most) in BOUNDS.items():
        value = getattr(made, name)
        if value is not None and not least <= value <= most:
            raise BadContent(f"moment.{name}: write a number from {least} to {most}", where=f"moment.{name}")
    return made


def clicked(moment: Moment) -> Moment:
    """Return the moment of a fetch as a click's. Later classification considers how soon it came."""
    facts = replace(moment.facts, click=True)
    return replace(moment, facts=facts, fetch_class=classify(facts).kind)


class Search(msgspec.Struct, frozen=True, gc=False):
    """A search, and when it happened (Unix ms)."""

    query: str
    at: int
    trusted: bool = True
    """False if only a browser key sent it, as with `Seen`."""


class Cart(msgspec.Struct, frozen=True, gc=False):
    """The cart's lines, in the order they were added. `changed_at` is Unix ms, 0 for never."""

    lines: tuple[Seen, ...] = ()
    changed_at: int = 0


class Purchase(msgspec.Struct, frozen=True, gc=False):
    """A completed order. `at` is Unix ms."""

    order: Order
    products: tuple[Product, ...]
    at: int
    usable: bool = True
    trusted: bool = True
    """False if only a browser key sent it, as with `Seen`."""


class Person(msgspec.Struct, frozen=True, gc=False):
    """A profile's events, folded at a moment.

    Sequences are newest first, except cart lines. `done` maps each event name to its times (Unix ms, ascending), for
    rules.
    """

    identifiers: tuple[Identifier, ...] = ()
    traits: dict[str, Any] = {}
    views: Sequence[Seen] = ()
    searches: tuple[Search, ...] = ()
    cart: Cart = Cart()
    wishlist: tuple[Seen, ...] = ()
    orders: tuple[Purchase, ...] = ()
    done: Mapping[str, tuple[int, ...]] = {}
    first_seen: int = 0
    last_seen: int = 0
    history: History = History()
    """The events, for rules that need more than their times. A summary has only their products and orders."""
    zone: str = ""
    """The latest time zone of the person's device."""
    page_traits: tuple[str, ...] = ()
    """Names of traits from browser keys only."""
    page_events: tuple[str, ...] = ()
    """Names in `done` from browser keys only."""

    @property
    def known(self) -> bool:
        """Whether there is any event."""
        return self.last_seen > 0


_NOT_PLAIN = ("history", "page_traits", "page_events")


def plain(person: Person) -> dict[str, Any]:
    """Return a person without events as plain values, for templates and URLs."""
    values = {name: getattr(person, name) for name in person.__struct_fields__ if name not in _NOT_PLAIN}
    plain: dict[str, Any] = msgspec.to_builtins({**values, "views": tuple(person.views), "done": dict(person.done)})
    return plain
