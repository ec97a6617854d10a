"""Identity data made to hurt costs what honest data costs. Rows and statements are counted, not time."""

import asyncio
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.contracts.profiles import LATE, received
from tests.contracts.test_crowded_identity import BOB, JANE, claim_devices, on_the_device
from tests.storage import opened
from wetink.core.identity.identifier import Identifier


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
    store = opened(tmp_path)
    claim_devices(store, count)
    reader = opened(tmp_path)
    asyncio.run(reader.profiles.resolve(JANE, LATE))
    statements.clear()
    newest = asyncio.run(reader.profiles.history(JANE, LATE, 150))
    assert len(statements) < 100
    assert [LATE - event.at for event in newest] == list(range(149, -1, -1))
    assert not asyncio.run(reader.profiles.history(JANE, LATE - 4 * count))
    asyncio.run(store.close())
    asyncio.run(reader.close())


def test_both_ways_of_reading_find_the_same_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices that others hold in part, pages' and servers' words on one device, addresses between, joined users."""
    store = opened(tmp_path)
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
    asyncio.run(store.log.append(records))
    at_once = asyncio.run(store.profiles.history(JANE, LATE))
    monkeypatch.setattr("wetink.store.sqlite.profiles.FEW", 10**6)
    assert asyncio.run(store.profiles.history(JANE, LATE)) == at_once
    assert {event.message_id for event in at_once} >= {"m0", "m150", "s0", "s4", "s5", "s6", "s7"}
    assert "s2" not in {event.message_id for event in at_once}, "what a server told of Bob's device"
    assert asyncio.run(store.profiles.history(Identifier("user", "janet"), LATE)) == at_once
    asyncio.run(store.close())


def identity_rows(statements: list[str]) -> int:
    """Return how many rows of identity these statements write."""
    tables = ("claim", "uncounted_claim", "holding", "page_claimed")
    marks = [f"{verb} {table} " for verb in ("INTO", "DELETE FROM") for table in tables]
    return sum(any(mark in statement for mark in marks) for statement in statements)


@pytest.mark.parametrize("at", [1_000_000, 3], ids=["last of all", "in the middle"])
def test_a_hand_over_writes_as_many_rows_whatever_the_device_carried(
    tmp_path: Path, statements: list[str], at: int
) -> None:
    written = set()
    for count in (10, 1_500):
        store = opened(tmp_path / str(count))
        for start in range(0, count, 500):
            jane = [on_the_device(n, "jane", 1 + 5 * n) for n in range(start, min(count, start + 500))]
            asyncio.run(store.log.append(jane))
        statements.clear()
        asyncio.run(store.log.append([on_the_device(count, "bob", at)]))
        written.add(identity_rows(statements))
        device = Identifier("anonymous", "d")
        assert asyncio.run(store.profiles.resolve(device, LATE - 10_000_000 + at)) == BOB
        assert asyncio.run(store.profiles.resolve(device, LATE - 10_000_000 + at - 1)) == JANE
        assert asyncio.run(store.profiles.resolve(device, LATE)) == (BOB if at > 10_000 else JANE)
        asyncio.run(store.close())
    assert len(written) == 1
    assert written.pop() <= 6


def test_a_device_that_many_claimed_costs_a_further_claim_what_any_claim_costs(
    tmp_path: Path, statements: list[str]
) -> None:
    written = []
    for count in (30, 1_500):
        store = opened(tmp_path / str(count))
        asyncio.run(store.log.append([on_the_device(n, f"u{n}", n) for n in range(count)]))
        statements.clear()
        asyncio.run(store.log.append([on_the_device(count, "jane", count)]))
        written.append(identity_rows(statements))
        [odd] = asyncio.run(store.profiles.contested(0))
        assert odd.claimers == count + 1
        asyncio.run(store.close())
    assert written[0] == written[1] <= 2
