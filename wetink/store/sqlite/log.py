"""Log: received messages, appended by the writer and read in the order of arrival."""

from collections.abc import Collection, Sequence

import apsw

from wetink.core.events.event import Event
from wetink.core.identity.holding import FOREVER
from wetink.ports import Cursor, Received, Record
from wetink.store.codec import VERDICTS, received
from wetink.store.queries import queries
from wetink.store.sqlite import replay
from wetink.store.sqlite.connection import fetch, first, translated
from wetink.store.sqlite.database import Database

SQL = queries(__package__, "queries.sql")


class SQLiteLog:
    """`ports.Log` over the main file. A cursor has a message's position and the number of replays so far."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.append = database.writer.append

    async def messages(self, *, limit: int = 50, before: int | None = None, verdict: str = "") -> Sequence[Received]:
        top = FOREVER if before is None else before
        with translated("reading messages"):
            if verdict:
                query = SQL.messages_of_verdict if verdict == VERDICTS[0] else SQL.messages_in_trouble
                rows = fetch(self._database.reading, query, (VERDICTS.index(verdict), top, limit))
            else:
                rows = fetch(self._database.reading, SQL.messages, (top, limit))
        return [received(*row) for row in rows]

    async def cursor(self, received: int | None = None) -> Cursor:
        with translated("following the log"):
            db = self._database.reading
            low, high = 0, _last(db)
            if received is None:
                low = high
            while low < high:
                middle = (low + high) // 2
                row = first(db, SQL.received_from, (middle + 1,))
                if row is None or row[0] >= received:
                    high = middle
                else:
                    low = middle + 1
            return _cursor(low, db.execute(SQL.replays).get)

    async def read(self, after: Cursor, limit: int) -> tuple[Cursor, Sequence[Received]]:
        seq, replays = _place(after)
        with translated("reading messages"):
            found = [received(*row) for row in fetch(self._database.reading, SQL.messages_after, (seq, limit))]
        return _cursor(found[-1].seq, replays) if found else after, found

    async def events(self, after: Cursor, names: Collection[str], limit: int) -> tuple[Cursor, Sequence[Event]] | None:
        seq, replays = _place(after)
        with translated("following the log"):
            db = self._database.reading
            if db.execute(SQL.replays).get != replays:
                return None
            last = min(seq + limit, _last(db))
            if last <= seq:
                return after, ()
            found = self._database.recent_events.between(db, seq, last)
        return _cursor(last, replays), [event for _, event in found if event.usable and event.name in names]

    async def renew(self, pairs: Sequence[tuple[Received, Record]], *, dry: bool = False) -> Sequence[bool]:
        if dry:
            with translated("reading events"):
                return replay.renew(self._database.reading, pairs, dry=True)

        def work(db: apsw.Connection) -> list[bool]:
            changed = replay.renew(db, pairs)
            if any(changed):
                db.execute(SQL.count_replay)
            return changed

        return await self._database.write(work)


def _last(db: apsw.Connection) -> int:
    return int(db.execute(SQL.last_seq).get)


def _cursor(seq: int, replays: int) -> Cursor:
    return f"{seq}-{replays}"


def _place(cursor: Cursor) -> tuple[int, int]:
    seq, _, replays = cursor.partition("-")
    return int(seq), int(replays)
