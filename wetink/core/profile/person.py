"""Person: everything rules and apps may look at, as it was at one moment: views and events as far as anybody reads."""

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
    """Return what an event is called in rules: the name of a track, else the message type."""
    return event.name if event.type == "track" else event.type


class Columns(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The products and the order of each event of one name, oldest first, packed (msgpack)."""

    products: msgspec.Raw
    orders: msgspec.Raw


class History:
    """The usable events of one person. Nothing is unpacked before it is asked for, and then only once.

    A summary has no events, but the `columns` of what they name, by the events' names.
    """

    __slots__ = ("_columns", "_events", "_named", "_pages", "_read")

    def __init__(
        self, events: Sequence[AnyEvent] = (), *, pages: bool = True, columns: Mapping[str, Columns] | None = None
    ) -> None:
        """Take all events, oldest first; without `pages` those that browsers' keys told do not count."""
        self._events, self._pages, self._columns = events, pages, columns or {}
        self._named: dict[str, list[AnyEvent]] | None = None
        self._read: dict[tuple[str, str], Any] = {}

    def without_pages(self) -> "History":
        """Return the history as servers told it."""
        return History(self._events, pages=False)

    def _counts(self, event: AnyEvent) -> bool:
        return event.usable and (self._pages or event.level == "server")

    def named(self, name: str) -> Sequence[AnyEvent]:
        """Return the events of a name: as many as `Person.done` has times, in that order."""
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
        """Return a field of each event of a name: of its only product, of its order, or its own.

        None where there is not just one product in each.
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
        """Return when all of them happened (Unix ms, ascending)."""
        return [event.at for event in self._events if self._counts(event)]

    def __len__(self) -> int:
        """How many events there are, usable or not."""
        return len(self._events)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, History) and list(map(_key, self._events)) == list(map(_key, other._events))

    def __hash__(self) -> int:
        return hash(tuple(map(_key, self._events)))

    def __repr__(self) -> str:
        """How many there are."""
        return f"History({len(self)} events)"


def _key(event: AnyEvent) -> tuple[int, str, str]:
    return event.at, event.source, event.message_id


_products = msgspec.msgpack.Decoder(list[tuple[Product, ...]]).decode
_orders = msgspec.msgpack.Decoder(list[Order | None]).decode


@cache
def _products_with(field: str) -> Callable[[msgspec.Raw], Sequence[tuple[Any, ...]]]:
    """Return how to unpack the products of a column with one field alone, which takes a quarter of the time."""
    known = next(each for each in msgspec.structs.fields(Product) if each.name == field)
    product = msgspec.defstruct("_Product", [(field, known.type, known.default)], frozen=True, gc=False)
    decode: Any = msgspec.msgpack.Decoder(list[tuple[product, ...]]).decode  # type: ignore[valid-type]
    return decode  # type: ignore[no-any-return]


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A product and when it was last viewed, added or wished for (Unix ms)."""

    product: Product
    at: int
    trusted: bool = True
    """False when only a browser's key told us: its text is shown only as the catalog has it."""


MOST = 100
"""Products that are remembered, the newest of which count."""


class Views(Sequence[Seen]):
    """The newest view of each product, newest first, as `Product.same` tells products apart.

    A block mostly shows the first three of fifty: no product is read before it is asked for. Equal to any sequence of
    the same views.
    """

    __slots__ = ("_coming", "_known", "trusted")

    def __init__(self, coming: Iterator[Seen], *, trusted: bool) -> None:
        """Take them as they come, newest first. `trusted` says whether servers' keys told of all of them."""
        self._coming: Iterator[Seen] | None = coming
        self._known: list[Seen] = []
        self.trusted = trusted

    @classmethod
    def of(cls, viewed: Sequence[Event | Entry]) -> Self:
        """Return those of these events, which come oldest first."""
        return cls(_newest_of_each(viewed), trusted=all([event.level == "server" for event in viewed]))

    def _read(self, count: int) -> list[Seen]:
        """Return what is known once `count` views are, or all there are."""
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
        """Return the n-th newest, or a tuple of some."""
        if isinstance(index, slice):
            ahead = index.stop is not None and index.stop >= 0 and (index.start or 0) >= 0
            return tuple(self._read(index.stop if ahead else MOST)[index])
        return self._read(index + 1 if index >= 0 else MOST)[index]

    def __len__(self) -> int:
        return len(self._read(MOST))

    def __bool__(self) -> bool:
        """Whether there are any."""
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
        """As a tuple."""
        return repr(tuple(self))


def _newest_of_each(viewed: Sequence[Event | Entry]) -> Iterator[Seen]:
    """Yield the newest view of each product, newest first: what `Product.same` says, in one pass."""
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
    """The circumstances of an open. `now` is Unix milliseconds; what is empty is not known."""

    now: int
    device: str = ""
    """`mobile`, `tablet`, `desktop`, `proxy` (a mail provider's fetcher), `prefetch`, or empty when unknown."""
    scheme: str = "light"
    campaign: str = ""
    language: str = ""
    """As in `de` or `pt-BR`."""
    currency: str = ""
    """As in `EUR` (ISO 4217)."""
    time_zone: str = ""
    """As in `Europe/Berlin`."""
    local_zone: str = ""
    """The time zone of where the reader seems to be, for want of a better one."""
    country: str = ""
    """As in `DE` (ISO 3166-1)."""
    region: str = ""
    city: str = ""
    latitude: float | None = None
    longitude: float | None = None
    ratio: int = 2
    """Device pixels for each CSS pixel, 1 to 3."""
    moving: bool = False
    """Whether a picture that moves was asked for."""
    facts: Facts = Facts()
    """What is kept of how it was asked for."""
    fetch_class: str = msgspec.field(default="", name="taken_for")
    """What that was taken for: `person`, `proxy`, `prefetch`, `scanner` or `unknown`."""
    parameters: Mapping[str, str] = {}
    """What the address that was asked for says after its question mark."""


BOUNDS: Mapping[str, tuple[int, int]] = {
    "now": (0, LATEST),
    "ratio": (1, 3),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
}
"""The least and the most of a moment's numbers."""


def moment_of(said: Mapping[str, Any], now: int) -> Moment:
    """Return the moment that somebody describes by its fields, `now` (Unix ms) unless they say when.

    Raises BadContent, with the field's place.

    >>> moment_of({"scheme": "dark"}, 5).now
    5
    """
    try:
        made = msgspec.convert({"now": now, **said}, Moment)
    except msgspec.ValidationError as error:
        raise BadContent(f"moment: {error}", where="moment") from error
    for name, (least, most) in BOUNDS.items():
        value = getattr(made, name)
        if value is not None and not least <= value <= most:
            raise BadContent(f"moment.{name}: write a number from {least} to {most}", where=f"moment.{name}")
    return made


def clicked(moment: Moment) -> Moment:
    """Return the moment of a fetch as that of a click. How soon it came is told in hindsight, by all of an email's."""
    facts = replace(moment.facts, click=True)
    return replace(moment, facts=facts, fetch_class=classify(facts).kind)


class Search(msgspec.Struct, frozen=True, gc=False):
    """What was searched for, and when (Unix ms)."""

    query: str
    at: int
    trusted: bool = True
    """False when only a browser's key told us, as with `Seen`."""


class Cart(msgspec.Struct, frozen=True, gc=False):
    """What lies in the cart, in the order it was put there. `changed_at` is Unix ms, 0 for never."""

    lines: tuple[Seen, ...] = ()
    changed_at: int = 0


class Purchase(msgspec.Struct, frozen=True, gc=False):
    """A completed order. `at` is Unix ms."""

    order: Order
    products: tuple[Product, ...]
    at: int
    usable: bool = True
    trusted: bool = True
    """False when only a browser's key told us, as with `Seen`."""


class Person(msgspec.Struct, frozen=True, gc=False):
    """A profile's events folded up to a moment.

    Sequences are newest first, except cart lines. `done` maps each event name to the times (Unix ms, ascending)
    it happened, for rules.
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
    """The events themselves, for rules that ask for more than when; empty where a summary told of the person."""
    zone: str = ""
    """The time zone their device was in last, as it named it."""
    page_traits: tuple[str, ...] = ()
    """The names of those traits that only browsers' keys told us."""
    page_events: tuple[str, ...] = ()
    """The names in `done` that only browsers' keys told us."""

    @property
    def known(self) -> bool:
        """Whether anything at all is known of them."""
        return self.last_seen > 0


_NOT_PLAIN = ("history", "page_traits", "page_events")


def plain(person: Person) -> dict[str, Any]:
    """Return all of a person but their events as plain values, for templates and addresses."""
    told = {name: getattr(person, name) for name in person.__struct_fields__ if name not in _NOT_PLAIN}
    plain: dict[str, Any] = msgspec.to_builtins({**told, "views": tuple(person.views), "done": dict(person.done)})
    return plain
