"""The same message id of the same source is stored once, whatever else its copies say and whichever way they come."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from tests.examples import examples
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.ports import Storage

FIRST: dict[str, Any] = {"type": "track", "event": "X", "messageId": "m", "userId": "u", "timestamp": LATE - 60_000}
COPIES: dict[str, dict[str, Any]] = {
    "the very same": FIRST,
    "an earlier time": {**FIRST, "timestamp": LATE - 90_000},
    "a later time": {**FIRST, "timestamp": LATE - 1_000},
    "a time by another name": {**FIRST, "timestamp": None, "originalTimestamp": LATE - 30_000},
    "the same time in seconds": {**FIRST, "timestamp": (LATE - 60_000) // 1000},
    "no time": {key: value for key, value in FIRST.items() if key != "timestamp"},
    "a time that cannot be read": {**FIRST, "timestamp": "soon"},
    "the time of its sending": {**FIRST, "sentAt": LATE - 10_000},
    "another person": {**FIRST, "userId": "v"},
    "another device": {**FIRST, "anonymousId": "a"},
    "nobody, so it is parked": {**FIRST, "userId": None},
    "another type": {**FIRST, "type": "identify", "traits": {"a": 1}},
    "other properties": {**FIRST, "properties": {"a": 1}},
    "an id with blanks": {**FIRST, "messageId": " m "},
    "an id in the native spelling": {**FIRST, "messageId": None, "message_id": "m"},
}


def append(store: Storage, *messages: dict[str, Any], source: str = "test") -> list[bool]:
    return list(run(store.log.append([received(each, source=source) for each in messages])))


def stored(store: Storage) -> int:
    return len(run(store.log.messages(limit=1_000)))


@pytest.mark.parametrize("turned", [False, True], ids=["first", "last"])
@pytest.mark.parametrize("copy", COPIES.values(), ids=list(COPIES))
def test_a_copy_is_known_in_the_same_group_in_another_and_by_another_writer(
    store: Storage, another: Callable[[], Storage], copy: dict[str, Any], turned: bool
) -> None:
    one, two = (copy, FIRST) if turned else (FIRST, copy)
    assert append(store, one, two) == [False, True]
    assert append(store, two, one) == [True, True]
    other = another()
    assert append(other, {**two, "messageId": "n", "message_id": None}) == [False]
    assert append(other, two) == [True]
    assert append(store, {**one, "messageId": "n", "message_id": None}, two) == [True, True]
    run(other.close())
    again = another()
    assert append(again, two, one, {**one, "messageId": "n", "message_id": None}) == [True, True, True]
    assert stored(again) == 2


def test_the_same_id_of_another_source_is_another_message(store: Storage) -> None:
    assert append(store, FIRST) == [False]
    assert append(store, FIRST, source="other") == [False]
    assert append(store, {**FIRST, "timestamp": LATE}, source="other") == [True]
    assert stored(store) == 2


def test_a_copy_of_a_message_changes_no_profile(store: Storage) -> None:
    """Neither does it count for whom it names, nor does it claim anything."""
    append(store, FIRST)
    append(store, {**FIRST, "userId": "v", "anonymousId": "a", "timestamp": LATE - 5, "event": "Order Completed"})
    for who in (Identifier("user", "v"), Identifier("anonymous", "a")):
        assert not run(store.profiles.history(who, FOREVER - 1))
        assert run(store.profiles.resolve(who, FOREVER - 1)) == who
    [event] = run(store.profiles.history(Identifier("user", "u"), FOREVER - 1))
    assert event.at == LATE - 60_000


def test_a_batch_sent_again_with_the_clock_of_then_or_now_is_stored_once(store: Storage) -> None:
    batch = [{**FIRST, "messageId": f"m{number}", "timestamp": LATE - number} for number in range(600)]
    assert append(store, *batch) == [False] * 600
    assert append(store, *({**each, "timestamp": LATE} for each in batch)) == [True] * 600
    mixed = [{**each, "messageId": f"m{number}"} for number, each in enumerate(batch, 300)]
    assert append(store, *mixed) == [True] * 300 + [False] * 300


CALLS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.lists(st.tuples(st.sampled_from("mnopq"), st.sampled_from(list(COPIES))), min_size=1, max_size=4),
        st.sampled_from([0, 0, 1, 1, 2]),
    ),
    max_size=8,
)


@settings(max_examples=examples(15), deadline=None)
@given(CALLS)
def test_each_message_id_is_stored_once_for_any_writers(calls: list[Any]) -> None:
    for engine in ENGINES.values():
        with TemporaryDirectory() as folder:
            stored_once(partial(engine, Path(folder)), calls)


def stored_once(opened: Callable[[], Storage], calls: list[Any]) -> None:
    stores = [opened() for _ in range(2)]
    seen: set[tuple[str, str]] = set()
    for source, listed, writer in calls:
        if writer == 2:  # one of them is started again
            run(stores[0].close())
            stores[0] = opened()
        told, expected = [], []
        for id_, copy in listed:
            told.append({**COPIES[copy], "messageId": id_, "message_id": None})
            expected.append((source, id_) in seen)
            seen.add((source, id_))
        assert append(stores[writer % 2], *told, source=source) == expected
    assert stored(stores[1]) == len(seen)
    for each in stores:
        run(each.close())


OTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from tests.contracts.engines import ENGINES
from tests.contracts.profiles import received

async def main():
    store = ENGINES[sys.argv[1]](Path(sys.argv[2]))
    told = [received({"type": "identify", "userId": "u", "messageId": f"m{n}", "timestamp": int(sys.argv[3])})
            for n in range(400)]
    found = await asyncio.gather(*(store.log.append(told[start : start + 7]) for start in range(0, 400, 7)))
    print(sum(not again for duplicates in found for again in duplicates))
    await store.close()

asyncio.run(main())
"""


def test_processes_that_are_sent_the_same_at_once_store_it_once(engine: str, store: Storage, tmp_path: Path) -> None:
    command = [sys.executable, "-c", OTHER_PROCESS, engine, str(tmp_path)]
    running = [
        subprocess.Popen([*command, str(LATE - number)], stdout=subprocess.PIPE, text=True) for number in range(3)
    ]
    counted = [int(each.communicate(timeout=120)[0]) for each in running]
    assert sum(counted) == 400


def test_a_message_that_failed_to_be_written_can_be_sent_again(store: Storage) -> None:
    """A group that fails is undone, in what the writer remembers as well."""
    append(store, {**FIRST, "messageId": "before"})
    good = [{**FIRST, "messageId": f"g{number}", "timestamp": LATE} for number in range(5)]

    async def several() -> list[Any]:
        poison = received(FIRST, source="\ud800")
        calls = [store.log.append([*map(received, good[:2]), poison]), store.log.append([*map(received, good[2:])])]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    failed, written = run(several())
    assert isinstance(failed, Exception)
    assert written == [False] * 3
    again = [{**each, "timestamp": LATE - 9} for each in (*good, {**FIRST, "messageId": "before"})]
    assert append(store, *again) == [False, False, True, True, True, True]
    assert append(store, *again) == [True] * 6
