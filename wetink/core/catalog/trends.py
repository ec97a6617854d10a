"""Trends: all shoppers' activity by product and hour. The shop's own fold, kept in memory.

Counts are of people: ten views of a product by one person within an hour count once. After two days an hour keeps only
its numbers and drops the people. In a busy shop this happens sooner, to limit memory.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from heapq import nlargest
from operator import itemgetter
from typing import Literal

import msgspec

from wetink.core.events.event import Event, Product

Measure = Literal["viewed", "added", "bought"]
MEASURES: dict[str, Measure] = {
    "Product Viewed": "viewed",
    "Product Added": "added",
    "Wishlist Product Added to Cart": "added",
    "Order Completed": "bought",
}
"""The measure that an event counts for, by event name."""

HOUR, DAY = 3_600_000, 86_400_000
KEPT_HOURS = 24 * 60
"""Hours that are counted."""

NAMED_HOURS = 48
"""Hours that keep their people."""

MOST_NAMED = 200_000
"""Maximum people kept across all hours and products: about 25 MB."""

SESSION_MS = 30 * 60_000
"""Products that one person views within this time (ms) count as viewed together."""

RECENT_PEOPLE, RECENT_VIEWS = 20_000, 6
"""People whose last views are kept, and views for each."""

TOGETHER = 60
"""Products kept together with each product."""

REPEATS = 5
"""Minimum repurchases for an interval."""

BUYERS, MOST_GAPS, MOST_DAYS, MOST_BOUGHT = 50_000, 50_000, 730, 40
"""Buyers kept, products and categories with intervals, the longest interval in days, and products kept for each buyer.
"""

MOST_TOGETHER = 12
"""Products of one order that are paired with each other."""


class Ranked(msgspec.Struct, frozen=True):
    """A product, the number of people it moved within a window, and its score, to which recent ones add more."""

    key: str
    people: int
    score: float


class Trends:
    """Counts events. Returns popular products, products that go together, and new products."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._hours: dict[Measure, dict[int, dict[str, set[int] | int]]] = {"viewed": {}, "added": {}, "bought": {}}
        self._regions: dict[str, dict[int, Counter[tuple[Measure, str]]]] = {}
        self._together: dict[Measure, dict[str, dict[str, int]]] = {"viewed": {}, "added": {}, "bought": {}}
        self._recent: OrderedDict[int, list[tuple[str, int]]] = OrderedDict()
        self._bought: OrderedDict[int, dict[str, int]] = OrderedDict()
        self._gaps: dict[str, Counter[int]] = {}
        self._categories: dict[str, str] = {}
        self._arrived: dict[str, int] = {}
        self._observed = self._named = 0
        self._ranked: dict[tuple[Measure, int, int, str, str, int], tuple[int, Sequence[Ranked]]] = {}
        for event in events:
            self.observe(event)

    def observe(self, event: Event) -> None:
        """Count one event. Only usable tracks with products count."""
        measure = MEASURES.get(event.name) if event.type == "track" and event.usable else None
        if measure is None:
            return
        self._observed += 1
        person = hash(event.user or event.email or event.anonymous)
        keys = []
        for product in event.products:
            if product.key:
                keys.append(product.key)
                self._know(product, event.at)
        region = region_of(event)
        for key in keys:
            if self._count(measure, key, person, event.at) and region:
                self._regions.setdefault(region, {}).setdefault(event.at // HOUR, Counter())[measure, key] += 1
        if measure == "viewed":
            self._seen_together(person, keys, event.at)
        elif measure == "bought":
            self._pair("bought", keys[:MOST_TOGETHER])
            self._bought_again(person, event.products, event.at)

    def popular(
        self, measure: Measure, window_ms: int, now: int, *, category: str = "", region: str = "", least: int = 1
    ) -> Sequence[Ranked]:
        """Return the products of a window that ends at `now`, the highest score first.

        A count loses half its weight with every quarter of the window (ms), so that a surge shows while it happens.
        Products that moved fewer than `least` people in the whole window are left out.
        """
        key = (measure, window_ms, now // 60_000, category.casefold(), region.casefold(), least)
        ranked = self._ranked.get(key)
        if (
            ranked is None or self._observed - ranked[0] > ranked[0] // 100
        ):  # computed again after one percent more events
            if len(self._ranked) > 200:
                self._ranked.clear()
            ranked = self._ranked[key] = self._observed, self._rank(*key)
        return ranked[1]

    def together(self, key: str, measure: Measure) -> Sequence[str]:
        """Return the products viewed, added or bought together with a product, most often first."""
        return [other for other, _ in sorted(self._together[measure].get(key, {}).items(), key=lambda o: (-o[1], o[0]))]

    def people(self, key: str, measure: Measure, since: int, until: int) -> int:
        """Return the number of people a product moved in [since, until) (Unix ms, by the hour).

        Exact for the last two days.
        """
        named: set[int] = set()
        others = 0
        for hour in range(since // HOUR, -(-until // HOUR)):
            found = self._hours[measure].get(hour, {}).get(key)
            if isinstance(found, set):
                named |= found
            elif found is not None:
                others += found
        return len(named) + others

    def repurchase(self, product: Product) -> int | None:
        """Return the median time until people buy a product again, in ms, else that of its category.

        None with fewer than `REPEATS` repurchases.
        """
        for name in (product.key, f"category {product.category.casefold()}"):
            days = self._gaps.get(name)
            if days is not None and days.total() >= REPEATS:
                return sorted(days.elements())[days.total() // 2] * DAY
        return None

    def arrivals(self, category: str, since: int) -> Sequence[str]:
        """Return the products of a category first seen at or after `since` (Unix ms), newest first."""
        wanted = category.casefold()
        there = [key for key, at in self._arrived.items() if at >= since and self._categories.get(key, "") == wanted]
        return sorted(there, key=lambda key: (-self._arrived[key], key))

    def clear(self) -> None:
        """Forget everything."""
        self.__dict__.update(Trends().__dict__)

    def forget(self, now: int) -> None:
        """Delete hours beyond the limit, and the people of hours beyond theirs."""
        oldest, named = now // HOUR - KEPT_HOURS, now // HOUR - NAMED_HOURS
        for counted in self._hours.values():
            for hour in [each for each in counted if each < named]:
                there = counted.pop(hour)
                if hour >= oldest:
                    counted[hour] = self._without_names(there)
        for regional in self._regions.values():
            for hour in [each for each in regional if each < oldest]:
                del regional[hour]

    def _know(self, product: Product, at: int) -> None:
        if product.category:
            self._categories[product.key] = product.category.casefold()
        self._arrived[product.key] = min(at, self._arrived.get(product.key, at))

    def _count(self, measure: Measure, key: str, person: int, at: int) -> bool:
        """Count a person. Returns whether they are new in this hour."""
        hour = self._hours[measure].setdefault(at // HOUR, {})
        found = hour.setdefault(key, set())
        if isinstance(found, int):
            hour[key] = found + 1
            return True
        new = person not in found
        found.add(person)
        self._named += new
        if self._named > MOST_NAMED:
            self._forget_names()
        return new

    def _forget_names(self) -> None:
        """Drop the people of the oldest hours until half the room is free."""
        for hour in sorted({hour for counted in self._hours.values() for hour in counted}):
            for counted in self._hours.values():
                if hour in counted:
                    counted[hour] = self._without_names(counted[hour])
            if self._named <= MOST_NAMED // 2:
                return

    def _without_names(self, there: dict[str, set[int] | int]) -> dict[str, set[int] | int]:
        self._named -= sum(len(found) for found in there.values() if isinstance(found, set))
        return {key: _people(found) for key, found in there.items()}

    def _seen_together(self, person: int, keys: Sequence[str], at: int) -> None:
        recent = [(key, when) for key, when in self._recent.pop(person, []) if abs(at - when) < SESSION_MS]
        for key in keys:
            for other, _ in recent:
                self._pair("viewed", (key, other))
        fresh = [(key, when) for key, when in recent if key not in keys] + [(key, at) for key in keys]
        self._recent[person] = fresh[-RECENT_VIEWS:]
        if len(self._recent) > RECENT_PEOPLE:
            self._recent.popitem(last=False)

    def _bought_again(self, person: int, products: Sequence[Product], at: int) -> None:
        """Note the time since the person's last purchase of the same product, and of the same category."""
        before = self._bought.pop(person, {})
        names = dict.fromkeys(
            name
            for product in products[:MOST_TOGETHER]
            for name in (product.key, f"category {product.category.casefold()}" if product.category else "")
            if name
        )
        for name in names:
            days = (at - before[name]) // DAY if name in before else 0
            if days >= 1 and (name in self._gaps or len(self._gaps) < MOST_GAPS):
                self._gaps.setdefault(name, Counter())[min(days, MOST_DAYS)] += 1
            before[name] = max(at, before.get(name, at))
        self._bought[person] = dict(list(before.items())[-MOST_BOUGHT:])
        if len(self._bought) > BUYERS:
            self._bought.popitem(last=False)

    def _pair(self, measure: Measure, keys: Sequence[str]) -> None:
        together = self._together[measure]
        for key in keys:
            beside = together.setdefault(key, {})  # a Counter takes five times as long
            for other in keys:
                if other != key:
                    beside[other] = beside.get(other, 0) + 1
            if len(beside) > 2 * TOGETHER:
                together[key] = dict(nlargest(TOGETHER, beside.items(), key=itemgetter(1)))

    def _rank(
        self, measure: Measure, window_ms: int, minute: int, category: str, region: str, least: int
    ) -> Sequence[Ranked]:
        now = minute * 60_000
        half_life = max(window_ms / 4, HOUR / 2)
        people: Counter[str] = Counter()
        scores: dict[str, float] = {}
        for hour in range((now - window_ms) // HOUR, now // HOUR + 1):
            weight = 0.5 ** (max(0, now - (hour + 0.5) * HOUR) / half_life)
            for key, count in self._counted(measure, hour, region):
                if not category or self._categories.get(key) == category:
                    people[key] += count
                    scores[key] = scores.get(key, 0.0) + count * weight
        ranked = [Ranked(key, people[key], round(score, 6)) for key, score in scores.items() if people[key] >= least]
        return sorted(ranked, key=lambda each: (-each.score, each.key))

    def _counted(self, measure: Measure, hour: int, region: str) -> Iterable[tuple[str, int]]:
        if region:
            counted = self._regions.get(region, {}).get(hour, Counter())
            return [(key, count) for (counts_for, key), count in counted.items() if counts_for == measure]
        there = self._hours[measure].get(hour, {})
        return [(key, _people(found)) for key, found in there.items()]


def _people(found: set[int] | int) -> int:
    return found if isinstance(found, int) else len(found)


def region_of(event: Event) -> str:
    """Return the country or region of an event in small letters; empty if unknown."""
    address = event.traits.get("address")
    places = (event.properties.get("country"), event.properties.get("region"), event.traits.get("country"))
    stated = (*places, address.get("country") if isinstance(address, dict) else None)
    return next((place.strip().casefold() for place in stated if isinstance(place, str) and place.strip()), "")
