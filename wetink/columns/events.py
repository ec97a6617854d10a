"""Events: the events that a rule means, as SQL over the columns."""

from collections.abc import Callable, Sequence

import msgspec

from wetink.columns.answer import Answer, Values, both, exact, neither, of_number, of_text, of_value
from wetink.columns.answer import at_most as at_most_where
from wetink.columns.tables import ITEM_NUMBERS, ITEM_TEXTS, ORDER_NUMBERS, ORDER_TEXTS
from wetink.core.events.ecommerce import ONE_PRODUCT
from wetink.core.rules import matching as windows
from wetink.core.rules.matching import Room, place_of
from wetink.core.rules.operators import NEGATIONS
from wetink.core.rules.tree import Property, Test, Where, Window
from wetink.core.units.duration import parse as span_of


class Matching(msgspec.Struct, frozen=True):
    """Queries of (pid, place, ts): the events that surely match, and all that may. None: none surely match."""

    sure: str | None
    maybe: str


class Ask:
    """The moment and the parameters of a query."""

    def __init__(self, now: int, fitting: Callable[[str, str, str], str]) -> None:
        """Compile for a moment (Unix ms).

        `fitting` returns the table of the values under a path of a table that match an expression.
        """
        self.now, self.value, self._fitting = now, Values(), fitting

    def of_value(self, table: str, path: str, test: Test) -> str | None:
        """Return the condition on a value under a path; None if SQL cannot express it."""
        if test.operator == "matches":
            return f"said IN (SELECT said FROM {self._fitting(table, path, test.value)})"  # noqa: S608
        return of_value(test, self.now, self.value)


def matching(ask: Ask, event: str, where: Where, window: Window) -> Matching:
    """Return the events of a name in a window whose properties pass."""
    times, certain = _times(ask, window)
    rooms: dict[Room, list[Property]] = {}
    for each in where:
        rooms.setdefault(place_of(event, each.name)[0], []).append(each)
    parts = [_in_deeds(ask, event, each) for room in ("order", "query", "name") for each in rooms.get(room, ())]
    parts += [_in_properties(ask, event, each) for each in rooms.get("property", ())]
    items = _in_items(ask, event, rooms.get("product", ()))
    name = ask.value(event)
    if items is not None and not parts:
        distinct = "" if event in ONE_PRODUCT else "DISTINCT "
        query = f"SELECT {distinct}pid, place, ts FROM item AS t WHERE name = {name} AND {times}"  # noqa: S608
        return Matching(f"{query} AND {items.sure}" if certain else None, f"{query} AND {items.maybe}")
    if items is not None:
        within = f"(pid, place) IN (SELECT (pid, place) FROM item WHERE name = {ask.value(event)} AND "  # noqa: S608
        parts.append(Answer(f"{within}{items.sure})", f"{within}{items.maybe})"))
    found = both(parts)
    query = f"SELECT pid, place, ts FROM deed AS t WHERE name = {name} AND {times}"  # noqa: S608
    return Matching(f"{query} AND {found.sure}" if certain else None, f"{query} AND {found.maybe}")


def done(matches: Matching, least: int) -> Answer:
    """Return whether a profile has at least `least` of these events."""
    return Answer(_counted(matches.sure, least), _counted(matches.maybe, least))


def _counted(query: str | None, least: int) -> str:
    if query is None:
        return "false"
    if least <= 0:
        return "true"
    if least == 1:
        return f"p.pid IN (SELECT pid FROM ({query}))"  # noqa: S608
    return f"p.pid IN (SELECT pid FROM ({query}) GROUP BY pid HAVING count(*) >= {least:d})"  # noqa: S608


def _times(ask: Ask, window: Window) -> tuple[str, bool]:
    """Return the condition on an event's time, and whether it covers the window completely."""
    until = f"t.ts <= {ask.now:d}"
    if window.within:
        return f"{until} AND t.ts >= {ask.now - span_of(window.within):d}", True
    if window.between:
        start, end = windows.ends(window.between)
        return f"{until} AND t.ts >= {start:d} AND t.ts < {end:d}", True
    if window.since:
        last = (
            f"(SELECT pid, max(ts) AS last FROM deed WHERE name = {ask.value(window.since)} "  # noqa: S608
            f"AND ts <= {ask.now:d} GROUP BY pid)"
        )
        later = f"NOT EXISTS (SELECT 1 FROM {last} AS l WHERE l.pid = t.pid AND l.last >= t.ts)"  # noqa: S608
        return f"{until} AND {later}", True
    if window.visit:
        here = f"SELECT pid FROM profile WHERE last_seen >= {ask.now - windows.VISIT_GAP_MS:d}"  # noqa: S608
        return f"{until} AND t.pid IN ({here})", False
    return until, True


def tested(tests: Sequence[Test], conditions: Sequence[str | None], there: str) -> Answer:
    """Return whether a column passes; `there` is the condition that it is set."""
    parts = []
    for test, condition in zip(tests, conditions, strict=True):
        if condition is None:
            parts.append(at_most_where(there))
            continue
        known = exact(f"coalesce({condition}, false)")
        turned = test.operator in NEGATIONS or (test.operator == "exists" and test.value is False)
        parts.append(neither(known) if turned else known)
    return both(parts)


def _in_items(ask: Ask, event: str, wanted: Sequence[Property]) -> Answer | None:
    """Return the condition on a product of an event; None without a condition on products."""
    return of_product(ask, [(place_of(event, each.name)[1], each) for each in wanted]) if wanted else None


def of_product(ask: Ask, wanted: Sequence[tuple[str, Property]]) -> Answer:
    """Return the condition on the columns of a product; each property comes with its field."""
    parts = []
    for field, each in wanted:
        if field in ITEM_NUMBERS:
            conditions = [of_number(f"i_{field}", test, ask.value) for test in each.tests]
        elif field in ITEM_TEXTS:
            conditions = [of_text(f"i_{field}", test, ask.value) for test in each.tests]
        else:
            parts.append(Answer("false", "true"))
            continue
        parts.append(tested(each.tests, conditions, f"(i_{field} IS NOT NULL)"))
    return both(parts)


def _in_deeds(ask: Ask, event: str, each: Property) -> Answer:
    """Return the condition on the event's own columns: its order, its query, a page's name."""
    room, field = place_of(event, each.name)
    column = {"query": "query", "name": "title"}.get(room, f"o_{field}")
    if room == "order" and field in ORDER_NUMBERS:
        conditions = [of_number(column, test, ask.value) for test in each.tests]
    elif room != "order" or field in ORDER_TEXTS:
        conditions = [of_text(column, test, ask.value) for test in each.tests]
    else:
        return Answer("false", "true")
    return tested(each.tests, conditions, f"({column} IS NOT NULL)")


def _in_properties(ask: Ask, event: str, each: Property) -> Answer:
    parts = []
    for test in each.tests:
        condition = ask.of_value("property", each.name, test)
        here = (
            f"(t.pid, t.place) IN (SELECT (pid, place) FROM property "  # noqa: S608
            f"WHERE path = {ask.value(each.name)} AND name = {ask.value(event)}"
        )
        if condition is None:
            parts.append(at_most_where(f"{here})"))
            continue
        found = exact(f"{here} AND {condition})")
        turned = test.operator in NEGATIONS or (test.operator == "exists" and test.value is False)
        parts.append(neither(found) if turned else found)
    return both(parts)
