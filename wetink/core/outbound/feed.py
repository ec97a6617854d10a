"""Feed: outside data as declared by a file in the content folder, and the fetched data.

This module has the rules: the URL to call, the time of the next call, and the age limits of data. `declaration` reads
and checks the file. `wetink.feeds` fetches, parses and stores.
"""

import re
import zlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Meta

from wetink.core.errors import BadContent
from wetink.core.events.event import Product
from wetink.core.text.titled import Titled
from wetink.core.units.duration import parse
from wetink.core.units.quantity import text

Format = Literal["json", "jsonl", "csv", "xml", "rss", "atom", "merchant"]
Item = dict[str, Any]
State = Literal["fresh", "stale", "none"]

MEGABYTE = 1024 * 1024
DEFAULTS = {"catalog": (1024 * MEGABYTE, 1_000_000), "data": (10 * MEGABYTE, 10_000), "person": (MEGABYTE, 100)}
"""Default limits of a feed by purpose: (bytes, items)."""

LARGEST_JSON = 256 * MEGABYTE
"""Maximum bytes of a JSON document, which is read whole. Larger feeds use `jsonl`, one item on each line."""

SHORTEST_MS, SHORTEST_PERSON_MS = 60_000, 10_000
"""Shortest time between calls, in milliseconds: of a feed, and of a per-person feed."""

AHEAD = 0.75
"""The part of its life after which data is fetched again, while it is still served."""

SPREAD = 0.2
"""Feeds with the same schedule spread their calls over this part of their lives."""

LONGEST_PARAMETER = 200
"""Longest value in a URL, in characters."""

LEAVES = frozenset(Product.__struct_fields__) - {"quantity", "coupon", "position"}
GOODS = LEAVES | {"list_price", "availability", "stock"}
"""The product fields that a feed may set in the catalog."""

HOLE = re.compile(r"\{([^{}]*)\}")
"""A parameter's place in a URL."""
_WALK = re.compile(r"(?:^|[/\\])\.{1,2}(?:$|[/\\])")


class PerPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A feed that is fetched for each person: `parameters: {city: person.traits.city}`.

    A parameter fills the placeholder with its name in the URL (`/weather/{city}`), or else is added to the query. Its
    source may be several paths, and the first with a value counts: `moment.city | person.traits.city`.
    """

    parameters: dict[str, str]
    deadline_ms: Annotated[int, Meta(ge=1, le=5_000)] = 150


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The largest size. 0 takes the value in `DEFAULTS`."""

    bytes: Annotated[int, Meta(ge=0, le=4096 * MEGABYTE)] = 0
    items: Annotated[int, Meta(ge=0, le=5_000_000)] = 0


class Feed(Titled, msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Data from a URL (`url`) or from a file in the folder of uploads (`file`)."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,63}$")]
    format: Format
    url: str = ""
    file: str = ""
    every: str = "1h"
    """How long data counts as fresh, as a duration: `15m`."""
    root: str = ""
    """JSON: the dotted path to the list of items; empty: the document itself. XML: the name of an item's element."""
    fields: dict[str, str] = {}
    """Dotted path in the item by field name; empty: items as received. Added to those of a catalog or merchant feed."""
    key: str = ""
    """The field that identifies items. An item without it, or with a repeated value, is left out."""
    encoding: str = ""
    """The text encoding of CSV and JSON lines, such as `windows-1252`; empty: UTF-8, or as marked."""
    limit: Limit = Limit()
    per_person: PerPerson | None = None
    purpose: Literal["catalog", "data"] = "data"
    complete: bool = False
    """Whether the catalog lists all products: unlisted ones can no longer be bought."""
    title: str = ""
    """The name for people; empty: the file's name."""
    headers: tuple[str, ...] = ()
    """Names of request headers. Their values are secrets and stay in the store."""
    disabled: bool = False
    """Whether it is neither fetched nor shown."""

    @property
    def every_ms(self) -> int:
        """How long data counts as fresh, in milliseconds."""
        return parse(self.every)

    @property
    def most_bytes(self) -> int:
        """Maximum bytes of a body, packed or unpacked."""
        most = self.limit.bytes or self._defaults[0]
        return min(most, LARGEST_JSON) if self.format == "json" else most

    @property
    def most_items(self) -> int:
        """Maximum number of items."""
        return self.limit.items or self._defaults[1]

    @property
    def of_goods(self) -> bool:
        """Whether its items are products with the fields of GOODS."""
        return self.format == "merchant" or self.purpose == "catalog"

    @property
    def _defaults(self) -> tuple[int, int]:
        return DEFAULTS["person" if self.per_person is not None else self.purpose]


class Snapshot(msgspec.Struct, frozen=True):
    """A feed's data as fetched. Times are Unix ms; 0 means never.

    A catalog's items stay on disk: `items` is empty, and `count` is their number. `version` changes with the data and
    with the way it is parsed. `checked_at` is when the source last sent or confirmed the data.
    `failures` counts the failures since, and `trouble` is the last one.
    """

    feed: str
    items: tuple[Item, ...] = ()
    count: int = 0
    version: str = ""
    checked_at: int = 0
    etag: str = ""
    last_modified: str = ""
    left_out: int = 0
    problems: tuple[str, ...] = ()
    tried_at: int = 0
    failures: int = 0
    trouble: str = ""
    until: int = 0
    """The time (Unix ms) when a sale in the same data begins or ends; 0: never."""

    def age(self, now: int) -> int:
        """Return the milliseconds since the source last confirmed the data."""
        return max(0, now - self.checked_at)


class Fetch(msgspec.Struct, frozen=True, omit_defaults=True):
    """One fetch: when it began (Unix ms), its duration in milliseconds, its items, and its error, empty if it worked.

    `same` means that the data has not changed.
    """

    at: int
    ms: int
    items: int = 0
    same: bool = False
    error: str = ""


