"""A pooler may give each transaction another session: nothing that a session keeps is relied on."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from tests import postgresql
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from tests.store.postgresql.pooler import Pooler
from wetink.core.errors import StoreUnavailable
from wetink.core.identity.identifier import Identifier
from wetink.ports import Record, Storage
from wetink.store.postgresql.database import Database
from wetink.store.postgresql.storage import open_storage

UNPACKED = Path(__file__).parents[3] / ".build" / "pgbouncer" / "usr"
"""Where `make test` unpacks Debian's package."""
PGBOUNCER = os.environ.get("WETINK_TEST_PGBOUNCER") or shutil.which(
    "pgbouncer", path=f"{UNPACKED / 'sbin'}:{os.environ['PATH']}:/usr/sbin"
)


def opened(port: int, folder: Path) -> Storage:
    address = f"postgresql://wetink@127.0.0.1:{port}/{postgresql.database_of(folder)}?pooler=transaction"
    return open_storage(address, lambda: LATE, archive_days=1, archive_bytes=1 << 20)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    run(postgresql.opened(tmp_path).close())
    yield tmp_path
    postgresql.drop({postgresql.database_of(tmp_path)})


@pytest.fixture
def program() -> Iterator[list[str]]:
    """The command of PgBouncer, where everybody may read it."""
    if PGBOUNCER is None:
        pytest.skip("PgBouncer is not installed: set WETINK_TEST_PGBOUNCER to its program")
    if not Path(PGBOUNCER).is_relative_to(UNPACKED):
        yield [PGBOUNCER]
        return
    with TemporaryDirectory(prefix="wetink-pgbouncer-") as copy:
        Path(copy).chmod(0o755)
        shutil.copytree(UNPACKED, copy, dirs_exist_ok=True)
        libraries = ":".join(str(each) for each in Path(copy, "lib").iterdir())
        yield ["env", f"LD_LIBRARY_PATH={libraries}", f"{copy}/sbin/pgbouncer"]


@pytest.fixture
def pgbouncer(folder: Path, program: list[str]) -> Iterator[int]:
    """The port of PgBouncer in transaction mode with two sessions for everybody."""
    port, server = postgresql.free_port(), postgresql.shared().port
    own = folder / "pgbouncer"
    own.mkdir()
    (own / "ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={server} user=wetink\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\npool_mode = transaction\ndefault_pool_size = 2\nauth_type = any\n"
    )
    (own / "ini").chmod(0o644)  # other tests may have set a umask
    as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    with (own / "ini").open() as ini:  # nobody may not reach the folder, but an open file
        command = [*as_nobody, *program, f"/dev/fd/{ini.fileno()}"]
        running = subprocess.Popen(command, pass_fds=[ini.fileno()], stderr=subprocess.PIPE, cwd="/")
    until = time.monotonic() + 10
    while not postgresql.answers(port):
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.02)
    yield port
    running.terminate()
    running.communicate()


def told(number: int) -> Record:
    ids = {"userId": f"u{number % 7}", "anonymousId": f"d{number % 11}"}
    return received({"type": "track", "event": "X", "messageId": f"m{number}", "timestamp": LATE - number, **ids})


async def story(store: Storage) -> None:
    await asyncio.gather(*(store.log.append([told(number), told(number + 1)]) for number in range(60)))
    _, found = await store.log.read(await store.log.cursor(0), 100)
    assert len(found) == 61
    people = [Identifier("user", f"u{number}") for number in range(7)]
    loaded = await asyncio.gather(*(store.profiles.load({who: ""}, LATE) for who in people for _ in range(5)))
    assert sum(len(profile.entries) for each in loaded for profile in each.values()) > 0
    async with store.leases.hold("one", 5):
        await store.polls.vote("p", people[0], 1, LATE)
    await store.sources.all()
    await store.close()


def test_storage_works_without_prepared_statements(folder: Path) -> None:
    run(story(opened(postgresql.shared().port, folder)))


def test_storage_works_while_each_transaction_gets_another_session(folder: Path) -> None:
    async def through() -> None:
        async with Pooler(postgresql.shared().port).running() as pooler:
            await story(opened(pooler.port, folder))
            assert pooler.switched

    run(through())


def test_statements_that_a_session_prepared_are_not_there_in_the_next(folder: Path) -> None:
    """So the pooler of the test before notices if a statement is prepared."""

    async def through() -> None:
        async with Pooler(postgresql.shared().port).running() as pooler:
            address = f"postgresql://wetink@127.0.0.1:{pooler.port}/{postgresql.database_of(folder)}"
            connection = await asyncpg.connect(address)
            assert await connection.fetchval("SELECT 1") == 1
            with pytest.raises(asyncpg.InvalidSQLStatementNameError):
                await connection.fetchval("SELECT 1")
            await connection.close()

    run(through())


def test_a_pooler_that_the_address_does_not_name_is_reported_with_the_remedy(folder: Path) -> None:
    async def use(database: Database) -> None:
        await database.start()
        for _ in range(3):
            async with database.reading("looking") as connection:
                await connection.fetchval("SELECT 1")

    async def through() -> None:
        async with Pooler(postgresql.shared().port).running() as pooler:
            database = Database(f"postgresql://wetink@127.0.0.1:{pooler.port}/{postgresql.database_of(folder)}")
            with pytest.raises(StoreUnavailable) as caught:
                await use(database)
            await database.close()
            assert "pooler=transaction" in caught.value.hint

    run(through())


def test_storage_works_through_pgbouncer_in_transaction_mode(pgbouncer: int, folder: Path) -> None:
    run(story(opened(pgbouncer, folder)))
