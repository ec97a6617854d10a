"""Reads of the log: how much of it they go through, however long it is."""

import asyncio
from pathlib import Path

import apsw

from tests.contracts.profiles import received
from tests.storage import opened
from tests.store.said import message

STEPS = 10
"""Steps of SQLite's machine between two counts."""


def test_messages_in_trouble_are_found_without_reading_all_others(tmp_path: Path) -> None:
    store, counted = opened(tmp_path), 0

    def count() -> bool:
        nonlocal counted
        counted += 1
        return False

    async def story() -> int:
        lost = received({"type": "track", "event": "X", "messageId": "lost"})
        await store.log.append([lost, *(message(number) for number in range(1_000))])
        assert await store.log.messages(limit=1)  # opens the connection
        for db in apsw.connections():
            db.set_progress_handler(count, STEPS)
        assert [each.message_id for each in await store.log.messages(limit=5, verdict="parked")] == ["lost"]
        assert not await store.log.messages(limit=5, verdict="unusable")
        return counted * STEPS

    assert asyncio.run(story()) < 300  # some 40 for a message that is found
    asyncio.run(store.close())
