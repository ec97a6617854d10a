"""Person: everything rules and apps may look at, as it was at one moment."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.core.client_classification import Facts, classify
from wetink.core.errors import BadContent
from wetink.core.events.clock import LATEST
from wetink.core.events.event import Order, Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.history import History


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
    taken_for: str = ""
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
    return replace(moment, facts=facts, taken_for=classify(facts).kind)


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A product and when it was last viewed, added or wished for (Unix ms)."""

    product: Product
    at: int
    trusted: bool = True
    """False when only a browser's key told us: its text is shown only as the catalog has it."""


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
    """The events themselves, for rules that ask for more than when."""
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
