"""Person: everything that rules and apps may read about one person at one moment, decoded on demand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, overload

import msgspec
from msgspec.structs import replace

from wetink.core.client_classification import Facts, classify
from wetink.core.errors import BadContent
from wetink.core.events.clock import LATEST
from wetink.core.events.event import Order, Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.history import AnyEvent, History


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

    __slots__ = ("_coming", "_known", "cut", "more", "trusted")

    def __init__(self, coming: Iterator[Seen], *, trusted: bool, more: bool = False) -> None:
        """Take views, newest first. `trusted` says whether server keys sent all of them.

        `more` says that there are older ones. `cut` tells whether somebody would have read those.
        """
        self._coming = coming
        self._known: list[Seen] = []
        self.more, self.trusted, self.cut = more, trusted, False

    @classmethod
    def of(cls, viewed: Sequence[AnyEvent]) -> Self:
        """Return the views of these events, which come oldest first."""
        return cls(_newest_of_each(viewed), trusted=all([event.level == "server" for event in viewed]))

    def _read(self, count: int) -> list[Seen]:
        """Return the views read so far, after reading up to `count`."""
        while len(self._known) < count and self._read_next():
            pass
        return self._known

    def _read_next(self) -> bool:
        """Read one more view. Returns False at the end."""
        seen = next(self._coming, None)
        if seen is None:
            self.cut = self.more
            return False
        self._known.append(seen)
        return True

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
        while at < len(known) or self._read_next():
            yield known[at]
            at += 1

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Views | tuple | list) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Show the views as a tuple."""
        return repr(tuple(self))


def _newest_of_each(viewed: Sequence[AnyEvent]) -> Iterator[Seen]:
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