class Supply(msgspec.Struct, frozen=True):
    """A feed's current data, and its freshness for the trace.

    `age_ms` is None without data. `because` is the reason for stale or missing data.
    """

    items: tuple[Item, ...] = ()
    state: State = "none"
    age_ms: int | None = None
    because: str = ""
    version: str = ""


def parameters_of(feed: Feed, known: Mapping[str, Any]) -> dict[str, str]:
    """Return the feed's known parameters as texts.

    >>> feed = Feed("weather", "json", per_person=PerPerson({"city": "person.traits.city"}))
    >>> parameters_of(feed, {"person": {"traits": {"city": "Oslo"}}}), parameters_of(feed, {"person": {}})
    ({'city': 'Oslo'}, {})
    >>> feed = Feed("weather", "json", per_person=PerPerson({"city": "moment.city | person.traits.city"}))
    >>> parameters_of(feed, {"moment": {"city": ""}, "person": {"traits": {"city": "Oslo"}}})
    {'city': 'Oslo'}
    """
    if feed.per_person is None:
        return {}
    found: dict[str, str] = {}
    for name, sources in feed.per_person.parameters.items():
        values = (text(reached(known, source.strip())) for source in sources.split("|"))
        if value := next((each for each in values if each), None):
            found[name] = value
    return found


def reached(value: Any, path: str) -> Any:
    """Return the value at a dotted path; None if there is none.

    >>> reached({"price": [{"amount": 3}]}, "price.0.amount"), reached({"a.b": 1}, "a.b"), reached({}, "a.b")
    (3, 1, None)
    """
    if isinstance(value, Mapping) and path in value:
        return value[path]
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list | tuple) and step.isdecimal() and len(step) < 8 and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def address(feed: Feed, parameters: Mapping[str, str]) -> str:
    """Return the URL of a person's data.

    Raises BadContent if a parameter is missing, too long, or would leave its place in the path.

    >>> feed = Feed("w", "json", "https://w.example/{city}?u=m", per_person=PerPerson({"city": "", "day": ""}))
    >>> address(feed, {"city": "a/b?c", "day": "x y"})
    'https://w.example/a%2Fb%3Fc?u=m&day=x%20y'
    """
    wanted = feed.per_person.parameters if feed.per_person is not None else {}
    for name in wanted:
        value = parameters.get(name, "")
        if not value.strip():
            raise BadContent(f"{name} is not known")
        if len(value) > LONGEST_PARAMETER:
            raise BadContent(f"{name} is longer than {LONGEST_PARAMETER} characters")
        if _WALK.search(value):
            raise BadContent(f"{name} contains a path, not a value")
    url = HOLE.sub(lambda hole: quote(parameters[hole[1]], safe="", errors="replace"), feed.url)
    rest = {name: parameters[name] for name in wanted if f"{{{name}}}" not in feed.url}
    if not rest:
        return url
    glue = "&" if "?" in url else "?"
    return f"{url}{glue}{urlencode(rest, quote_via=quote, safe='', errors='replace')}"


def ripe(fetched: int, life: int, now: int) -> bool:
    """Return whether data is in the last quarter of its life or past it. Also true if the clock was set back."""
    return not fetched <= now < fetched + AHEAD * life


def expired(fetched: int, life: int, now: int) -> bool:
    """Return whether data is past its life."""
    return now >= fetched + life


def due_at(feed: Feed, snapshot: Snapshot | None) -> int:
    """Return the time (Unix ms) of the next call of a scheduled feed; 0 means now.

    It is before the data expires, at a different moment for each feed. After failures, the pause grows.
    """
    if snapshot is None or (not snapshot.checked_at and not snapshot.failures):
        return 0
    if snapshot.failures:
        return snapshot.tried_at + min(pause(snapshot.failures), feed.every_ms)
    own = zlib.crc32(f"{feed.name} {snapshot.checked_at}".encode()) / 2**32
    usual = snapshot.checked_at + int(feed.every_ms * (AHEAD + SPREAD * own))
    return min(usual, max(snapshot.until, snapshot.checked_at + SHORTEST_MS)) if snapshot.until else usual


def is_due(feed: Feed, snapshot: Snapshot | None, now: int) -> bool:
    """Return whether a scheduled feed is due. Also true if the clock was set back."""
    if snapshot is None:
        return True
    last = snapshot.tried_at if snapshot.failures else snapshot.checked_at
    return not last <= now < due_at(feed, snapshot)


def pause(failures: int) -> int:
    """Return the pause in milliseconds after so many failures in a row: 10 s, doubling to at most 10 minutes.

    >>> pause(1), pause(3), pause(99)
    (10000, 40000, 600000)
    """
    return min(10_000 << min(failures - 1, 10), 600_000)


def supply(feed: Feed, snapshot: Snapshot | None, now: int) -> Supply:
    """Return the data of a snapshot, fresh, stale or none, with the reason."""
    if snapshot is None or not snapshot.checked_at:
        trouble = snapshot.trouble if snapshot is not None else ""
        return Supply(because=trouble or "it has not been fetched yet")
    late = expired(snapshot.checked_at, feed.every_ms, now)
    return Supply(
        snapshot.items,
        "stale" if late else "fresh",
        snapshot.age(now),
        (snapshot.trouble or "it was not refreshed in time") if late else "",
        snapshot.version,
    )


def product_of(item: Mapping[str, Any]) -> Product | None:
    """Return the product in a catalog item, with the fields of Product; None without a key."""
    known = {name: value for name, value in item.items() if name in Product.__struct_fields__ and value is not None}
    try:
        product = msgspec.convert(known, Product)
    except msgspec.ValidationError:
        return None
    return product if product.key else None
