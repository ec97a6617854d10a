"""Tables: the columns in which all people are laid out, and the rows of profiles in them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wetink.core.events.ecommerce import MANY_PRODUCTS, ONE_PRODUCT
from wetink.core.events.event import Event, Product
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier, Kind
from wetink.core.profile.fold import fold
from wetink.core.profile.history import name_of
from wetink.core.rules.traits import facts_of
from wetink.core.rules.values import amount, each_of, time, written
from wetink.ports.audiences import ProfileEvents

MOST_EVENTS = 1_000
"""Events that an open reads. wetink always evaluates a profile with more in memory."""

MOST_VALUES = 200
"""Values of a profile's traits, or of an event's other properties. wetink evaluates a profile with more in memory."""

ZONE = "context.timezone"
"""The path of the time zone of a profile's device among its traits."""

ORDER_NUMBERS = ("total", "subtotal", "revenue", "value", "shipping", "tax", "discount")
ORDER_TEXTS = ("order_id", "checkout_id", "affiliation", "coupon", "currency")
ITEM_NUMBERS = ("price", "list_price", "quantity", "position", "stock")
ITEM_TEXTS = ("product_id", "sku", "name", "currency", "category", "brand", "variant", "coupon", "availability")

_VALUE = {"said": "VARCHAR", "written": "VARCHAR", "number": "DOUBLE", "is_text": "BOOLEAN", "time": "DOUBLE"}
_ITEM = {**{f"i_{name}": "DOUBLE" for name in ITEM_NUMBERS}, **{f"i_{name}": "VARCHAR" for name in ITEM_TEXTS}}
_DEED = {"name": "VARCHAR", "pid": "INTEGER", "place": "INTEGER", "ts": "BIGINT"}

TABLES: Mapping[str, Mapping[str, str]] = {
    "profile": {
        "pid": "INTEGER", "root": "VARCHAR", "odd": "BOOLEAN", "first_seen": "BIGINT", "last_seen": "BIGINT",
        "traits_at": "BIGINT", "cart": "BOOLEAN", "interests": "BOOLEAN", "doubtful": "BOOLEAN", "cart_worth": "DOUBLE",
        "cart_items": "DOUBLE", "cart_changed": "DOUBLE",
    },
    "member": {"who": "VARCHAR", "pid": "INTEGER"},
    "deed": {
        **_DEED, "query": "VARCHAR", "title": "VARCHAR",
        **{f"o_{name}": "DOUBLE" for name in ORDER_NUMBERS}, **{f"o_{name}": "VARCHAR" for name in ORDER_TEXTS},
    },
    "item": {**_DEED, "real": "BOOLEAN", **_ITEM},
    "line": {"pid": "INTEGER", **_ITEM},
    "trait": {"path": "VARCHAR", "pid": "INTEGER", **_VALUE},
    "property": {"path": "VARCHAR", **_DEED, **_VALUE},
}  # fmt: skip
"""Table -> column -> DuckDB's type. They are sorted by their first columns. A missing value is NULL."""

ORDERED: Mapping[str, str] = {
    "profile": "pid", "member": "who", "deed": "name, pid, place", "item": "name, pid, place", "line": "pid",
    "trait": "path, pid", "property": "path, name, pid, place",
}  # fmt: skip

_NOTHING = (Product(quantity=0),)
_KINDS: Mapping[str, Kind] = {"u": "user", "e": "email", "a": "anonymous"}


def key(identifier: Identifier) -> str:
    """Return an identifier as a column holds it: the kind's first letter and the value."""
    return identifier.kind[0] + identifier.value


def identifier(key: str) -> Identifier:
    """Return the identifier of a key."""
    return Identifier(_KINDS[key[0]], key[1:])


