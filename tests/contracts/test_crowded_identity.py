"""Identity data made to hurt costs what honest data costs. Rows are counted, not time."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.contracts.profiles import LATE, received
from wetink.core.identifier import Identifier
from wetink.ports import NAMES, Record
from wetink.store.sqlite import SQLiteStore

JANE, BOB = Identifier("user", "jane"), Identifier("user", "bob")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    made = SQLiteStore(tmp_path, synchronous="OFF")
    yield made
    asyncio.run(made.close())


def seen(number: int, ago: int, **who: str) -> Record:
    """Return what a page tells of a visitor, `ago` milliseconds before LATE."""
    told = {"type": "track", "event": "X", "messageId": f"m{number}", "timestamp": LATE - ago, **who}
    return received(told, level="browser")


def claim_devices(store: SQLiteStore, count: int) -> None:
    """Have a page claim many devices for Jane, each with an event of its own."""
    claims = [seen(n, 2 * n, anonymousId=f"d{n}", userId="jane") for n in range(count)]
    alone = [seen(count + n, 2 * n + 1, anonymousId=f"d{n}") for n in range(count)]
    asyncio.run(store.append(claims + alone))


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the statements that any connection runs from now on."""
    told: list[str] = []

    def trace(_: Any, statement: str, __: Any) -> bool:
        told.append(statement)
        return True

    def hook(connection: apsw.Connection) -> None:
        connection.exec_trace = trace

    monkeypatch.setattr(apsw, "connection_hooks", [*apsw.connection_hooks, hook])
    return told


@pytest.mark.parametrize("count", [100, 2_000])
def test_the_newest_events_of_many_devices_take_a_fixed_number_of_statements(
    tmp_path: Path, statements: list[str], count: int
) -> None:
    store = SQLiteStore(tmp_path, synchronous="OFF")
    claim_devices(store, count)
    reader = SQLiteStore(tmp_path)
    asyncio.run(reader.resolve(JANE, LATE))
    statements.clear()
    newest = asyncio.run(reader.history(JANE, LATE, 150))
    assert len(statements) < 100
    assert [LATE - event.at for event in newest] == list(range(149, -1, -1))
    assert not asyncio.run(reader.history(JANE, LATE - 4 * count))
    asyncio.run(store.close())
    asyncio.run(reader.close())


def test_both_ways_of_reading_find_the_same_events(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices that others hold in part, pages' and servers' words on one device, addresses between, joined users."""
    claim_devices(store, 100)
    mail = {"context": {"traits": {"email": "jane@shop.example"}}}
    told: list[dict[str, Any]] = [
        {"userId": "jane", "anonymousId": "d3", "ago": 3},
        {"userId": "bob", "anonymousId": "d5", "ago": 12},
        {"anonymousId": "d5", "ago": 20},
        {"anonymousId": "d5", "ago": 2},
        {"anonymousId": "d6", **mail, "ago": 9},
        {"userId": "jane", **mail, "ago": 8},
        {"anonymousId": "d6", "ago": 7},
        {"type": "alias", "previousId": "jane", "userId": "janet", "ago": 1},
    ]
    records = [
        received({"type": "track", "event": "Y", "messageId": f"s{n}", "timestamp": LATE - each.pop("ago"), **each})
        for n, each in enumerate(told)
    ]
    asyncio.run(store.append(records))
    at_once = asyncio.run(store.history(JANE, LATE))
    monkeypatch.setattr("wetink.store.sqlite.engine.FEW", 10**6)
    assert asyncio.run(store.history(JANE, LATE)) == at_once
    assert {event.message_id for event in at_once} >= {"m0", "m150", "s0", "s4", "s5", "s6", "s7"}
    assert "s2" not in {event.message_id for event in at_once}, "what a server told of Bob's device"
    assert asyncio.run(store.history(Identifier("user", "janet"), LATE)) == at_once


def test_many_devices_leave_the_event_loop_to_others(store: SQLiteStore) -> None:
    claim_devices(store, 2_000)

    async def run() -> int:
        turns, reading = 0, asyncio.ensure_future(store.entries(JANE, LATE))
        while not reading.done():
            turns += 1
            await asyncio.sleep(0)
        assert len(reading.result()) == 1_000
        return turns

    assert asyncio.run(run()) > 10


def test_the_names_of_many_devices_are_read_a_page_at_a_time(store: SQLiteStore) -> None:
    claim_devices(store, NAMES + 10)
    profile = asyncio.run(store.profile(JANE, LATE))
    assert (profile.identifiers[0], len(profile.identifiers)) == (JANE, NAMES)
    rest = asyncio.run(store.profile(JANE, LATE, after=profile.identifiers[-1]))
    assert len(rest.identifiers) == 11
    everything = asyncio.run(store.profile(JANE, LATE, limit=None))
    assert everything.identifiers == profile.identifiers + rest.identifiers
