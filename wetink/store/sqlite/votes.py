"""Polls: one vote of each person in each poll, and the sums."""

import apsw

from wetink.core.app.app import Tally
from wetink.core.identity.identifier import Identifier
from wetink.store.codec import who
from wetink.store.queries import queries
from wetink.store.sqlite.connection import fetch, first, translated
from wetink.store.sqlite.database import Database

SQL = queries(__package__, "queries.sql")


class SQLitePolls:
    """`ports.Polls` over the main file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def vote(self, poll: str, voter: Identifier, option: int, at: int) -> None:
        def work(db: apsw.Connection) -> None:
            before = first(db, SQL.vote_of, (poll, who(voter)))
            if before == (option,):
                return
            if before is not None:
                db.execute(SQL.add_votes, (poll, before[0], -1))
            db.execute(SQL.vote, (poll, who(voter), option, at))
            db.execute(SQL.add_votes, (poll, option, 1))

        await self._database.write(work)

    async def tally(self, poll: str, voter: Identifier | None) -> Tally:
        with translated("counting votes"):
            db = self._database.reading
            own = first(db, SQL.vote_of, (poll, who(voter))) if voter is not None else None
            return Tally(dict(fetch(db, SQL.votes, (poll,))), own[0] if own is not None else 0)
