"""The contract of a store, as far as the catalog goes: price and stock before, search, and following the log."""

import asyncio
import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts.loop import run
from tests.contracts.profiles import received
from wetink.core.catalog.catalog import Change
from wetink.core.events.event import Product
from wetink.ports import Storage

SHOP = "https://shop.example"
START = 1_750_000_000_000


def tell(store: Storage, number: int, sku: str, event: str = "Product Viewed", **properties: Any) -> None:
    message = {"type": "track", "event": event, "messageId": f"m{number}", "userId": "u", "timestamp": START + number}
    message["properties"] = {"sku": sku, "url": f"{SHOP}/{sku}", **properties}
    run(store.log.append([received(message)]))


def test_a_change_of_price_or_stock_is_noted_when_it_happens(store: Storage) -> None:
    tell(store, 1, "A", price=20)
    tell(store, 2, "A", price=20, name="Lamp")
    tell(store, 3, "A", price=15)
    tell(store, 4, "A", stock=0, availability="out_of_stock")
    tell(store, 2_000, "B", name="Rug")
    changes = run(store.catalog.changes(["A", "B", "C"]))
    assert list(changes) == ["A"]
    assert list(changes["A"]) == [
        Change(START + 1, 20.0),
        Change(START + 3, 15.0),
        Change(START + 4, 15.0, "out_of_stock", 0),
    ]


def test_reads_at_once_each_find_their_products(store: Storage) -> None:
    for number, sku in enumerate("ABC"):
        tell(store, number, sku, price=20)

    async def ask() -> list[set[str]]:
        catalog = store.catalog
        reads = catalog.products(["A"]), catalog.changes(["B"]), catalog.products(["C", "D"]), catalog.changes(["A"])
        return [set(found) for found in await asyncio.gather(*reads)]

    assert run(ask()) == [{"A"}, {"B"}, {"C"}, {"A"}]


def test_the_newest_fifty_changes_are_kept(store: Storage) -> None:
    for number in range(60):
        tell(store, number, "A", price=number + 1)
    kept = run(store.catalog.changes(["A"]))["A"]
    assert (len(kept), kept[0].price, kept[-1].price) == (50, 11.0, 60.0)


def test_the_last_word_counts_however_many_requests_repeat_and_change_it_at_once(store: Storage) -> None:
    chance = random.Random(3)

    async def say(sku: str, prices: list[int], together: int) -> None:
        messages = [
            received(
                {
                    "type": "track",
                    "event": "Product Viewed",
                    "messageId": f"{sku}-{number}",
                    "userId": "u",
                    "timestamp": START + number,
                    "properties": {"sku": sku, "url": f"{SHOP}/{sku}", "price": price},
                }
            )
            for number, price in enumerate(prices)
        ]
        for start in range(0, len(messages), together):  # so many requests are under way at the same time
            await asyncio.gather(*(store.log.append([each]) for each in messages[start : start + together]))

    for round in range(60):
        prices = [chance.randint(1, 3) for _ in range(chance.randint(2, 30))]
        run(say(f"S{round}", prices, chance.randint(1, 6)))
        known = run(store.catalog.products([f"S{round}"]))[f"S{round}"]
        assert known.price == prices[-1], prices
        told = [change.price for change in run(store.catalog.changes([f"S{round}"]))[f"S{round}"]]
        assert told == [float(price) for price, _ in itertools.groupby(prices)], prices


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lamp", ["A", "B"]),
        ("LAMP blue", ["B"]),
        ("cafe", ["C"]),
        ("tab", ["A", "B"]),
        ("tide", ["A"]),
        ("nothing", []),
        ("", []),
        ('"*:-(', []),
        ("lamp AND rug", []),
        ("Old", []),
    ],
)
def test_products_are_found_by_their_newest_words(store: Storage, text: str, expected: list[str]) -> None:
    tell(store, 1, "A", name="Old name", brand="Tide")
    tell(store, 2, "A", name="Lamp", category="Table")
    tell(store, 3, "B", name="Blue lamp for the table")
    tell(store, 4, "C", name="Café chair")
    found = [product.sku for product in run(store.catalog.search(text))]
    assert sorted(found) == expected


@pytest.mark.parametrize("elsewhere", ["another process", "a feed"])
def test_a_word_that_was_revised_elsewhere_counts_again_when_it_is_said_again(
    store: Storage, another: Callable[[], Storage], elsewhere: str
) -> None:
    other = another()

    def price() -> float | None:
        return run(store.catalog.products(["A"]))["A"].price

    tell(store, 1, "A", price=5)
    tell(store, 2, "A", price=5)
    for number in range(10, 60, 10):
        if elsewhere == "a feed":
            run(store.catalog.learn([Product(sku="A", price=6)], START + number))
        else:
            tell(other, number, "A", price=6)
        assert price() == 6
        tell(store, number + 5, "A", price=5)
        assert price() == 5
        tell(store, number + 6, "A", price=5)
        assert price() == 5
    assert [change.price for change in run(store.catalog.changes(["A"]))["A"]] == [5, *([6, 5] * 5)]


def test_what_another_process_revises_just_before_it_is_written_is_looked_at_again(
    store: Storage, another: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = another()
    tell(store, 1, "A", price=5)
    tell(store, 2, "A", price=5)
    write = store.log.append

    async def after_others(rows: Any) -> Any:
        await asyncio.to_thread(tell, other, 3, "A", price=6)
        return await write(rows)

    monkeypatch.setattr(store.log, "append", after_others)
    tell(store, 4, "A", price=5)
    assert run(store.catalog.products(["A"]))["A"].price == 5


def test_the_last_imported_version_of_a_feed_is_known_in_every_process(
    store: Storage, another: Callable[[], Storage]
) -> None:
    assert run(store.catalog.imported("goods")) == ""
    for version in ("one", "two"):
        run(store.catalog.note_import("goods", version))
        assert run(another().catalog.imported("goods")) == version
    assert run(store.catalog.imported("other")) == ""
