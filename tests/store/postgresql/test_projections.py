"""Projections of the PostgreSQL engine while a transaction that began earlier is still under way."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests import postgresql
from tests.contracts.loop import run
from tests.contracts.test_projections import START, derive, say
from wetink.core.events.event import Product
from wetink.ports import Storage
from wetink.store.postgresql import tail


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Storage]:
    made = postgresql.opened(tmp_path)
    yield made
    run(made.close())
    postgresql.drop({postgresql.database_of(tmp_path)})


async def begun(folder: Path) -> asyncpg.Connection:
    """Return a connection with a transaction that has a position in the log and stays open."""
    connection = await asyncpg.connect(postgresql.shared().address(postgresql.database_of(folder)))
    await connection.execute("BEGIN; SELECT pg_current_xact_id()")
    return connection


def test_a_read_sees_what_followers_cannot_see_yet(store: Storage, tmp_path: Path) -> None:
    say(store, 1, sku="A", price=1)
    derive(store)
    earlier = run(begun(tmp_path))
    try:
        for number in range(2, 5):
            say(store, number, sku="A", price=number)
            run(store.catalog.learn([Product(sku="B", price=float(number))], START + number))
            derive(store)
            found = run(store.catalog.products(["A", "B"]))
            assert (found["A"].price, found["B"].price) == (number, number)
        assert run(store.projections.behind())["catalog"] == 3
    finally:
        run(earlier.close())
    before = run(store.catalog.changes(["A", "B"]))
    derive(store)
    assert run(store.projections.behind()) == {"catalog": 0, "conversions": 0}
    assert run(store.catalog.changes(["A", "B"])) == before
    assert [change.price for change in before["A"]] == [1, 2, 3, 4]


def test_reads_leave_out_the_log_while_it_is_far_ahead(
    store: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "MOST_BEHIND", 1)
    monkeypatch.setattr(tail, "PAUSE_SECONDS", 0.05)
    for number in range(3):
        say(store, number, sku="A", price=number + 1)
    assert run(store.catalog.products(["A"])) == {}
    derive(store)
    run(asyncio.sleep(0.1))
    assert run(store.catalog.products(["A"]))["A"].price == 3


def test_products_that_cannot_be_stored_are_left_out(store: Storage, caplog: pytest.LogCaptureFixture) -> None:
    odd = [Product(sku="NUL\0"), Product(sku="S", name="\ud800"), Product(sku="T", stock=1 << 63)]
    with caplog.at_level(logging.CRITICAL):
        run(store.catalog.learn([*odd, Product(sku="A", name="Lamp")], START))
    derive(store)
    assert run(store.catalog.products(["NUL\0", "S", "\ud800", "A", "T"])).keys() == {"A"}
