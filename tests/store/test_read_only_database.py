"""A PostgreSQL that only reads, as a replica does: no message can be stored, and the check for writing says so."""

import asyncio

import pytest

from tests.postgresql import shared
from wetink.core.errors import StoreUnavailable
from wetink.store.postgresql.database import Database


def test_a_database_that_only_reads_is_not_writable() -> None:
    server, name = shared(), "only_reads"
    server.sql(f"CREATE DATABASE {name}")

    async def checked() -> None:
        database = Database(server.address(name))
        try:
            await database.writable()
        finally:
            await database.close()

    asyncio.run(checked())
    server.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StoreUnavailable, match="only reads"):
        asyncio.run(checked())
    server.sql(f"DROP DATABASE {name}")
