"""The contract of projections: the same whenever they are derived, by whichever process, and however often."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.contracts.loop import run
from tests.contracts.profiles import received
from wetink.core.errors import NotFound
from wetink.core.events.event import Product
from wetink.ports import Storage

START = 1_750_000_000_000
KEYS = ("A", "B", "P-A", "C")
VIEW = {"type": "track", "event": "Products Searched", "userId": "u", "timestamp": START + 1}


def say(store: Storage, number: int, **properties: Any) -> None:
    message = {"type": "track", "event": "Product Viewed", "messageId": f"m{number}", "userId": "u"}
    message |= {"timestamp": START + number, "properties": {"url": "https://shop.example/x", **properties}}
    run(store.log.append([received(message)]))


def derive(store: Storage) -> None:
    while run(store.projections.settle()):
        pass


def known(store: Storage) -> tuple[Any, ...]:
    return (
        run(store.catalog.products(KEYS)),
        run(store.catalog.changes(KEYS)),
        [each.key for each in run(store.catalog.search("lamp"))],
    )


def speak(store: Storage, other: Storage, chance: random.Random, *, derived: float) -> None:
    """Have two processes tell of products, sometimes by their product id alone, between imports."""
    for number in range(60):
        who = chance.choice([store, other])
        price, name = chance.randint(1, 4), chance.choice(["Lamp", "Rug"])
        kind = chance.randrange(4)
        if kind == 0:
            run(who.catalog.learn([Product(sku="A", price=float(price)), Product(sku="C", name=name)], START + number))
        elif kind == 1:
            say(who, number, product_id="P-A", price=price)
        else:
            sku = chance.choice("AB")
            say(who, number, sku=sku, product_id=f"P-{sku}", price=price, name=name)
        if chance.random() < derived:
            derive(chance.choice([store, other]))


@pytest.mark.parametrize("seed", range(4))
def test_a_rebuild_comes_to_what_was_there(store: Storage, another: Callable[[], Storage], seed: int) -> None:
    other = another()
    speak(store, other, random.Random(seed), derived=0.3)
    before = known(store)
    for name in run(store.projections.behind()):
        run(other.projections.rebuild(name))
    assert known(store) == before


@pytest.mark.parametrize("seed", range(4))
def test_a_read_sees_what_is_not_derived_yet(store: Storage, another: Callable[[], Storage], seed: int) -> None:
    other = another()
    speak(store, other, random.Random(seed), derived=0.1)
    say(other, 100, product_id="P-B", price=9)
    products, changes = run(store.catalog.products(KEYS)), run(store.catalog.changes(KEYS))
    assert products["B"].price == 9
    derive(other)
    assert (products, changes) == (run(store.catalog.products(KEYS)), run(store.catalog.changes(KEYS)))


def test_how_far_behind_each_is_shows(store: Storage) -> None:
    assert run(store.projections.behind()) == {"catalog": 0, "conversions": 0}
    for number in range(3):
        say(store, number, sku="A")
    assert run(store.projections.behind()) == {"catalog": 3, "conversions": 3}
    derive(store)
    assert run(store.projections.behind()) == {"catalog": 0, "conversions": 0}


def test_an_unknown_projection_cannot_be_rebuilt(store: Storage) -> None:
    with pytest.raises(NotFound, match="nothing"):
        run(store.projections.rebuild("nothing"))


def test_products_are_there_while_the_catalog_is_rebuilt(store: Storage, another: Callable[[], Storage]) -> None:
    other = another()
    for number in range(40):
        say(store, number, sku="AB"[number % 2], product_id=f"P-{'AB'[number % 2]}", name="Lamp", price=number)
    derive(store)
    before, lefts = known(store), list[int]()

    async def read() -> tuple[Any, ...]:
        found = [await store.catalog.products(KEYS), await store.catalog.changes(KEYS)]
        return (*found, [each.key for each in await store.catalog.search("lamp")])

    async def rebuild() -> None:
        rebuilding = asyncio.create_task(other.projections.rebuild("catalog", lefts.append))
        while not rebuilding.done():
            assert await read() == before
            await asyncio.sleep(0)
        await rebuilding

    run(rebuild())
    assert (lefts[0], lefts[-1]) == (40, 0)
    assert known(store) == before


def test_a_rebuild_leaves_out_what_the_log_does_not_say(store: Storage, another: Callable[[], Storage]) -> None:
    """A renewed message keeps what the catalog learned from it, until a rebuild."""
    say(store, 1, sku="A", product_id="P-A", name="Lamp", price=5)
    say(store, 2, sku="B", name="Rug", price=6)
    derive(store)
    first = run(store.log.messages())[-1]
    run(store.log.renew([(first, replace(received(VIEW | {"messageId": "m1"}), received=first.received))]))
    assert set(known(store)[0]) == {"A", "B", "P-A"}
    run(another().projections.rebuild("catalog"))
    assert set(known(store)[0]) == {"B"}
    assert known(store)[2] == []
    say(store, 3, sku="A", name="Lamp")
    assert set(known(store)[0]) == {"A", "B"}


def test_a_replay_during_a_rebuild_is_not_undone(store: Storage, another: Callable[[], Storage]) -> None:
    for number in range(40):
        say(store, number, sku="AB"[number % 2], name="Lamp", price=number)
    derive(store)
    last = run(store.log.messages())[0]
    dearer = received(VIEW | {"messageId": "m39", "event": "Product Viewed", "properties": {"sku": "B", "price": 99}})

    async def both() -> None:
        renewals = list[asyncio.Task[Any]]()

        def told(left: int) -> None:
            if not renewals:
                pairs = [(last, replace(dearer, received=last.received))]
                renewals.append(asyncio.create_task(asyncio.wait_for(store.log.renew(pairs), 9)))

        await another().projections.rebuild("catalog", told)
        await renewals[0]

    run(both())
    assert run(store.catalog.products(["B"]))["B"].price == 99
