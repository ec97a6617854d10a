"""Run: starts the demo from nothing and prints one address to open."""

import asyncio
import multiprocessing
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from rich.console import Console

from wetink import settings as setting
from wetink.core.errors import BadSettings, Unavailable
from wetink.demo import keys
from wetink.demo.life import Message, life
from wetink.demo.seed import letters, post, seed_with_bar
from wetink.sandbox.child import die_with_parent
from wetink.sandbox.forkserver import SAFE_PATH
from wetink.settings import Settings
from wetink.web import server
from wetink.wiring import Wetink

CONTENT = Path(__file__).parent / "content"
WRITTEN_FOR = "http://127.0.0.1:8000"
"""The address in the content's links; the demo's own address replaces it."""

MARK = ".wetink-demo"
"""A file that marks a folder as a demo's: the demo never clears any other folder."""

SEED = 20
START_SECONDS = 60


def run(data: Path | None = None, host: str | None = None, port: int | None = None) -> None:
    """Start the demo in `data`, filling it on the first run, and serve until Ctrl-C.

    Raises BadSettings if the folder is not a demo's, or belongs to another address, and Unavailable if the server
    does not start or refuses the shop's past.
    """
    console = Console(stderr=True)
    folder = data or Path("wetink-demo")
    settings = prepare(folder, host or "127.0.0.1", port)
    with serving(settings) as child:
        fill(settings, console)
        # The one line on stdout, so that a script can read it.
        Console().print(
            f"The demo is at [bold]{settings.address}/demo[/bold]  (Ctrl-C ends it)", highlight=False, soft_wrap=True
        )
        try:
            child.join()
        except KeyboardInterrupt:
            console.print("\nGood-bye. The next [bold]wetink demo[/bold] takes up where you left off.", highlight=False)
        else:
            if child.exitcode:
                raise Unavailable("the server ended by itself", hint="its log above says why")


def prepare(folder: Path, host: str, port: int | None, store: str = "") -> Settings:
    """Create the folder with its content and keys, unless an earlier run did; return its settings.

    `store` is the address of another store than the folder.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise BadSettings(f"{folder} is not a demo's folder", hint="name an empty or new folder with --data")
        if not keys.path(folder).exists() or not keys.read(folder).seeded:
            shutil.rmtree(folder)
    if keys.path(folder).exists():
        return _again(folder, host, port, store)
    settings = _settings(folder, host, port if port else _free(host, 8000 if port is None else 0), store)
    (folder / "demo").mkdir(parents=True)
    (folder / MARK).touch()
    _copy_content(folder, settings.address)
    _make_keys(settings)
    return settings


def fill(settings: Settings, console: Console) -> int:
    """Send the shop's past to the running server, unless already done; return the number of acknowledged messages."""
    kept = keys.read(settings.data)
    if kept.seeded:
        return 0
    now = time.time_ns() // 1_000_000
    messages = life(SEED, now, settings.address)
    count = seed_with_bar(kept.server, settings.address, messages, console)
    with console.status("Opening the emails of two weeks"):
        asyncio.run(_open_letters(settings, messages, now))
    keys.write(settings.data, keys.Keys(kept.address, kept.server, kept.browser, seeded=True))
    return count


async def _open_letters(settings: Settings, messages: Sequence[Message], now: int) -> None:
    async with Wetink(settings) as wetink:
        await post(wetink, letters(SEED, messages, now))


@contextmanager
def _safe_path() -> Iterator[None]:
    """Let processes that start meanwhile, and their own, import nothing from the current folder."""
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before


@contextmanager
def serving(settings: Settings) -> Iterator[multiprocessing.process.BaseProcess]:
    """Run the demo's server in its own process for the length of a `with`."""
    spawn = multiprocessing.get_context("spawn")
    reader, writer = spawn.Pipe(duplex=False)
    child = spawn.Process(target=_serve, args=(settings, writer), name="wetink-demo")
    with _safe_path():
        child.start()
    writer.close()
    try:
        try:
            if not reader.poll(START_SECONDS):
                raise Unavailable(f"the server did not start within {START_SECONDS} s", hint="see its log")
            reader.recv()
        except EOFError:
            raise Unavailable("the server did not start", hint="its log above says why") from None
        yield child
    finally:
        child.terminate()
        child.join(20)
        if child.is_alive():
            child.kill()


def _serve(settings: Settings, writer: Connection) -> None:
    die_with_parent(signal.SIGTERM)
    server.run(settings, app="wetink.demo.pages:create", ready=writer.send)


def _again(folder: Path, host: str, port: int | None, store: str) -> Settings:
    """Return the settings of an earlier run, whose address must stay: its products' pictures are there."""
    kept = keys.read(folder)
    settings = _settings(folder, host, port or int(kept.address.rpartition(":")[2]), store)
    if settings.address != kept.address:
        raise BadSettings(
            f"the demo in {folder} was made for {kept.address}",
            hint="leave out --host and --port, or name another folder with --data",
        )
    if _free(host, settings.port) != settings.port:
        raise BadSettings(f"port {settings.port} is taken", hint="end the other program, or name another --data")
    return settings


def _settings(folder: Path, host: str, port: int, store: str) -> Settings:
    place = f"127.0.0.1:{port}"
    own = setting.read({}, host=host, port=port).address.partition("://")[2]
    given = {"link_hosts": own, "private_hosts": f"{own},{place}"} | ({"store": store} if store else {})
    return setting.read({}, data=folder, host=host, port=port, audience_seconds=3, **given)


def _free(host: str, wanted: int) -> int:
    """Return `wanted` if that port is free, else a free port."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if port == 0:
                    raise BadSettings(f"cannot listen on {host}: {error.strerror}", where="--host") from error
            else:
                return int(probe.getsockname()[1])
    raise AssertionError("port 0 is either bound or refused")


def _copy_content(folder: Path, address: str) -> None:
    for source in sorted(CONTENT.glob("*/*")):
        target = folder / "content" / source.relative_to(CONTENT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text(encoding="utf-8").replace(WRITTEN_FOR, address), encoding="utf-8")


def _make_keys(settings: Settings) -> None:
    """Create the keys of the shop's server and of its page."""
    host = settings.address.partition("://")[2]

    async def make() -> keys.Keys:
        now = time.time_ns() // 1_000_000
        async with Wetink(settings) as wetink:
            server_key = await wetink.store.sources.create_key("shop-server", "server", (host,), now)
            page_key = await wetink.store.sources.create_key("shop-page", "browser", (host,), now)
        return keys.Keys(settings.address, server_key.write_key, page_key.write_key)

    keys.write(settings.data, asyncio.run(make()))
