"""What is derived from the log: the same whenever it is derived, by whichever process, and however often."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.profiles import received
from wetink.core.errors import NotFound
from wetink.core.events.event import Product
from wetink.store.sqlite import catalog
from wetink.store.sqlite.connection import connect
from wetink.store.sqlite.engine import SQLiteStore

START = 1_750_000_000_000
KEYS = ("A", "B", "P-A", "C")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    made = SQLiteStore(tmp_path)
    yield made
    asyncio.run(made.close())


def say(store: SQLiteStore, number: int, **properties: Any) -> None:
    message = {"type": "track", "event": "Product Viewed", "messageId": f"m{number}", "userId": "u"}
    message |= {"timestamp": START + number, "properties": {"url": "https://shop.example/x", **properties}}
    asyncio.run(store.append([received(message)]))


def derive(store: SQLiteStore) -> None:
    while asyncio.run(store.settle()):
        pass


def known(store: SQLiteStore) -> tuple[Any, ...]:
    return (
        asyncio.run(store.products(KEYS)),
        asyncio.run(store.changes(KEYS)),
        [each.key for each in asyncio.run(store.search("lamp"))],
    )


def speak(store: SQLiteStore, other: SQLiteStore, chance: random.Random, *, derived: float) -> None:
    """Have two processes tell of products, sometimes by their product id alone, between imports."""
    for number in range(60):
        who = chance.choice([store, other])
        price, name = chance.randint(1, 4), chance.choice(["Lamp", "Rug"])
        kind = chance.randrange(4)
        if kind == 0:
            asyncio.run(who.learn([Product(sku="A", price=float(price)), Product(sku="C", name=name)], START + number))
        elif kind == 1:
            say(who, number, product_id="P-A", price=price)
        else:
            sku = chance.choice("AB")
            say(who, number, sku=sku, product_id=f"P-{sku}", price=price, name=name)
        if chance.random() < derived:
            derive(chance.choice([store, other]))


@pytest.mark.parametrize("seed", range(4))
def test_a_rebuild_comes_to_what_was_there(store: SQLiteStore, tmp_path: Path, seed: int) -> None:
    other = SQLiteStore(tmp_path)
    speak(store, other, random.Random(seed), derived=0.3)
    before = known(store)
    for name in asyncio.run(store.behind()):
        asyncio.run(store.reset(name))
    derive(other)
    assert known(store) == before
    asyncio.run(other.close())


@pytest.mark.parametrize("seed", range(4))
def test_a_read_sees_what_is_not_derived_yet(store: SQLiteStore, tmp_path: Path, seed: int) -> None:
    other = SQLiteStore(tmp_path)
    speak(store, other, random.Random(seed), derived=0.1)
    say(other, 100, product_id="P-B", price=9)
    products, changes = asyncio.run(store.products(KEYS)), asyncio.run(store.changes(KEYS))
    assert products["B"].price == 9
    derive(other)
    assert (products, changes) == (asyncio.run(store.products(KEYS)), asyncio.run(store.changes(KEYS)))
    asyncio.run(other.close())


def test_without_the_tail_a_read_is_as_old_as_the_projection(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "MOST_BEHIND", 0)
    say(store, 1, sku="A", name="Lamp")
    assert asyncio.run(store.products(["A"])) == {}
    derive(store)
    assert asyncio.run(store.products(["A"]))["A"].name == "Lamp"


def test_an_import_during_a_rebuild_comes_in_its_turn(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    say(store, 1, sku="A", price=5)
    derive(store)
    asyncio.run(store.reset("catalog"))
    monkeypatch.setattr(catalog, "MOST_BEHIND", 0)
    asyncio.run(store.learn([Product(sku="A", price=4.0)], START + 2))
    derive(store)
    assert [change.price for change in asyncio.run(store.changes(["A"]))["A"]] == [5.0, 4.0]


def test_how_far_behind_each_is_shows(store: SQLiteStore) -> None:
    assert asyncio.run(store.behind()) == {"catalog": 0, "conversions": 0}
    for number in range(3):
        say(store, number, sku="A")
    assert asyncio.run(store.behind()) == {"catalog": 3, "conversions": 3}
    derive(store)
    assert asyncio.run(store.behind()) == {"catalog": 0, "conversions": 0}


def test_what_nobody_derives_cannot_be_reset(store: SQLiteStore) -> None:
    with pytest.raises(NotFound, match="nothing"):
        asyncio.run(store.reset("nothing"))


def test_an_odd_statement_is_left_out_and_the_log_is_followed_past_it(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = catalog.encode

    def refusing(facts: Any) -> bytes:
        if "odd" in str(facts):
            raise ValueError("odd")
        return encode(facts)

    monkeypatch.setattr(catalog, "encode", refusing)
    for number, sku in enumerate(["A", "odd", "B"]):
        say(store, number, sku=sku, price=1)
    derive(store)
    assert asyncio.run(store.products(["A", "odd", "B"])).keys() == {"A", "B"}
    assert asyncio.run(store.behind())["catalog"] == 0


def test_a_slice_that_somebody_else_has_written_is_not_written_again(store: SQLiteStore, tmp_path: Path) -> None:
    say(store, 1, sku="A", price=5)
    db = connect(tmp_path / "wetink.db")
    mine, theirs = catalog.next_step(db), catalog.next_step(db)
    assert mine is not None
    assert theirs is not None
    with db:
        catalog.write(db, mine)
    asyncio.run(store.learn([Product(sku="A", price=6.0)], START + 2))
    before = db.total_changes()
    with db:
        catalog.write(db, theirs)
    assert db.total_changes() == before
    assert asyncio.run(store.products(["A"]))["A"].price == 6
    db.close()
