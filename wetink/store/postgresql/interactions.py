"""Interactions: writes opens and clicks with daily sums and their effects on exposures.

A transaction locks its recipients, so that several processes count firsts once. Classifying all rows again takes many
short transactions. The daily sums are computed aside in the meantime, and replace the existing ones in the end.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from operator import add
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import replace

from wetink.core.client_classification import RULES_VERSION, Kind
from wetink.core.signals.attribution import AGAIN_MS, PROVED_MS, Touch
from wetink.ports.drawing import Served
from wetink.store import codec
from wetink.store.interactions import (
    COLUMNS,
    EARLIEST,
    KINDS,
    families,
    parts_in,
    quarter_of,
    reclassified,
    row_of,
    source_of,
    unproved,
)
from wetink.store.postgresql.database import Connection, Database
from wetink.store.queries import queries

SQL = queries(__package__, "contact_queries.sql")
PEOPLE_AT_ONCE = 250
"""Recipients classified in one transaction."""
DAYS_AT_ONCE = 5_000
"""Rows of daily sums written by one statement."""

DayKey: TypeAlias = tuple[int, str, str, str, tuple[str, ...]]
"""Quarter of an hour, block, variant, campaign, and the parts that it counts for. Pictures count for none."""
Sums: TypeAlias = dict[DayKey, list[int]]
"""Counts in the order of the table's columns from `pictures` on."""
K = TypeVar("K")
COUNTS = 9
PICTURES, OPENS, UNIQUE_OPENS, MACHINE_OPENS, UNIQUE_MACHINE_OPENS, CLICKS, UNIQUE_CLICKS, MACHINE_CLICKS, IMPLIED = (
    range(COUNTS)
)
Email: TypeAlias = tuple[str, str, str]
"""Recipient, block, campaign."""


async def count_pictures(connection: Connection, served: Sequence[tuple[tuple[Served, int], int]]) -> None:
    """Add delivered pictures to the daily counts, inside a transaction."""
    await _add(connection, _pictures(served))


def _pictures(served: Sequence[tuple[tuple[Served, int], int]]) -> Sums:
    sums: Sums = {}
    for (what, day), count in served:
        _sum(sums, (day, what.block, what.variant, what.campaign, ()))[PICTURES] += count
    return sums


async def count(
    connection: Connection, touches: Sequence[Touch], served: Sequence[tuple[tuple[Served, int], int]] = ()
) -> None:
    """Write opens and clicks, and add delivered pictures to the daily counts, inside a transaction."""
    await connection.execute(SQL.share)
    await connection.execute(SQL.lock, list({touch.recipient for touch in touches}))
    touches = await _with_audiences(connection, await _without_repeats(connection, touches))
    sums = _pictures(served)
    touches, times = await _proved(connection, touches, sums)
    await _sum_up(connection, touches, sums)
    if touches:
        await connection.execute(SQL.insert, *zip(*(row_of(touch) for touch in touches), strict=True))
        await _expose(connection, touches)
    await connection.execute(SQL.changed, [*times, *(touch.at for touch in touches)])
    await _add(connection, sums)


async def _with_audiences(connection: Connection, touches: Sequence[Touch]) -> Sequence[Touch]:
    """Return opens and clicks with the audiences that their people are in."""
    whose = {
        touch.recipient: codec.who(found)
        for touch in touches
        if (found := codec.recipient_of(touch.recipient)) is not None
    }
    if not whose:
        return touches
    at = max(touch.at for touch in touches)
    known = dict(await connection.fetch(SQL.audiences_of, [*whose], [*whose.values()], at))
    return [
        replace(each, audiences=tuple(known[each.recipient])) if each.recipient in known else each for each in touches
    ]


async def _without_repeats(connection: Connection, touches: Sequence[Touch]) -> Sequence[Touch]:
    """Leave out opens as data that have been counted within the minute, by any process."""
    once = [touch for touch in touches if touch.once]
    if not once:
        return touches
    rows = [(*_email(each), KINDS.index(each.kind), each.human, each.at) for each in once]
    found = await connection.fetch(SQL.near, *zip(*rows, strict=True), AGAIN_MS)
    repeated = {id(each) for each, (again,) in zip(once, found, strict=True) if again}
    return [touch for touch in touches if id(touch) not in repeated]


