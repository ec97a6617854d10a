"""A dump that is restored into another cluster: its transaction IDs begin anew, and followers still see everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.loop import run
from tests.contracts.test_inspection import shop
from tests.postgresql import Server
from tests.store.said import message
from wetink.ports import Storage
from wetink.store.postgresql import open_storage


@pytest.fixture
def old() -> Iterator[Server]:
    """A server that has had many transactions."""
    made = Server()
    made.sql("DO 'BEGIN FOR n IN 1..20000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END'")
    made.sql("CREATE DATABASE wetink")
    yield made
    made.remove()


@pytest.fixture
def new() -> Iterator[Server]:
    made = Server()
    made.sql("CREATE DATABASE wetink")
    yield made
    made.remove()


def store_of(server: Server) -> Storage:
    return open_storage(server.address("wetink"), lambda: 1, archive_days=1, archive_bytes=1 << 20)


def copy(one: Server, other: Server, dump: Path) -> None:
    one.run("pg_dump", *one.place, "-U", "wetink", "-f", str(dump), "wetink")
    other.run("psql", "-Xq", *other.place, "-U", "wetink", "-d", "wetink", "-f", str(dump))


async def followed(store: Storage, cursor: str) -> tuple[str, list[str]]:
    """Return the message ids after a cursor, in the order of the log, and the next cursor."""
    found: list[str] = []
    while True:
        cursor, some = await store.log.read(cursor, 100)
        if not some:
            return cursor, found
        found += [each.message_id for each in some]


async def settled(store: Storage) -> None:
    while await store.projections.settle():
        pass


def test_a_restored_dump_is_followed_from_where_it_was(old: Server, new: Server) -> None:
    async def before() -> str:
        store = store_of(old)
        await store.log.append([message(number) for number in range(50)])
        await store.log.append(shop(5))
        await settled(store)
        cursor, found = await followed(store, await store.log.cursor(0))
        assert len(found) == 70
        await store.log.append([message(number) for number in range(50, 60)])
        with store.crowd() as crowd:
            places.append(crowd.cursor)
        await store.close()
        return cursor

    async def after(cursor: str) -> None:
        store = store_of(new)
        late = [f"m{number}" for number in range(50, 60)]
        assert (await followed(store, cursor))[1] == late, "a cursor of the old cluster has its place"
        await store.log.append([message(number) for number in range(60, 70)])
        new_ones = [f"m{number}" for number in range(60, 70)]
        cursor, found = await followed(store, cursor)
        assert found == late + new_ones, "new messages follow the restored ones"
        assert await store.log.append([message(7)]) == [True]
        await store.log.append(shop(6))
        await settled(store)
        assert set((await store.projections.behind()).values()) == {0}
        assert {each.sku for each in await store.catalog.search("mug")} == {"S-1"}
        assert [each.message_id for each in await store.log.messages(limit=1)] == ["5-3"], "the newest come first"
        with store.crowd() as crowd:
            assert crowd.changes(places[0], 1_000) is None, "columns of the old cluster are not taken for its own"
            assert crowd.changes(crowd.cursor, 1_000) is not None
        await store.close()
        again = store_of(new)
        assert (await followed(again, cursor))[1] == [f"5-{index}" for index in range(4)]
        await again.close()

    places: list[str] = []
    cursor = run(before())
    copy(old, new, old.folder / "dump")
    run(after(cursor))
