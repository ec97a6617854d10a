"""Challenges: steps of a sign-in that are under way."""

import secrets

from wetink.ports.challenges import MOST_CHALLENGES, Challenge
from wetink.store.codec import hashed
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "challenge_queries.sql")


class PostgresChallenges:
    """`ports.challenges.Challenges` over one table."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def begin(self, kind: str, account: str, data: str, now: int, until: int) -> str:
        id_ = secrets.token_urlsafe(32)

        async def work(connection: Connection) -> None:
            await connection.execute(SQL.over, now)
            await connection.execute(SQL.begin, hashed(id_), kind, account, data, until)
            await connection.execute(SQL.oldest, MOST_CHALLENGES)

        await self._database.transact("beginning a sign-in", work)
        return id_

    async def look(self, id_: str, kind: str, now: int) -> Challenge | None:
        async with self._database.reading("looking up a sign-in") as connection:
            found = await connection.fetchrow(SQL.look, hashed(id_), kind, now)
        return Challenge(id_, kind, *found) if found is not None else None

    async def take(self, id_: str, kind: str, now: int) -> Challenge | None:
        async with self._database.reading("going on with a sign-in") as connection:
            found = await connection.fetchrow(SQL.take, hashed(id_), kind, now)
        return Challenge(id_, kind, *found) if found is not None else None

    async def forget(self, account: str) -> None:
        async with self._database.reading("ending sign-ins") as connection:
            await connection.execute(SQL.forget, storable(account))
