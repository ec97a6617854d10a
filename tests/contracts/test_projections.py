"""The contract of projections: the same whenever they are derived, by whichever process, and however often."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts.profiles import received
from wetink.core.errors import NotFound
from wetink.core.events.event import Product
from wetink.ports import Storage

START = 1_750_000_000_000
KEYS = ("A", "B", "P-A", "C")


def say(store: Storage, number: int, **properties: Any) -> None:
    message = {"type": "track", "event": "Product Viewed", "messageId": f"m{number}", "userId": "u"}
    message |= {"timestamp": START + number, "properties": {"url": "https://shop.example/x", **properties}}
    asyncio.run(store.log.append([received(message)]))


def derive(store: Storage) -> None:
    while asyncio.run(store.projections.settle()):
        pass


def known(store: Storage) -> tuple[Any, ...]:
    return (
        asyncio.run(store.catalog.products(KEYS)),
        asyncio.run(store.catalog.changes(KEYS)),
        [each.key for each in asyncio.run(store.catalog.search("lamp"))],
    )


def speak(store: Storage, other: Storage, chance: random.Random, *, derived: float) -> None:
    """Have two processes tell of products, sometimes by their product id alone, between imports."""
    for number in range(60):
        who = chance.choice([store, other])
        price, name = chance.randint(1, 4), chance.choice(["Lamp", "Rug"])
        kind = chance.randrange(4)
        if kind == 0:
            asyncio.run(
                who.catalog.learn([Product(sku="A", price=float(price)), Product(sku="C", name=name)], START + number)
            )
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
    for name in asyncio.run(store.projections.behind()):
        asyncio.run(store.projections.reset(name))
    derive(other)
    assert known(store) == before


@pytest.mark.parametrize("seed", range(4))
def test_a_read_sees_what_is_not_derived_yet(store: Storage, another: Callable[[], Storage], seed: int) -> None:
    other = another()
    speak(store, other, random.Random(seed), derived=0.1)
    say(other, 100, product_id="P-B", price=9)
    products, changes = asyncio.run(store.catalog.products(KEYS)), asyncio.run(store.catalog.changes(KEYS))
    assert products["B"].price == 9
    derive(other)
    assert (products, changes) == (asyncio.run(store.catalog.products(KEYS)), asyncio.run(store.catalog.changes(KEYS)))


def test_how_far_behind_each_is_shows(store: Storage) -> None:
    assert asyncio.run(store.projections.behind()) == {"catalog": 0, "conversions": 0}
    for number in range(3):
        say(store, number, sku="A")
    assert asyncio.run(store.projections.behind()) == {"catalog": 3, "conversions": 3}
    derive(store)
    assert asyncio.run(store.projections.behind()) == {"catalog": 0, "conversions": 0}


def test_an_unknown_projection_cannot_be_reset(store: Storage) -> None:
    with pytest.raises(NotFound, match="nothing"):
        asyncio.run(store.projections.reset("nothing"))
