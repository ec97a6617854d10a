"""Person: everything rules and apps may look at, as it was at one moment."""

from collections.abc import Sequence
from typing import Any

import msgspec

from wetink.core.event import Order, Product
from wetink.core.identifier import Identifier


class Moment(msgspec.Struct, frozen=True):
    """The circumstances of an open. `now` is Unix milliseconds; what is empty is not known."""

    now: int
    device: str = ""
    """`mobile`, `desktop`, `proxy` (a mail provider's fetcher) or empty when unknown."""
    scheme: str = "light"
    campaign: str = ""
    language: str = ""
    """As in `de` or `pt-BR`."""
    currency: str = ""
    """As in `EUR` (ISO 4217)."""
    time_zone: str = ""
    """As in `Europe/Berlin`."""
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
    client: str = ""
    """The family of the mail program."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A product and when it was last viewed, added or wished for (Unix ms)."""

    product: Product
    at: int
    trusted: bool = True
    """False when only a browser's key told us: its text is shown only as the catalog has it."""


class Search(msgspec.Struct, frozen=True):
    """What was searched for, and when (Unix ms)."""

    query: str
    at: int


class Cart(msgspec.Struct, frozen=True):
    """What lies in the cart, in the order it was put there. `changed_at` is Unix ms, 0 for never."""

    lines: tuple[Seen, ...] = ()
    changed_at: int = 0


class Purchase(msgspec.Struct, frozen=True):
    """A completed order. `at` is Unix ms."""

    order: Order
    products: tuple[Product, ...]
    at: int
    usable: bool = True
    trusted: bool = True
    """False when only a browser's key told us, as with `Seen`."""


class Person(msgspec.Struct, frozen=True):
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
    done: dict[str, tuple[int, ...]] = {}
    first_seen: int = 0
    last_seen: int = 0

    @property
    def known(self) -> bool:
        """Whether anything at all is known of them."""
        return self.last_seen > 0