async def _proved(connection: Connection, touches: Sequence[Touch], sums: Sums) -> tuple[list[Touch], list[int]]:
    """Add the opens that people's clicks prove. A real open that comes later replaces the proven one.

    Returns all to be written, and the times of those that are replaced.
    """
    written, times = [*touches], []
    opens = [touch for touch in touches if touch.kind == "open" and touch.human]
    if opens:
        rows = [(*_email(each), each.at) for each in opens]
        confirmed, dropped = list[tuple[Any, ...]](), set[int]()
        for found in await connection.fetch(SQL.implied_near, *zip(*rows, strict=True), PROVED_MS):
            key, at, who, block, campaign, variant, fetch_class, facts, audiences, first = found
            email = who, block, campaign
            real = next(each for each in opens if _email(each) == email and abs(each.at - at) < PROVED_MS)
            confirmed.append((real.recipient, key, *_classed(real)))
            dropped.add(id(real))
            times.append(at)
            place = quarter_of(at), real.block, variant, real.campaign
            proved = _sum(sums, (*place, parts_in(fetch_class, facts, audiences)))
            proved[IMPLIED] -= 1
            for counts, sign in ((proved, -1), (_sum(sums, (*place, _parts(real, audiences))), 1)):
                counts[OPENS] += sign
                counts[UNIQUE_OPENS] += sign * first
        if confirmed:
            await connection.execute(SQL.confirm, *zip(*confirmed, strict=True))
            written = [touch for touch in written if id(touch) not in dropped]
    clicks = unproved(touches)
    if clicks:
        emails = [(*_email(each), KINDS.index("open"), True, each.at) for each in clicks]
        near = await connection.fetch(SQL.near, *zip(*emails, strict=True), PROVED_MS)
        written += [
            replace(each, kind="open", implied=True) for each, (opened,) in zip(clicks, near, strict=True) if not opened
        ]
    return written, times


async def _sum_up(connection: Connection, touches: Sequence[Touch], sums: Sums) -> None:
    """Add opens and clicks that are not written yet to sums by day, with the first of each kind."""
    emails = sorted({_email(touch) for touch in touches})
    if not emails:
        return
    known = await connection.fetch(SQL.known, *zip(*emails, strict=True))
    seen = {
        (email, kind, human)
        for email, row in zip(emails, known, strict=True)
        for (kind, human), there in zip((("open", True), ("open", False), ("click", True)), row, strict=True)
        if there
    }
    for touch in sorted(touches, key=lambda each: each.at):
        mine = _sum(sums, (quarter_of(touch.at), touch.block, touch.variant, touch.campaign, _parts(touch)))
        place, first = _PLACES[touch.kind, touch.human]
        mine[place] += 1
        mine[IMPLIED] += touch.implied
        if first is not None and (key := (_email(touch), touch.kind, touch.human)) not in seen:
            seen.add(key)
            mine[first] += 1


_PLACES: dict[tuple[str, bool], tuple[int, int | None]] = {
    ("open", True): (OPENS, UNIQUE_OPENS),
    ("open", False): (MACHINE_OPENS, UNIQUE_MACHINE_OPENS),
    ("click", True): (CLICKS, UNIQUE_CLICKS),
    ("click", False): (MACHINE_CLICKS, None),
}
"""Where an open or click is counted, and where the first of its kind is."""


async def _expose(connection: Connection, touches: Sequence[Touch]) -> None:
    """Note the first open and click of people in experiments."""
    seen: dict[tuple[str, str], tuple[int, int | None]] = {}
    for touch in touches:
        for experiment in touch.arms if touch.human else ():
            key, clicked = (touch.recipient, experiment), touch.at if touch.kind == "click" else None
            first, click = seen.get(key, (touch.at, None))
            clicks = [each for each in (click, clicked) if each is not None]
            seen[key] = min(first, touch.at), min(clicks, default=None)
    await _expose_rows(connection, [(*key, *times) for key, times in seen.items()])


