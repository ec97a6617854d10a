"""Migrations run once, while servers of the version before go on, and tables that are too new are refused."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from tests import postgresql
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from wetink.core.errors import BadSettings, StoreUnavailable
from wetink.core.identity.identifier import Identifier
from wetink.ports import Storage
from wetink.store.postgresql import migrate
from wetink.store.postgresql.database import Database
from wetink.store.postgresql.migrate import Migration

JANE = Identifier("user", "jane")
KNOWN = migrate.migrations()
NEXT = Migration(KNOWN[-1].number + 1, "next", "ALTER TABLE contested ADD COLUMN note text; SELECT pg_sleep(1)")


def told(number: int) -> dict[str, Any]:
    return {"type": "track", "event": "X", "messageId": f"m{number}", "userId": "jane", "timestamp": LATE - number}


@pytest.fixture
def knows(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes processes that start from now on know these migrations."""

    def set_to(*known: Migration) -> None:
        monkeypatch.setattr(migrate, "migrations", lambda: list(known))

    return set_to


def database(folder: Path) -> Database:
    return Database(postgresql.shared().address(postgresql.database_of(folder)))


async def start(*databases: Database) -> None:
    try:
        await asyncio.gather(*(each.start() for each in databases))
    finally:
        for each in databases:
            await each.close()


def test_a_server_goes_on_while_the_next_version_migrates(
    store: Storage, tmp_path: Path, knows: Callable[..., None]
) -> None:
    knows(*KNOWN, NEXT)

    async def story() -> int:
        upgrading, number = asyncio.create_task(start(database(tmp_path))), 0
        while not upgrading.done():
            number += 1
            await store.log.append([received(told(number))])
            assert len(await store.profiles.history(JANE, LATE)) == number
        await upgrading
        return number

    assert run(story()) > 3
    sql = "SELECT max(number) FROM migration"
    assert postgresql.shared().sql(sql, postgresql.database_of(tmp_path)).strip() == str(NEXT.number)


def test_processes_that_start_at_once_migrate_once(tmp_path: Path, knows: Callable[..., None]) -> None:
    name = postgresql.database_of(tmp_path)
    postgresql.shared().sql(f"CREATE DATABASE {name}")
    run(start(*(database(tmp_path) for _ in range(4))))
    counted = postgresql.shared().sql("SELECT count(*), max(number) FROM migration", name)
    assert counted.strip() == f"{len(KNOWN)}|{KNOWN[-1].number}"
    postgresql.shared().sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_each_migration_has_a_number_of_its_own() -> None:
    numbers = [each.number for each in KNOWN]
    assert len(set(numbers)) == len(numbers), "the second one of a number would never run"


def test_tables_that_need_a_newer_version_are_refused_with_the_remedy(
    store: Storage, tmp_path: Path, knows: Callable[..., None]
) -> None:
    knows(*KNOWN, replace(NEXT, sql="SELECT 1", needs=NEXT.number))
    run(start(database(tmp_path)))
    knows(*KNOWN)
    with pytest.raises(BadSettings, match=f"has migration {NEXT.number}") as error:
        run(start(database(tmp_path)))
    assert "newer version of wetink" in error.value.hint


def test_a_newer_database_that_older_servers_can_use_is_used(
    store: Storage, tmp_path: Path, knows: Callable[..., None]
) -> None:
    knows(*KNOWN, replace(NEXT, sql="SELECT 1"))
    run(start(database(tmp_path)))
    knows(*KNOWN)
    run(start(database(tmp_path)))


def test_a_migration_that_fails_leaves_nothing_and_is_tried_again(
    store: Storage, tmp_path: Path, knows: Callable[..., None]
) -> None:
    made = "CREATE TABLE half (one integer)"
    knows(*KNOWN, replace(NEXT, sql=f"{made}; SELECT 1 / 0"))
    with pytest.raises(StoreUnavailable, match="DivisionByZero"):
        run(start(database(tmp_path)))
    knows(*KNOWN, replace(NEXT, sql=made))
    run(start(database(tmp_path)))


def test_an_index_is_built_concurrently_while_other_processes_wait_their_turn(
    store: Storage, tmp_path: Path, knows: Callable[..., None]
) -> None:
    built = "DROP INDEX CONCURRENTLY IF EXISTS message_next;\nCREATE INDEX CONCURRENTLY message_next ON message (name)"
    knows(*KNOWN, replace(NEXT, sql=f"-- concurrently\n{built}", concurrently=True))

    async def story() -> None:
        async with asyncio.timeout(60):  # if it waited for those who wait for it, it would never end
            await start(*(database(tmp_path) for _ in range(4)))

    run(story())
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'message_next'::regclass"
    assert postgresql.shared().sql(valid, postgresql.database_of(tmp_path)).strip() == "t"


def test_nobody_waits_behind_a_migration_that_waits_for_a_lock(
    store: Storage, tmp_path: Path, knows: Callable[..., None]
) -> None:
    knows(*KNOWN, replace(NEXT, sql="ALTER TABLE message ADD COLUMN next text"))

    async def story() -> int:
        reader = await asyncpg.connect(postgresql.shared().address(postgresql.database_of(tmp_path)))
        async with reader.transaction():
            await reader.fetch("SELECT count(*) FROM message")  # such as a report that takes long
            upgrading, number = asyncio.create_task(start(database(tmp_path))), 0
            until = time.monotonic() + 2
            while time.monotonic() < until:
                number += 1
                async with asyncio.timeout(20):
                    await store.log.append([received(told(number))])
            assert not upgrading.done()
        await upgrading
        await reader.close()
        return number

    assert run(story()) > 3


def test_many_rows_are_changed_in_batches(store: Storage, tmp_path: Path, knows: Callable[..., None]) -> None:
    column = replace(NEXT, sql="ALTER TABLE message ADD COLUMN next text")
    some = "SELECT fingerprint FROM message WHERE next IS NULL LIMIT 100"
    filled = f"-- concurrently\nUPDATE message SET next = name WHERE fingerprint IN ({some})"
    knows(*KNOWN, column, replace(NEXT, number=NEXT.number + 1, sql=filled, concurrently=True))
    run(store.log.append([received(told(number)) for number in range(450)]))
    run(start(database(tmp_path)))
    counted = "SELECT count(*) FILTER (WHERE next = name), count(DISTINCT xmin::text) FROM message"
    assert postgresql.shared().sql(counted, postgresql.database_of(tmp_path)).strip() == "450|5"
