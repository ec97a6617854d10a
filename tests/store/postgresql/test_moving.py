"""A move from PostgreSQL seals the database only if it sees all messages, and can end all sessions."""

import asyncio
import os
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests import postgresql, storage
from tests.contracts.loop import run
from tests.contracts.profiles import received
from wetink.core.errors import StoreUnavailable
from wetink.store.move import Move, Moved
from wetink.store.postgresql.moving import PostgresMoving
from wetink.store.postgresql.storage import open_storage

MESSAGE = {"type": "track", "event": "X", "messageId": "m", "userId": "u"}


async def closed(*parts: Any) -> None:
    await asyncio.gather(*(each.close() for each in parts))


def test_a_long_transaction_in_another_database_delays_the_seal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetink.store.postgresql.moving.END_TRIES", 3)
    source, into = postgresql.opened(tmp_path / "from"), storage.opened(tmp_path / "to")
    ends = postgresql.moving(tmp_path / "from"), storage.moving(tmp_path / "to")

    async def story() -> Moved:
        await asyncio.gather(source.start(), into.start())
        other = await asyncpg.connect(postgresql.shared().address("postgres"))
        async with other.transaction():
            await other.fetch("SELECT pg_current_xact_id()")  # it could write
            await source.log.append([received(MESSAGE)])
            with pytest.raises(StoreUnavailable, match="long transaction"):
                await Move(*ends, into).run(finish=True)
            await source.log.append([received({**MESSAGE, "messageId": "n"})])  # it is not sealed
        await other.close()
        return await Move(*ends, into).run(finish=True)

    moved = run(story())
    assert (moved.messages, moved.finished) == (2, True)
    run(closed(*ends, source, into))
    postgresql.drop({postgresql.database_of(tmp_path / "from")})


def test_a_user_who_cannot_end_the_sessions_of_servers_does_not_seal(tmp_path: Path) -> None:
    server, name = postgresql.shared(), f"owned_{os.getpid()}"
    server.sql("CREATE ROLE mover LOGIN")
    server.sql(f"CREATE DATABASE {name} OWNER mover")
    mine = server.address(name).replace("wetink@", "mover@")
    into, target = storage.opened(tmp_path / "to"), storage.moving(tmp_path / "to")
    source, theirs = (
        open_storage(address, lambda: 0, archive_days=1, archive_bytes=1 << 30)
        for address in (mine, server.address(name))
    )
    ends = PostgresMoving(mine), target

    async def story() -> Moved:
        await asyncio.gather(source.start(), into.start())
        await theirs.start()  # a server with another user
        await source.log.append([received(MESSAGE)])
        with pytest.raises(StoreUnavailable, match="may not end the sessions of wetink"):
            await Move(*ends, into).run(finish=True)
        await theirs.log.append([received({**MESSAGE, "messageId": "n"})])  # it is not sealed
        await theirs.close()
        return await Move(*ends, into).run(finish=True)

    moved = run(story())
    assert (moved.messages, moved.finished) == (2, True)
    run(closed(*ends, source, into))
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.sql("DROP ROLE mover")
