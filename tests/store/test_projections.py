"""Projections of the SQLite engine: its tail, odd statements, slices that two processes plan."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.contracts.profiles import received
from tests.contracts.test_projections import START, derive, say
from tests.storage import opened
from wetink.core.events.event import Product
from wetink.ports import Storage
from wetink.ports.drawing import Served
from wetink.store.sqlite import catalog, recent
from wetink.store.sqlite.connection import connect
from wetink.store.sqlite.log import SQLiteLog
from wetink.store.sqlite.recent import RecentEvents


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Storage]:
    made = opened(tmp_path)
    yield made
    asyncio.run(made.close())


def test_without_the_tail_a_read_is_as_old_as_the_projection(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "MOST_BEHIND", 0)
    say(store, 1, sku="A", name="Lamp")
    assert asyncio.run(store.catalog.products(["A"])) == {}
    derive(store)
    assert asyncio.run(store.catalog.products(["A"]))["A"].name == "Lamp"


def test_an_import_comes_in_its_turn_however_far_the_log_is_ahead(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(store, 1, sku="A", price=5)
    monkeypatch.setattr(catalog, "MOST_BEHIND", 0)
    asyncio.run(store.catalog.learn([Product(sku="A", price=4.0)], START + 2))
    derive(store)
    assert [change.price for change in asyncio.run(store.catalog.changes(["A"]))["A"]] == [5.0, 4.0]


def test_an_odd_statement_is_left_out_and_the_log_is_followed_past_it(
    store: Storage, monkeypatch: pytest.MonkeyPatch
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
    assert asyncio.run(store.catalog.products(["A", "odd", "B"])).keys() == {"A", "B"}
    assert asyncio.run(store.projections.behind())["catalog"] == 0


def test_a_slice_that_somebody_else_has_written_is_not_written_again(store: Storage, tmp_path: Path) -> None:
    say(store, 1, sku="A", price=5)
    db = connect(tmp_path / "wetink.db")
    mine, theirs = catalog.next_step(db, RecentEvents()), catalog.next_step(db, RecentEvents())
    assert mine is not None
    assert theirs is not None
    with db:
        catalog.write(db, mine)
    asyncio.run(store.catalog.learn([Product(sku="A", price=6.0)], START + 2))
    before = db.total_changes()
    with db:
        catalog.write(db, theirs)
    assert db.total_changes() == before
    assert asyncio.run(store.catalog.products(["A"]))["A"].price == 6
    db.close()


def test_what_a_process_said_itself_is_not_read_back(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    say(store, 9, sku="A")
    derive(store)
    monkeypatch.setattr(recent, "events", lambda bodies: pytest.fail("it was decoded"))
    for number in range(3):
        say(store, number, sku="A", price=number)
    derive(store)
    assert asyncio.run(store.catalog.products(["A"]))["A"].price == 2


@pytest.mark.parametrize(("most", "spans"), [(4, 1_000), (5_000, 2), (0, 0)])
def test_what_is_not_kept_is_read_in_its_place(
    store: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, spans: int
) -> None:
    monkeypatch.setattr(recent, "MOST_EVENTS", most)
    monkeypatch.setattr(recent, "MOST_SPANS", spans)
    other = opened(tmp_path)
    for number in range(40):
        say(other if number % 5 == 0 else store, number, sku="A", price=number + 1)
    kept = cast(SQLiteLog, store.log)._database.recent_events
    db = connect(tmp_path / "wetink.db")
    for seq, last in [(0, 40), (3, 38), (7, 7), (38, 40)]:
        told = [(place, event.products[0].price) for place, event in kept.between(db, seq, last)]
        assert told == [(place, place) for place in range(seq + 1, last + 1)]
    db.close()
    asyncio.run(other.close())


def test_a_process_keeps_no_more_bytes_of_events_than_its_limit(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "MOST_EVENT_BYTES", 50_000)
    held = cast(SQLiteLog, store.log)._database.recent_events
    most = 0
    for number in range(40):
        say(store, number, sku=f"S-{number}", name="x" * 5_000)
        most = max(most, len(held._kept))
    assert 1 < most < 10
    say(store, 40, sku="large", name="x" * 30_000, brand="x" * 30_000)
    assert held._kept == []


ROUNDS = 20


def viewed(number: int) -> Any:
    message = {"type": "track", "event": "Product Viewed", "messageId": f"{number}", "userId": f"{number % 50}"}
    return received(
        message | {"timestamp": START + number, "properties": {"sku": f"{number}", "name": f"Mug {number}"}}
    )


def test_a_store_closes_whole_while_a_slice_whose_task_was_cancelled_is_read(tmp_path: Path) -> None:
    """The task of a worker is cancelled at its end, but a thread is not."""

    async def story() -> None:
        for number in range(ROUNDS):
            store = opened(tmp_path / f"{number}")
            await store.log.append([viewed(n) for n in range(600)])
            task = asyncio.create_task(store.projections.settle())
            await asyncio.sleep(number / ROUNDS / 50)
            task.cancel()
            store.ledger.served(Served("block", "seen", ""), 1)
            await store.close()
            assert not any((tmp_path / f"{number}").glob("*-wal")), "each file is closed, after its last rows"

    asyncio.run(story())
