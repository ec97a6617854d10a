"""The crowd's log in SQLite: changes are kept for long, not for good, and whoever comes later is told so."""

import asyncio
from pathlib import Path

import apsw

from tests.contracts.profiles import LATE, received
from tests.storage import opened
from wetink.core.identity.identifier import Identifier
from wetink.store.sqlite.crowd import open_crowd_log

ANN = Identifier("user", "ann")


def _sends(folder: Path, *message_ids: str) -> None:
    async def send() -> None:
        store = opened(folder)
        said = {"type": "track", "event": "Seen", "userId": "ann", "timestamp": LATE}
        await store.log.append([received({**said, "messageId": each}) for each in message_ids])
        await store.close()

    asyncio.run(send())


def test_the_last_million_corrections_are_known(tmp_path: Path) -> None:
    _sends(tmp_path, "a")
    path = tmp_path / "wetink.db"
    with open_crowd_log(path) as log:
        first = log.cursor
    with apsw.Connection(str(path)) as db:
        db.execute("INSERT INTO event_change (id, seq, who) VALUES (1, 1, 'uann'), (2, 1, 'uann')")
    with open_crowd_log(path) as log:
        changes = log.changes(first, 100)
        assert changes is not None
        assert changes.moved == {ANN}
    with apsw.Connection(str(path)) as db:
        db.execute("INSERT INTO event_change (id, seq, who) VALUES (1000001, 1, 'uann'), (1001000, 1, 'uann')")
        assert db.execute("SELECT min(id), count(*) FROM event_change").fetchall() == [(1_000_001, 2)]
    with open_crowd_log(path) as log:
        assert log.changes(first, 10**9) is None, "some are forgotten: everything is to be read anew"
        assert log.changes("1-1000000", 10**9) is not None
