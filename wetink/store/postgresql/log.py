"""Log: received messages, appended in groups and read in the order of arrival.

Transactions become visible out of order. A position in the log is below those of all transactions that are still under
way, so that nothing can appear before it (`log_end` in the migrations).
"""

from collections.abc import Collection, Sequence

from wetink.core.events.event import Event
from wetink.core.identity.holding import FOREVER
from wetink.ports import Cursor, Received, Record
from wetink.store.codec import VERDICTS, events, received
from wetink.store.postgresql import commit, replay
from wetink.store.postgresql.database import Database
from wetink.store.postgresql.writer import Writer
from wetink.store.queries import queries

SQL = queries(__package__, "log_queries.sql")


class PostgresLog:
    """`ports.Log`. A cursor has a message's position and the number of replays so far."""

    def __init__(self, database: Database) -> None:
        """Read from and append to `database`."""
        self._database = database
        self.writer = Writer(database, commit.write)

    async def append(self, batch: Sequence[Record]) -> Sequence[bool]:
        return await self.writer.write([commit.prepare(record) for record in batch]) if batch else ()

    async def messages(self, *, limit: int = 50, before: int | None = None, verdict: str = "") -> Sequence[Received]:
        top = FOREVER if before is None else before
        async with self._database.reading("reading messages") as db:
            if not verdict:
                rows = await db.fetch(SQL.messages, top, limit)
            else:
                query = SQL.messages_of_verdict if verdict == VERDICTS[0] else SQL.messages_in_trouble
                rows = await db.fetch(query, top, limit, VERDICTS.index(verdict))
        return [received(*row) for row in rows]

    async def cursor(self, received: int | None = None) -> Cursor:
        async with self._database.reading("following the log") as db:
            found = (SQL.end_of_log,) if received is None else (SQL.place_of, received)
            return _cursor(*await db.fetchrow(*found))

    async def read(self, after: Cursor, limit: int) -> tuple[Cursor, Sequence[Received]]:
        seq, replays = _place(after)
        async with self._database.reading("reading messages") as db:
            found = [received(*row) for row in await db.fetch(SQL.messages_after, seq, limit)]
        return _cursor(found[-1].seq, replays) if found else after, found

    async def events(self, after: Cursor, names: Collection[str], limit: int) -> tuple[Cursor, Sequence[Event]] | None:
        seq, replays = _place(after)
        async with self._database.reading("following the log") as db:
            rows = await db.fetch(SQL.named_after, seq, limit, list(names))
        if rows[0][0] != replays:
            return None
        if rows[-1][1] is None:
            return after, ()
        found = events([body for *_, body in rows if body is not None])
        return _cursor(rows[-1][1], replays), [event for event in found if event.products]

    async def renew(self, pairs: Sequence[tuple[Received, Record]], *, dry: bool = False) -> Sequence[bool]:
        if dry:
            async with self._database.reading("reading events") as db:
                return await replay.renewed(db, pairs)
        return await self._database.transact("renewing messages", lambda db: replay.renew(db, pairs))


def _cursor(seq: int, replays: int) -> Cursor:
    return f"{seq}-{replays}"


def _place(cursor: Cursor) -> tuple[int, int]:
    seq, _, replays = cursor.partition("-")
    return int(seq), int(replays)