class Rows:
    """Rows of some profiles, by table and column."""

    def __init__(self) -> None:
        self.profiles = self.events = 0
        self._columns: dict[str, dict[str, list[Any]]] = {
            table: {name: [] for name in columns} for table, columns in TABLES.items()
        }

    def add(self, pid: int, profile: ProfileEvents) -> None:
        """Add a profile with all its events. A profile beyond the limits gets only its own row."""
        root, events = key(profile.root), profile.events
        self.profiles, self.events = self.profiles + 1, self.events + len(events)
        person = fold(events, FOREVER)
        traits, cart = list(_values(person.traits)), facts_of(person.cart, 0)
        odd = len(events) > MOST_EVENTS or len(traits) > MOST_VALUES
        self._add(
            "profile", pid, root, odd, person.first_seen, person.last_seen,
            max((event.at for event in events if event.traits), default=0), bool(person.cart.lines),
            bool(person.cart.lines or person.wishlist or person.views),
            not all(line.trusted for line in person.cart.lines), cart["worth"], cart["items"],
            person.cart.changed_at if person.cart.lines else None,
        )  # fmt: skip
        for member in {root, *map(key, profile.identifiers)}:
            self._add("member", member, pid)
        if odd:
            return
        for line in person.cart.lines:
            self._add("line", pid, *_fields(line.product))
        if person.zone:
            traits.append((ZONE, person.zone))
        for path, value in traits:
            self._add("trait", path, pid, *_columns_of(value))
        usable = sorted(
            (event for event in events if event.usable), key=lambda each: (each.at, each.source, each.message_id)
        )
        if not all([self._deed(pid, place, event) for place, event in enumerate(usable)]):
            self._columns["profile"]["odd"][-1] = True

    def _deed(self, pid: int, place: int, event: Event) -> bool:
        """Add an event; return whether it is within the limits."""
        name, order = name_of(event), event.order
        key = (name, pid, place, event.at)
        money: list[Any] = [None] * (len(ORDER_NUMBERS) + len(ORDER_TEXTS))
        if order is not None:
            money = [getattr(order, field) for field in ORDER_NUMBERS]
            money += [_text(getattr(order, field)) for field in ORDER_TEXTS]
        titled = event.type in ("page", "screen")
        self._add("deed", *key, _text(event.query), _text(event.name) if titled else None, *money)
        if name in ONE_PRODUCT or name in MANY_PRODUCTS:
            for product in event.products or _NOTHING:
                self._add("item", *key, product is not _NOTHING[0], *_fields(product))
        if not event.properties:
            return True
        found = list(_values(event.properties))
        for path, value in found[:MOST_VALUES]:
            self._add("property", path, *key, *_columns_of(value))
        return len(found) <= MOST_VALUES

    def _add(self, table: str, *values: Any) -> None:
        for column, value in zip(self._columns[table].values(), values, strict=True):
            column.append(value)

    def arrays(self, table: str) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of a table as arrays: a missing number is NaN, a missing text None."""
        return {
            name: np.array(column, dtype=_DTYPES[TABLES[table][name]])
            for name, column in self._columns[table].items()
        }  # fmt: skip


_DTYPES: Mapping[str, Any] = {
    "VARCHAR": object, "DOUBLE": np.float64, "BIGINT": np.int64, "INTEGER": np.int32, "BOOLEAN": np.bool_,
}  # fmt: skip


def _fields(product: Product) -> Iterator[Any]:
    yield from (getattr(product, field) for field in ITEM_NUMBERS)
    yield from (_text(getattr(product, field)) for field in ITEM_TEXTS)


def _text(value: str) -> str | None:
    return written(value) if value else None


_MARK = object()
"""Represents a value that exists but that nothing can be compared with: a mapping, an empty list."""


def _values(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield all values with the path by which `look_up` finds them; for a list each of its parts."""
    for name, value in properties.items():
        yield from _below(name, value, properties, name)


def _below(path: str, value: Any, top: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    if value is None:
        return
    parts = each_of(value)
    for part in parts:
        yield path, part
    if not parts:
        yield path, _MARK
    if isinstance(value, Mapping) and "." not in name:
        for inner, deeper in value.items():
            if "." not in inner and f"{path}.{inner}" not in top:
                yield from _below(f"{path}.{inner}", deeper, top, inner)


def _columns_of(value: Any) -> tuple[str | None, str | None, float | None, bool, float | None]:
    """Return a value's text, its written form, its number, whether it is a text, and its time (Unix ms)."""
    if value is _MARK:
        return None, None, None, False, None
    text = written(value)
    return value if type(value) is str else text, text, amount(value), type(value) is str, time(value)