async def _expose_rows(connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        await connection.execute(SQL.expose, *zip(*rows, strict=True))


async def _add(connection: Connection, sums: Sums) -> None:
    """Add counts to those of their quarters of an hour, and to those of the parts that they count for.

    This comes last in a transaction: others wait until it ends.
    """
    if not sums:
        return
    await connection.execute(SQL.alone)
    whole: dict[tuple[int, str, str, str], list[int]] = {}
    parts: dict[tuple[int, str, str, str, str], list[int]] = {}
    for (*place, some), counts in sums.items():
        key: tuple[int, str, str, str] = tuple(place)  # type: ignore[assignment]
        for known in (
            whole.setdefault(key, [0] * COUNTS),
            *(parts.setdefault((*key, each), [0] * COUNTS) for each in some),
        ):
            known[:] = map(add, known, counts)
    for query, rows in (
        (SQL.count, [(*key, *counts) for key, counts in whole.items() if any(counts)]),
        (SQL.count_parts, [(*key, *counts[OPENS:]) for key, counts in parts.items() if any(counts)]),
    ):
        for start in range(0, len(rows), DAYS_AT_ONCE):
            await connection.execute(query, *zip(*rows[start : start + DAYS_AT_ONCE], strict=True))


async def classify_anew(database: Database, counts: Callable[[str, Kind], bool]) -> int:
    """Classify the facts of all opens and clicks with the current rules. Returns the number of changes.

    `counts` returns whether a block counts a class of fetch.
    """

    async def mark(connection: Connection) -> int:
        await connection.execute(SQL.exclude)  # so that all earlier rows are visible
        return int(await connection.fetchval(SQL.last_id))

    last = await database.transact("classifying opens and clicks", mark)
    changed, sums = 0, Counter[tuple[DayKey, int]]()
    async for people in _slices(database):

        async def work(connection: Connection, people: Sequence[str] = people) -> tuple[int, list[Any]]:
            await connection.execute(SQL.share)
            await connection.execute(SQL.lock, people)
            found = await _classify(connection, people, counts)
            await connection.execute(SQL.unexpose, people)
            await _expose_rows(connection, await connection.fetch(SQL.arms_of, people))
            await connection.execute(SQL.changed, [EARLIEST])
            return found, await connection.fetch(SQL.sums_of, people, last)

        found, rows = await database.transact("classifying opens and clicks", work)
        changed += found
        _take_in(sums, rows)

    async def take_over(connection: Connection) -> None:
        await connection.execute(SQL.exclude)
        await connection.execute(SQL.alone)
        total = Counter(sums)
        _take_in(total, await connection.fetch(SQL.sums_since, last))
        await connection.execute(SQL.clear_days)
        await connection.execute(SQL.clear_parts)
        days: Sums = {}
        for (key, place), number in total.items():
            _sum(days, key)[place] = number
        await _add(connection, days)

    await database.transact("summing up opens and clicks", take_over)
    return changed


def _take_in(sums: Counter[tuple[DayKey, int]], rows: Iterable[Sequence[Any]]) -> None:
    for day, block, variant, campaign, parts, *numbers in rows:
        for place, number in enumerate(numbers, OPENS):
            if number:
                sums[(day, block, variant, campaign, tuple(parts)), place] += number


def sums_query(by: Collection[str], *, blocks: bool, campaign: bool) -> str:
    """Return the query for sums apart by some columns, of some `blocks` or of a `campaign`."""
    source = source_of(by, blocks=blocks, campaign=campaign)
    table, kind = "rollup", source.quarters
    if isinstance(kind, str):
        table, kind = f"({_TABLES[kind]})", 0
    columns = {name: name if name in by else "''" for name in COLUMNS}
    query: str = SQL.sums
    return query.format(days=source.days, quarters=table, kind=kind, **columns)


_TABLES = {"daily": SQL.rows_of_daily, "part_daily": SQL.rows_of_part_daily}
"""The tables with all columns, as rows like those of `rollup`."""


async def _slices(database: Database) -> AsyncIterator[list[str]]:
    """Yield all recipients in parts. Recipients that an experiment treats as one person are in the same part."""
    async with database.reading("reading exposures") as connection:
        joined = families([tuple(row) for row in await connection.fetch(SQL.heirs)])
    for family in joined:
        yield family
    related, last = {each for family in joined for each in family}, ""
    while True:
        async with database.reading("reading opens and clicks") as connection:
            found = [who for (who,) in await connection.fetch(SQL.recipients, last, PEOPLE_AT_ONCE)]
        if not found:
            return
        last = found[-1]
        if alone := [recipient for recipient in found if recipient not in related]:
            yield alone


async def _classify(connection: Connection, people: Sequence[str], counts: Callable[[str, Kind], bool]) -> int:
    """Classify some people's opens and clicks. Inside a transaction. Returns the number of changes."""
    rows = await connection.fetch(SQL.touches_of, people)
    whose = {row[0]: row[1] for row in rows}
    found = reclassified(rows, counts)
    if found.rows:
        taken = [(whose[key], key, fetch_class, facts, human) for fetch_class, facts, human, key in found.rows]
        await connection.execute(SQL.retake, *zip(*taken, strict=True), RULES_VERSION)
    denied = []
    for key, who, at, block, campaign in await connection.fetch(SQL.implied_of, people):
        if found.proved.pop((who, campaign, block, at), None) is None:
            denied.append(key)
    if denied:
        await connection.execute(SQL.deny, people, denied)
    if found.proved:
        await connection.execute(SQL.imply_again, people, [*found.proved.values()])
    return found.changed


def _sum(sums: dict[K, list[int]], key: K) -> list[int]:
    return sums.setdefault(key, [0] * COUNTS)


def _parts(touch: Touch, audiences: str | None = None) -> tuple[str, ...]:
    """Return the parts that an open or click counts for, if need be with other audiences than its own (JSON)."""
    *_, fetch_class, facts, _, _, _, _, own = row_of(touch)
    return parts_in(fetch_class, facts, own if audiences is None else audiences)


def _email(touch: Touch) -> Email:
    return touch.recipient, touch.block, touch.campaign


def _classed(touch: Touch) -> tuple[str, str, int]:
    """Return the class of an open, its facts as JSON, and the version of the rules."""
    _, _, _, _, _, _, fetch_class, facts, version, *_ = row_of(touch)
    return fetch_class, facts, version
