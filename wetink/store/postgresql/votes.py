"""Polls: one vote of each person in each poll, and the sums."""

from wetink.core.app.app import Tally
from wetink.core.identity.identifier import Identifier
from wetink.store.codec import who
from wetink.store.postgresql.database import OPEN_SECONDS, Connection, Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "vote_queries.sql")


class PostgresPolls:
    """`ports.Polls` over two tables."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def vote(self, poll: str, voter: Identifier, option: int, at: int) -> None:
        key = storable(poll), storable(who(voter))

        async def work(connection: Connection) -> None:
            await connection.execute(SQL.lock, *key)
            before = await connection.fetchval(SQL.vote_of, *key)
            if before == option:
                return
            await connection.execute(SQL.vote, *key, option, at)
            options, votes = ([option], [1]) if before is None else ([before, option], [-1, 1])
            await connection.execute(SQL.add_votes, key[0], options, votes)

        await self._database.transact("voting", work)

    async def tally(self, poll: str, voter: Identifier | None) -> Tally:
        async def work(connection: Connection) -> Tally:
            own = await connection.fetchval(SQL.vote_of, storable(poll), storable(who(voter))) if voter else None
            return Tally(dict(await connection.fetch(SQL.votes, storable(poll))), own or 0)

        return await self._database.read("counting votes", work, OPEN_SECONDS)
