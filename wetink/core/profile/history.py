"""History: a person's events by name, oldest first, read as far as a rule asks."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

from wetink.core.events.event import Event, Order, Product
from wetink.core.events.stored_event import Entry

_NO_ORDER = Order()

Told: TypeAlias = Event | Entry


def name_of(event: Told) -> str:
    """Return what an event is called in rules: the name of a track, else the message type."""
    return event.name if event.type == "track" else event.type


class History:
    """The usable events of one person. Nothing is unpacked before it is asked for, and then only once."""

    __slots__ = ("_events", "_named", "_pages", "_read")

    def __init__(self, events: Sequence[Told] = (), *, pages: bool = True) -> None:
        """Take all events, oldest first; without `pages` those that browsers' keys told do not count."""
        self._events, self._pages = events, pages
        self._named: dict[str, list[Told]] | None = None
        self._read: dict[tuple[str, str], list[Any]] = {}

    def without_pages(self) -> "History":
        """Return the history as servers told it."""
        return History(self._events, pages=False)

    def _counts(self, event: Told) -> bool:
        return event.usable and (self._pages or event.level == "server")

    def named(self, name: str) -> Sequence[Told]:
        """Return the events of a name: as many as `Person.done` has times, in that order."""
        if self._named is None:
            named: dict[str, list[Told]] = {}
            for event in self._events:
                if self._counts(event):
                    named.setdefault(name_of(event), []).append(event)
            self._named = named  # not before: what comes from a store may fail on the way
        return self._named.get(name, ())

    def read(self) -> None:
        """Have the events read now, wherever they come from; raises whatever their store does."""
        len(self._events)

    def products(self, name: str) -> Sequence[tuple[Product, ...]]:
        """Return the products of each event of a name."""
        return self._column(name, "products", lambda event: event.products)

    def orders(self, name: str) -> Sequence[Order | None]:
        """Return the order of each event of a name."""
        return self._column(name, "orders", lambda event: event.order)

    def properties(self, name: str) -> Sequence[dict[str, Any]]:
        """Return the other properties of each event of a name."""
        return self._column(name, "properties", lambda event: event.properties)

    def fields(self, name: str, room: str, field: str) -> Sequence[Any] | None:
        """Return a field of each event of a name: of its only product, of its order, or its own.

        None where there is not just one product in each.
        """
        known = self._read.get((name, f"{room}.{field}"))
        if known is not None:
            return known
        get = attrgetter(field)
        if room == "product":
            products = self.products(name)
            if any(len(each) != 1 for each in products):
                return None
            found = [get(each[0]) for each in products]
        elif room == "order":
            found = [get(each or _NO_ORDER) for each in self.orders(name)]
        else:
            found = list(map(get, self.named(name)))
        self._read[name, f"{room}.{field}"] = found
        return found

    def _column(self, name: str, part: str, read: Callable[[Told], Any]) -> Sequence[Any]:
        column = self._read.get((name, part))
        if column is None:
            column = self._read[name, part] = [read(event) for event in self.named(name)]
        return column

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


def _key(event: Told) -> tuple[int, str, str]:
    return event.at, event.source, event.message_id
