"""`make chaos`: a store moves from SQLite to PostgreSQL and back under load, and the servers are switched.

    python -m tests.moving_house [MESSAGES]

The store begins with so many messages. Clients send messages until they are acknowledged, and open pictures, while
`wetink move` copies, seals and hands over, a server of the other store starts, and the clients go on there. At the end
every acknowledged message must be stored once, and nothing else, and every open must have been answered with a picture.
The 99th percentile of the opens must be within their deadline. It stops by itself, and touches nothing but loopback.
"""

import asyncio
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path

import click

from tests import postgresql
from tests.ledger import Clients, prepared, wrong_in
from tests.serving import Server
from wetink.settings import read
from wetink.store import engine_of
from wetink.web.request import now_ms

DATABASE = "moving_house"
MESSAGES, LATER = 20_000, 300
DEADLINE_MS = read({}).deadline


class House:
    """The stores that it moves through, each with a server. With a `log`, that is the stream in front of them."""

    def __init__(
        self, folder: Path, database: str, told: Callable[[str], object] = lambda line: None, log: str = ""
    ) -> None:
        self.folder, self._told, self._log = folder, told, log
        self.stores = [f"sqlite:///{folder}/there", database, f"sqlite:///{folder}/back"]
        self._servers: list[Server] = []

    def serve(self) -> str:
        """Start a server of the next store. Returns its address."""
        number = len(self._servers)
        data, given = self.folder / f"data{number}", {"store": self.stores[number], "log": self._log}
        server = Server(data, workers=1, settings=given, log=data.with_suffix(".log"))
        self._servers.append(server.__enter__())
        return server.address

    def end(self, number: int = -1) -> None:
        """End a server with SIGTERM; a second call does nothing."""
        if self._servers:
            self._servers[number].__exit__(None, None, None)

    async def move(self, clients: Clients, count: int) -> None:
        """Move to the next store under load, and switch the servers. `count` messages are sent between the steps."""
        source, target = self.stores[len(self._servers) - 1 :][:2]
        before = time.monotonic()
        await clients.more(count)
        begun = time.monotonic()
        self._told(await command("move", source, target))
        await clients.more(count)
        self._told(await command("move", source, target, "--finish"))
        sealed = time.monotonic()
        await (clients.more(count) if self._log else clients.refusals())
        clients.address = await asyncio.to_thread(self.serve)
        await asyncio.to_thread(self.end, -2)
        switched = time.monotonic()
        await clients.more(count)
        times = {"before": before, "moving": begun, "read-only": sealed, "after": switched}
        for (name, since), until in zip(times.items(), [*[*times.values()][1:], time.monotonic()], strict=True):
            self._told(f"  {name}, {until - since:.1f} s: {clients.slowest(since, until)}")


async def command(*arguments: str) -> str:
    """Run a wetink command, and return its output. Raises AssertionError if it fails."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "wetink", *arguments, stdout=PIPE, stderr=PIPE)
    out, error = await process.communicate()
    assert process.returncode == 0, error.decode()[-500:]
    return out.decode().strip()


async def story(house: House, messages: int, count: int) -> tuple[list[str], Clients]:
    """Move there and back. Returns what was wrong, and the clients. `count` messages are sent between the steps."""
    key, ids = await prepared(house.folder / "data0", house.stores[0], messages)
    address = await asyncio.to_thread(house.serve)
    try:
        async with Clients(address, key) as clients:
            await house.move(clients, count)
            await house.move(clients, count)
        store = engine_of(house.stores[-1]).open(house.stores[-1], now_ms, archive_days=1, archive_bytes=1 << 30)
        ledger = {"sent": clients.sent | {*ids}, "acknowledged": clients.acknowledged | {*ids}}
        wrong = [*clients.wrong[:20], *await wrong_in(store, house.folder / "plain", **ledger)]
        await store.close()
        return wrong, clients
    finally:
        house.end()


def main() -> int:
    """Move a store with as many messages as the argument says; end with 1 when anything was wrong."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES
    server = postgresql.Server(durable=True)
    try:
        server.sql(f"CREATE DATABASE {DATABASE}")
        with tempfile.TemporaryDirectory(prefix="wetink-moving-") as place:
            house, begun = House(Path(place), server.address(DATABASE), click.echo), time.monotonic()
            wrong, clients = asyncio.run(story(house, messages, LATER))
    finally:
        server.remove()
    seconds = time.monotonic() - begun
    count = len(clients.acknowledged)
    click.echo(f"{count:,} messages, {count / seconds:.0f} a second; {clients.slowest(0, begun + seconds)}")
    p99 = clients.p99()
    if p99 > DEADLINE_MS:
        wrong.append(f"the 99th percentile of the opens is {p99:.0f} ms; the deadline is {DEADLINE_MS} ms")
    for each in wrong:
        click.echo(f"WRONG: {each}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
