"""The crowd: a store of 1,000,000 profiles with 10 events each, made once and kept under .build.

`python -m bench.crowd [PROFILES]` makes it ahead of a measurement.
"""

import asyncio
import random
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from wetink.core.events.event import Event, Order, Product
from wetink.core.identity.identifier import Identifier
from wetink.ports import Record
from wetink.store import engine_of

PROFILES, EVENTS = 1_000_000, 10
DAY = 86_400_000
NOW = 1_795_000_000_000
"""When it is in the crowd's world (Unix ms)."""
CATEGORIES = ("Shoes", "Tents", "Mugs", "Lamps", "Hats", "Tea", "Books", "Bags")
PLANS = ("free", "silver", "gold", "platinum")
PRODUCTS = 5_000
AT_ONCE = 20_000
RAW = b"{}"


def history(number: int, chance: random.Random) -> Iterator[Event]:
    """Yield the events of a person, who says something of themselves once."""
    who = name_of(number)
    for place in range(EVENTS):
        at = NOW - 1 - int(chance.random() * 90 * DAY)
        said = {"at": at, "message_id": f"{number}-{place}", "source": "bench", "user": who}
        if place == 0:
            traits = {"plan": PLANS[int(chance.random() * 4)], "age": 18 + int(chance.random() * 60)}
            yield Event("identify", **said, traits=traits)  # type: ignore[arg-type]
            continue
        kind = chance.random()
        thing = product(int(chance.random() * PRODUCTS))
        if kind < 0.7:
            yield Event("track", **said, name="Product Viewed", products=(thing,))  # type: ignore[arg-type]
        elif kind < 0.85:
            yield Event("track", **said, name="Product Added", products=(thing,))  # type: ignore[arg-type]
        elif kind < 0.92:
            order = Order(order_id=f"o-{number}-{place}", total=thing.price, currency="EUR")
            yield Event("track", **said, name="Order Completed", products=(thing,), order=order)  # type: ignore[arg-type]
        else:
            yield Event("track", **said, name="Products Searched", query=CATEGORIES[place % 8])  # type: ignore[arg-type]


def name_of(number: int) -> str:
    """Return the user id of a person."""
    return f"p{number:07}"


def product(number: int) -> Product:
    """Return a product of the shop."""
    return Product(
        sku=f"S-{number}",
        name=f"Thing {number}",
        url=f"https://shop.example/{number}",
        price=5 + number % 200 + 0.5,
        category=CATEGORIES[number % 8],
    )


def built(profiles: int = PROFILES) -> Path:
    """Return the data folder of a crowd of so many, made when it is not there."""
    data = Path(".build") / f"crowd-{profiles}"
    if not (data / "complete").exists():
        shutil.rmtree(data, ignore_errors=True)
        asyncio.run(_build(data, profiles))
        (data / "complete").touch()
    return data


async def _build(data: Path, profiles: int) -> None:
    chance = random.Random(7)
    address = f"sqlite:///{data}"
    store = engine_of(address).open(address, lambda: 0, archive_days=0, archive_bytes=0)
    waiting: list[Record] = []
    begun = time.monotonic()
    for number in range(profiles):
        filed = Identifier("user", name_of(number))
        for event in history(number, chance):
            waiting.append(
                Record("bench", event.message_id, event.at, event.at, RAW, "usable", filed=filed, event=event)
            )
        if len(waiting) >= AT_ONCE or number == profiles - 1:
            await store.log.append(waiting)
            waiting = []
            if number % 50_000 < AT_ONCE // EVENTS:
                print(f"{number:,} of {profiles:,} people in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    await store.close()


if __name__ == "__main__":
    built(int(sys.argv[1]) if len(sys.argv) > 1 else PROFILES)
