"""A move from PostgreSQL does not seal the database while somebody's transaction hides the last messages."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from tests import postgresql, storage
from tests.contracts.loop import run
from tests.contracts.profiles import received
from wetink.core.errors import StoreUnavailable
from wetink.store.move import Move, Moved

MESSAGE = {"type": "track", "event": "X", "messageId": "m", "userId": "u"}


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

    async def close() -> None:
        await asyncio.gather(*(each.close() for each in (*ends, source, into)))

    run(close())
    postgresql.drop({postgresql.database_of(tmp_path / "from")})
