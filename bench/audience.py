"""Audience: a rule of three conditions counted over 1,000,000 profiles with 10,000,000 events, beside DuckDB by hand.

The reference is a query somebody would write over typed columns of the same data, in the same DuckDB, with the same
threads. Both are warm. Ours is fresh: a message is acknowledged before each count and is part of it.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import duckdb

from bench import crowd
from bench.figure import Figure
from wetink.audiences.segment_query import ColumnCrowd
from wetink.columns import DuckDBColumns
from wetink.core.events.event import Event, Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.rules.parse import parse
from wetink.ports import Record
from wetink.store import engine_of

ROUNDS = 9
DAY = crowd.DAY
SINCE_VIEW, SINCE_ORDER = 30 * DAY, 60 * DAY
RULE = parse(
    [
        {"done": "Product Viewed", "where": {"category": "Shoes"}, "within": "30d", "at_least": 2},
        {"not_done": "Order Completed", "within": "60d"},
        {"trait": "plan", "equals": "gold"},
    ]
)
BY_HAND = """
SELECT count(*) FROM people WHERE plan = 'gold'
AND id IN (SELECT person FROM events WHERE name = 'Product Viewed' AND category = 'Shoes' AND at_ms >= $views
           AND at_ms <= $now GROUP BY person HAVING count(*) >= 2)
AND id NOT IN (SELECT person FROM events WHERE name = 'Order Completed' AND at_ms >= $orders AND at_ms <= $now)
"""


def measure() -> list[Figure]:
    """Return the figure of counting an audience."""
    return asyncio.run(_measure(crowd.built()))


async def _measure(data: Path) -> list[Figure]:
    address = f"sqlite:///{data}"
    store = engine_of(address).open(address, lambda: crowd.NOW, archive_days=1, archive_bytes=1 << 30)
    columns = DuckDBColumns(store.crowd, data / "columns")
    ours = ColumnCrowd(store, lambda: columns)
    reference = _by_hand(data)
    now = crowd.NOW
    before = await ours.count(RULE, Moment(now + ROUNDS), {})
    took: list[float] = []
    theirs: list[float] = []
    for number in range(ROUNDS):
        now += 1
        await store.log.append([_view(number, now)])
        begun = time.perf_counter()
        counted = await ours.count(RULE, Moment(now), {})
        took.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        row = reference.execute(
            BY_HAND, {"views": now - SINCE_VIEW, "orders": now - SINCE_ORDER, "now": now}
        ).fetchone()
        theirs.append(time.perf_counter() - begun)
    assert row is not None
    assert (counted.matches, counted.of) == (row[0], before.of + ROUNDS), "both say the same, and each message is in"
    await columns.close()
    await store.close()
    return [
        Figure(
            "audience: a fresh count of three conditions over 1,000,000 profiles to DuckDB by hand",
            median(theirs) / median(took), 1 / 3,
            f"{median(took) * 1000:.0f} ms, by hand {median(theirs) * 1000:.0f} ms; {counted.matches:,} match",
        ),
    ]  # fmt: skip


def _view(number: int, at: int) -> Record:
    """A view by somebody new: they match nothing, but they count."""
    stamp = f"{time.time_ns()}-{number}"
    who = Identifier("user", f"fresh-{stamp}")
    product = Product(sku="S-1", name="Thing 1", url="https://shop.example/1", price=6.5, category="Tents")
    event = Event("track", at, stamp, "bench", "Product Viewed", user=who.value, products=(product,))
    return Record("bench", stamp, at, at, crowd.RAW, "usable", filed=who, event=event)


def _by_hand(data: Path) -> duckdb.DuckDBPyConnection:
    """Return typed columns of the crowd as somebody would lay them out, in the order in which it happened."""
    path = data / "by-hand.duckdb"
    if not path.exists():
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with duckdb.connect(str(draft), config={"threads": 2}) as made:
            made.execute("CREATE TABLE people (id INTEGER, plan VARCHAR, age INTEGER)")
            made.execute(
                "CREATE TABLE events (person INTEGER, name VARCHAR, at_ms BIGINT, category VARCHAR, price DOUBLE)"
            )
            for people, events in _rows():
                made.register("fresh_people", people)
                made.register("fresh_events", events)
                made.execute("INSERT INTO people SELECT * FROM fresh_people")
                made.execute("INSERT INTO events SELECT * FROM fresh_events")
        draft.replace(path)
    return duckdb.connect(str(path), read_only=True, config={"threads": 2})


def _rows() -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """Yield the people and the events of the crowd in parts, as arrays."""
    import random

    import numpy as np

    chance = random.Random(7)
    people: list[tuple[int, str, int]] = []
    events: list[tuple[int, str, int, str | None, float | None]] = []
    for number in range(crowd.PROFILES):
        for event in crowd.history(number, chance):
            if event.type == "identify":
                people.append((number, event.traits["plan"], event.traits["age"]))
                continue
            product = event.products[0] if event.products else None
            events.append(
                (
                    number,
                    event.name,
                    event.at,
                    product.category if product else None,
                    product.price if product else None,
                )
            )
        if len(people) == 50_000 or number == crowd.PROFILES - 1:
            ids, plans, ages = zip(*people, strict=True)
            who, names, times, categories, prices = zip(*events, strict=True)
            yield (
                {"id": np.array(ids, np.int32), "plan": np.array(plans, object), "age": np.array(ages, np.int32)},
                {"person": np.array(who, np.int32), "name": np.array(names, object), "at_ms": np.array(times, np.int64),
                 "category": np.array(categories, object), "price": np.array(prices, np.float64)},
            )  # fmt: skip
            people, events = [], []
