"""`make chaos`: a server goes on under load while a process of the next version changes the tables, and takes over.

    python -m tests.upgrade [MESSAGES]

The store begins with so many messages, first in SQLite, then in PostgreSQL, where reports read all messages meanwhile.
Clients send messages until they are acknowledged, and open pictures. At the end every acknowledged message must be
stored once, and nothing else, and every open must have been answered with a picture. The 99th percentile of the opens
must be within their deadline. It stops by itself, and touches nothing but loopback.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import click

from tests import postgresql
from tests.ledger import Clients, prepared, wrong_in
from tests.serving import Server
from wetink.settings import read
from wetink.store import engine_of
from wetink.web.request import now_ms

MESSAGES, LATER = 50_000, 300
DEADLINE_MS = read({}).deadline
REPORT_SECONDS, LOOK_SECONDS = 3.0, 0.02
WAITING = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'relation'
"""
"""How long the statement that waits longest for a table has run (s)."""


class Waits:
    """Looks how long statements wait for a table, while long reports read the messages of a database."""

    def __init__(self) -> None:
        self.longest = 0.0

    @asynccontextmanager
    async def watching(self, address: str) -> AsyncIterator[None]:
        """Watch inside. A store that is no database has no locks of tables."""
        if not address.startswith("postgresql:"):
            yield
            return
        reader, looker = await asyncpg.connect(address), await asyncpg.connect(address)
        tasks = [asyncio.create_task(self._report(reader)), asyncio.create_task(self._look(looker))]
        await asyncio.sleep(LOOK_SECONDS)
        try:
            yield
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.wait(tasks)
            await asyncio.gather(reader.close(), looker.close())

    async def _report(self, db: Any) -> None:
        while True:
            async with db.transaction():
                await db.fetch("SELECT count(*) FROM message")
                await asyncio.sleep(REPORT_SECONDS)

    async def _look(self, db: Any) -> None:
        while True:
            self.longest = max(self.longest, float(await db.fetchval(WAITING)))
            await asyncio.sleep(LOOK_SECONDS)


async def story(
    folder: Path, store: str, messages: int, count: int, told: Callable[[str], object] = lambda line: None
) -> tuple[list[str], Clients]:
    """Upgrade under load. Returns what was wrong, and the clients. `count` messages are sent before and after."""
    key, ids = await prepared(folder / "data", store, messages)
    old = Server(folder / "data", workers=1, log=folder / "old.log", settings={"store": store})
    new = Server(
        folder / "data", workers=1, log=folder / "new.log", settings={"store": store}, module="tests.next_version"
    )
    waits, started = Waits(), [old]
    await asyncio.to_thread(old.__enter__)
    try:
        async with Clients(old.address, key) as clients:
            await clients.more(count)
            begun = time.monotonic()
            async with waits.watching(store):
                started.append(await asyncio.to_thread(new.__enter__))
                upgraded = time.monotonic()
                await clients.more(count)  # with the tables of the next version
            clients.address = new.address
            await asyncio.to_thread(old.__exit__, None, None, None)
            await clients.more(count)
    finally:
        for server in started:
            server.__exit__(None, None, None)
    told(f"upgrading, {upgraded - begun:.1f} s: {clients.slowest(begun, upgraded)}; refused: {dict(clients.refused)}")
    told(f"  all: {clients.slowest(0, time.monotonic())}; longest wait for a table {waits.longest * 1000:.0f} ms")
    opened = engine_of(store).open(store, now_ms, archive_days=1, archive_bytes=1 << 30)
    ledger = {"sent": clients.sent | {*ids}, "acknowledged": clients.acknowledged | {*ids}}
    try:
        return [*clients.wrong[:20], *await wrong_in(opened, folder / "plain", **ledger)], clients
    finally:
        await opened.close()


def main() -> int:
    """Upgrade stores with as many messages as the argument says; end with 1 when anything was wrong."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES
    wrong: list[str] = []
    server = postgresql.Server(durable=True)
    try:
        server.sql("CREATE DATABASE upgrade")
        with tempfile.TemporaryDirectory(prefix="wetink-upgrade-") as place:
            for store in (f"sqlite:///{place}/store", server.address("upgrade")):
                engine = store.partition(":")[0]
                click.echo(f"{engine}, {messages:,} messages")
                found, clients = asyncio.run(story(Path(place) / engine, store, messages, LATER, click.echo))
                wrong += found
                if clients.p99() > DEADLINE_MS:
                    wrong.append(f"{engine}: the p99 of opens is {clients.p99():.0f} ms; the deadline is {DEADLINE_MS}")
    finally:
        server.remove()
    for each in wrong:
        click.echo(f"WRONG: {each}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
