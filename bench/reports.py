"""Reports: a month of 1,000,000 opens and clicks and 5,000 orders, beside one query that counts the opens bare.

The file is built once, under .build, and kept. The experiment has all 50,000 people in it. The first look is by a
process that has kept nothing yet, the second one after another order.
"""

import asyncio
import random
import shutil
import time
from collections import defaultdict
from collections.abc import Awaitable
from pathlib import Path

import msgspec

from bench.figure import Figure
from wetink import settings as setting
from wetink.core.events.message import Endpoint, pieces
from wetink.core.messages.normalize import normalize
from wetink.core.signals.attribution import Touch
from wetink.core.signals.report import DAY_MS
from wetink.ports import Record
from wetink.store.queries import script
from wetink.store.sqlite import interactions
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import connect
from wetink.wiring import Wetink

TOUCHES, PEOPLE, ORDERS, DAYS = 1_000_000, 50_000, 5_000, 30
OLD_MS = 3 * DAY_MS
"""A file older than this is built anew: its month would have passed."""
ROUNDS = 3
BARE = """SELECT block, variant, sum(human), count(DISTINCT CASE WHEN human AND kind = 0 THEN recipient END),
    count(DISTINCT CASE WHEN human AND kind = 1 THEN recipient END)
FROM contact WHERE at >= ? AND at < ? GROUP BY block, variant"""
_ANY = Endpoint(body_bytes=1 << 20)
BLOCK = """
variants:
  - {name: seen, app: last-viewed}
  - {name: other, app: last-viewed}
experiment: {name: test, arms: [{name: a, variants: [seen]}, {name: b, variants: [other]}]}
fallback: {link: "https://shop.example/"}
"""


def measure() -> list[Figure]:
    """Return the figures of reports."""
    data = _built()
    return asyncio.run(_measure(data))


async def _measure(data: Path) -> list[Figure]:
    now = int((data / "complete").read_text()) + 1
    db = connect(data / "opens.db")
    times: dict[str, list[float]] = defaultdict(list)

    async def timed(name: str, work: Awaitable[object]) -> None:
        begun = time.perf_counter()
        await work
        times[name].append(time.perf_counter() - begun)

    for turn in range(ROUNDS):
        begun = time.perf_counter()
        db.execute(BARE, (now - DAYS * DAY_MS, now)).fetchall()
        times["bare"].append(time.perf_counter() - begun)
        async with Wetink(setting.read({}, data=data)) as wetink:
            for look in ("first", "second"):
                span = now - DAYS * DAY_MS, now
                await timed(f"{look} report", wetink.reports.lines(wetink.content, *span, ("block", "variant")))
                await timed(f"{look} experiment", wetink.experiments.result(wetink.content, "test"))
                await wetink.store.log.append([_order(random.Random(turn), f"{look}-{time.time_ns()}", now)])
    db.close()
    bare = min(times.pop("bare"))
    figures = []
    for name, took in times.items():
        what = (
            "a month of 1,000,000 touches with 5,000 orders" if "report" in name else "an experiment of 50,000 people"
        )
        figures.append(
            Figure(
                f"report: the {name.split()[0]} look at {what} to one bare query that counts the month's opens",
                bare / min(took), 1.0, f"{bare * 1000:.0f} ms to {min(took) * 1000:.0f} ms",
            )
        )  # fmt: skip
    return figures


def _built() -> Path:
    data = Path(".build") / f"reports-{TOUCHES}"
    complete = data / "complete"
    now = time.time_ns() // 1_000_000
    if not complete.exists() or now - int(complete.read_text()) > OLD_MS:
        shutil.rmtree(data, ignore_errors=True)
        (data / "content" / "blocks").mkdir(parents=True)
        (data / "content" / "blocks" / "hero.yaml").write_text(BLOCK)
        asyncio.run(_build(data, now))
        complete.write_text(str(now))
    return data


async def _build(data: Path, now: int) -> None:
    chance = random.Random(6)
    async with Wetink(setting.read({}, data=data)) as wetink:
        db = connect(data / "opens.db", durable=False)
        db.execute(script("wetink.store.sqlite", "ledger.sql") + script("wetink.store.sqlite", "exposures.sql"))
        interactions.prepare(db)
        with db:
            for number in range(PEOPLE):
                arm, who = chance.choice("ab"), f"user:u{number}"
                db.execute(
                    "INSERT OR IGNORE INTO exposure VALUES ('test', ?, ?, ?, ?, '', NULL, NULL)",
                    (who, arm, now - DAYS * DAY_MS, who),
                )
        for first in range(0, TOUCHES, 10_000):
            at = now - DAYS * DAY_MS + first * DAYS * DAY_MS // TOUCHES
            with transaction(db):
                interactions.count(db, [_touch(chance, at + index) for index in range(10_000)])
        db.close()
        waiting = [_order(chance, number, now) for number in range(ORDERS)]
        await wetink.store.log.append(waiting)


def _touch(chance: random.Random, at: int) -> Touch:
    kind = "click" if chance.random() < 0.05 else "open"
    block, variant = chance.choice(("hero", "picks", "greeting")), chance.choice(("seen", "other"))
    who, campaign = f"user:u{chance.randrange(PEOPLE)}", f"c{at // (3 * DAY_MS)}"
    return Touch(kind, block, who, campaign, at, variant, human=chance.random() < 0.8, arms={"test": "a"})


def _order(chance: random.Random, number: int | str, now: int) -> Record:
    message = {
        "type": "track", "event": "Order Completed", "messageId": f"o{number}",
        "userId": f"u{chance.randrange(PEOPLE)}",
        "timestamp": now - chance.randrange(DAYS * DAY_MS - 1000),
        "properties": {"order_id": f"O-{number}", "total": chance.randrange(10, 200), "currency": "USD",
                       "products": [{"sku": "S", "price": 9}]},
    }  # fmt: skip
    return normalize(pieces(msgspec.json.encode(message), _ANY)[0][0], "bench", "server", now)
