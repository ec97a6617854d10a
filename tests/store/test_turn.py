"""Turns: what is read in one turn of the event loop is of one state, and nothing holds a state for longer."""

import asyncio
from pathlib import Path

from tests.storage import opened
from tests.store.said import message
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.store.sqlite.connection import connect

USER = Identifier("user", "u")


def test_reads_of_one_turn_are_of_one_state_and_those_of_the_next_of_the_newest(tmp_path: Path) -> None:
    store, other = opened(tmp_path), opened(tmp_path)

    async def seen() -> int:  # never waits
        return len(await store.profiles.history(USER, FOREVER - 1))

    async def story() -> list[int]:
        await other.log.append([message(1)])
        counts = [await seen()]
        theirs = connect(tmp_path / "wetink.db")
        theirs.execute("DELETE FROM event")
        counts.append(await seen())
        await asyncio.sleep(0)
        counts.append(await seen())
        theirs.close()
        return counts

    assert asyncio.run(story()) == [1, 1, 0]
    for each in (store, other):
        asyncio.run(each.close())


def test_between_turns_nothing_keeps_the_log_from_being_emptied(tmp_path: Path) -> None:
    store = opened(tmp_path)

    async def story() -> tuple[int, int]:
        await store.log.append([message(1)])
        await store.profiles.history(USER, FOREVER - 1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await store.log.append([message(2)])
        db = connect(tmp_path / "wetink.db")
        pages, moved = db.wal_checkpoint()
        db.close()
        return pages, moved

    pages, moved = asyncio.run(story())
    assert pages == moved > 0
    asyncio.run(store.close())
