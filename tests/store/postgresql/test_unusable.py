"""A database that cannot be used is refused at the start, with the remedy."""

from collections.abc import Iterator

import pytest

from tests.contracts.loop import run
from tests.postgresql import Server
from wetink.core.errors import BadSettings, StoreUnavailable, WetinkError
from wetink.store.postgresql.database import Database


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server(max_connections="10")
    for statement in (
        "CREATE ROLE guest LOGIN",
        "CREATE ROLE locked",
        "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0",
        "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0",
        "CREATE DATABASE strict",
        "ALTER DATABASE strict SET default_transaction_isolation = 'serializable'",
        "CREATE DATABASE closed",
        "ALTER DATABASE closed SET default_transaction_read_only = on",
        "CREATE DATABASE plain",
    ):
        made.sql(statement)
    yield made
    made.remove()


@pytest.mark.parametrize(
    ("place", "kind", "told", "remedy"),
    [
        ("wetink@/latin", BadSettings, "encoding LATIN1", "ENCODING 'UTF8'"),
        ("wetink@/ascii", BadSettings, "encoding SQL_ASCII", "ENCODING 'UTF8'"),
        ("wetink@/strict", BadSettings, "default_transaction_isolation is serializable", "reset it"),
        ("wetink@/closed", StoreUnavailable, "read-only", "name the primary"),
        ("wetink@/missing", StoreUnavailable, '"missing" does not exist', "create it"),
        ("nobody@/plain", StoreUnavailable, 'role "nobody" does not exist', "the user and the password"),
        ("locked@/plain", StoreUnavailable, "not permitted to log in", "the user and the password"),
        ("guest@/plain", StoreUnavailable, "permission denied for schema public", "own the database"),
        ("wetink@/plain?conections=5", StoreUnavailable, '"conections"', "the options of WETINK_STORE"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_with_the_remedy(
    server: Server, place: str, kind: type[WetinkError], told: str, remedy: str
) -> None:
    user, _, database = place.partition("/")

    async def story() -> None:
        opened = Database(f"postgresql://{user}127.0.0.1:{server.port}/{database}")
        with pytest.raises(kind) as caught:
            await opened.start()
        await opened.close()
        assert told in str(caught.value)
        assert remedy in caught.value.hint

    run(story())
