"""Identity data made to hurt costs what honest data costs. Rows are counted, not time."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.profiles import LATE, everybody, mentioned, received
from wetink.core.identity.identifier import Identifier
from wetink.ports import NAMES, Record
from wetink.store.sqlite.engine import SQLiteStore

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


def on_the_device(number: int, user: str, at: int, level: Any = "server") -> Record:
    """Return what tells that a user was on the device `d`, `at` milliseconds after a time that is long ago."""
    told = {"type": "track", "event": "X", "messageId": f"m{number}", "userId": user, "anonymousId": "d"}
    return received({**told, "timestamp": LATE - 10_000_000 + at}, level=level)


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
        store = SQLiteStore(tmp_path / str(count), synchronous="OFF")
        for start in range(0, count, 500):
            jane = [on_the_device(n, "jane", 1 + 5 * n) for n in range(start, min(count, start + 500))]
            asyncio.run(store.append(jane))
        statements.clear()
        asyncio.run(store.append([on_the_device(count, "bob", at)]))
        written.add(identity_rows(statements))
        device = Identifier("anonymous", "d")
        assert asyncio.run(store.resolve(device, LATE - 10_000_000 + at)) == BOB
        assert asyncio.run(store.resolve(device, LATE - 10_000_000 + at - 1)) == JANE
        asyncio.run(store.rebuild())
        assert asyncio.run(store.resolve(device, LATE)) == (BOB if at > 10_000 else JANE)
        asyncio.run(store.close())
    assert len(written) == 1
    assert written.pop() <= 6


def test_a_device_that_many_claimed_costs_a_further_claim_what_any_claim_costs(
    tmp_path: Path, statements: list[str]
) -> None:
    written = []
    for count in (30, 1_500):
        store = SQLiteStore(tmp_path / str(count), synchronous="OFF")
        asyncio.run(store.append([on_the_device(n, f"u{n}", n) for n in range(count)]))
        statements.clear()
        asyncio.run(store.append([on_the_device(count, "jane", count)]))
        written.append(identity_rows(statements))
        [odd] = asyncio.run(store.contested(0))
        assert odd.claimers == count + 1
        asyncio.run(store.close())
    assert written[0] == written[1] <= 2


STORY = st.lists(
    st.tuples(st.sampled_from("vwxyz"), st.integers(0, 9), st.sampled_from(["server", "browser"]), st.booleans()),
    max_size=14,
)


@settings(max_examples=8, deadline=None)
@given(STORY, st.randoms(use_true_random=False))
def test_of_more_claimers_than_count_any_order_makes_the_same_profiles(
    story: list[tuple[str, int, Any, bool]], chance: Random
) -> None:
    records = [on_the_device(n, user, at, level) for n, (user, at, level, _) in enumerate(story)]
    earlier = [on_the_device(n, user, at - 5, level) for n, (user, at, level, again) in enumerate(story) if again]
    everyone = mentioned(records)
    seen = []
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("wetink.core.identity.holding.MAX_CLAIMERS", 2)
        for turn in range(2):
            store = SQLiteStore(Path(folder) / str(turn), synchronous="OFF")
            arriving = records + records[:2]
            if turn:
                chance.shuffle(arriving)
            for each in arriving:
                asyncio.run(store.append([each]))
            asyncio.run(store.append(earlier))
            seen.append(everybody(store, everyone))
            asyncio.run(store.rebuild())
            seen.append(everybody(store, everyone))
            asyncio.run(store.close())
    assert all(each == seen[0] for each in seen)


def test_a_file_that_kept_every_claim_goes_on_with_runs(tmp_path: Path) -> None:
    """It had left out what a holder claimed again, before their first row and after a claim that is silenced."""
    mail = {"type": "identify", "traits": {"email": "home@shop.example"}}
    told = [
        received({**mail, "messageId": "i1", "userId": "jane", "timestamp": LATE - 900}),
        received({**mail, "messageId": "i2", "userId": "bob", "timestamp": LATE - 800}, level="browser"),
        received({**mail, "messageId": "i3", "userId": "jane", "timestamp": LATE - 700}),
        on_the_device(1, "jane", 50),
        on_the_device(2, "jane", 10),
    ]
    late = [
        on_the_device(3, "bob", 30),
        received({**mail, "messageId": "i4", "userId": "bob", "timestamp": LATE - 750}),
    ]
    old = SQLiteStore(tmp_path / "old")
    for each in told:
        asyncio.run(old.append([each]))
    asyncio.run(old.close())
    db = apsw.Connection(str(tmp_path / "old" / "wetink.db"))
    db.execute("DROP TABLE uncounted_claim; DELETE FROM claim WHERE message_id = 'i3'")
    db.close()
    old, new = SQLiteStore(tmp_path / "old"), SQLiteStore(tmp_path / "new")
    asyncio.run(new.append(told + late))
    asyncio.run(old.append(late))
    everyone = mentioned(told + late)
    assert everybody(old, everyone) == everybody(new, everyone)
    address = Identifier("email", "home@shop.example")
    assert asyncio.run(old.resolve(address, LATE)) == JANE
    assert asyncio.run(old.resolve(address, LATE - 720)) == BOB
    for each in (old, new):
        asyncio.run(each.close())
