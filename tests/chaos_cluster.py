"""`make chaos-cluster`: two processes of each role over PostgreSQL and three NATS servers, while one by one fails.

    python -m tests.chaos_cluster [ROUNDS]

In each round one process is killed (-9) and started again, or frozen for a while, or cut off from the database or from
the stream: ingest, worker, open, a NATS server, or PostgreSQL with all its sessions. NATS servers are also cut off from
each other. The next rounds go on while a killed process starts. Meanwhile clients send messages and note which were
acknowledged, and open emails. At the end every acknowledged message must be stored once, nothing else may be stored,
every open must have been answered with a picture, no click may be counted twice, and the profiles must be those that
the same messages make in a fresh SQLite store. It stops by itself, after SIGTERM with the round at hand, and touches
nothing but loopback.
"""

import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import click
import httpcore

from tests.cluster import DATABASE, Cluster, Fault, Member
from tests.days import today
from tests.ledger import NO_ANSWER, PEOPLE, Pictures, message, wrong_in
from wetink.ports import Storage
from wetink.store.postgresql.storage import open_storage
from wetink.web.request import now_ms

SENDERS, OPENERS = 4, 3
PAUSE_SECONDS = 0.05
"""A client's least pause between two requests. It pauses for as long as the last one took, so that a busy machine has
time left for processes that start."""
CLICKS, COUNT_SECONDS = 0.5, 15.0
"""The part of opens that a click follows, and how long to wait until all are counted, in seconds."""
CLIENT_SECONDS = 12.0
"""How long a client waits for an answer before it goes to the other process, as a load balancer would."""


class Clients:
    """Send messages until they are acknowledged, and open emails; note everything."""

    def __init__(self, cluster: Cluster, chance: random.Random) -> None:
        self._cluster, self._chance = cluster, chance
        self._http = httpcore.AsyncConnectionPool(max_connections=32)
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()
        self.opens = self.clicks = self.clicked = 0
        """Answered opens, answered clicks, and clicks that were sent."""
        self.wrong: list[str] = []
        self.refused: Counter[str] = Counter()
        self.slowest = 0.0
        self._pictures = Pictures()
        self.stopping = False

    async def run(self) -> None:
        await asyncio.gather(*(self._send(turn) for turn in range(SENDERS)), *(self._open() for _ in range(OPENERS)))
        await self._http.aclose()

    async def _send(self, turn: int) -> None:
        number = turn
        while not self.stopping:
            path, body = message(number, self._chance, self._cluster.key)
            self.sent.add(body["messageId"])
            begun = time.monotonic()
            while not await self._taken(path, json.dumps(body).encode()):  # noqa: ASYNC110 (a client tries again)
                await asyncio.sleep(0.2)
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.acknowledged.add(body["messageId"])
            number += SENDERS
            await _rest(begun)

    async def _taken(self, path: str, body: bytes) -> bool:
        member = self._chance.choice(self._cluster.of("ingest"))
        status = (await self._ask(member, "POST", path, body))[0]
        if status != 200:
            self.refused[f"{status}"] += 1
        return status == 200

    async def _open(self) -> None:
        while not self.stopping:
            begun = time.monotonic()
            who = f"u{self._chance.randrange(PEOPLE)}"
            members = self._cluster.of("open")
            self._chance.shuffle(members)
            for member in members:
                was_down = member.down
                status, body = await self._ask(member, "GET", f"/o/seen/1.jpg?user={who}")
                if status:
                    self.opens += 1
                    if status != 200 or body not in self._pictures:
                        self.wrong.append(f"{member.name}: {status} {body[:60]!r}")
                    elif self._chance.random() < CLICKS:
                        await self._click(who)
                    break
                if not (was_down or member.down):
                    self.wrong.append(f"{member.name} did not answer")
            await _rest(begun)

    async def _click(self, who: str) -> None:
        member = self._chance.choice(self._cluster.of("open"))
        self.clicked += 1
        status, body = await self._ask(member, "GET", f"/c/seen/1?user={who}")
        self.clicks += status == 302
        if status not in (0, 302):
            self.wrong.append(f"{member.name}: a click got {status} {body[:60]!r}")

    async def _ask(self, member: Member, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Return status and body; status 0 without an answer."""
        assert member.server is not None
        limits = {"timeout": {"connect": CLIENT_SECONDS, "read": CLIENT_SECONDS, "write": CLIENT_SECONDS, "pool": 60.0}}
        try:
            answer = await self._http.request(method, member.server.address + path, content=body, extensions=limits)
        except NO_ANSWER:
            return 0, b""
        return answer.status, answer.content


async def _rest(begun: float) -> None:
    await asyncio.sleep(max(PAUSE_SECONDS, time.monotonic() - begun))


async def _verdict(cluster: Cluster, clients: Clients, folder: Path) -> list[str]:
    """Return what is wrong after everything was mended."""
    store = open_storage(cluster.postgres.address(DATABASE), now_ms, archive_days=1, archive_bytes=1 << 30)
    try:
        ledger = {"sent": clients.sent, "acknowledged": clients.acknowledged}
        wrong = [*clients.wrong[:20], *await wrong_in(store, folder / "plain", **ledger)]
        return [*wrong, *await _wrong_clicks(store, clients)]
    finally:
        await store.close()


async def _wrong_clicks(store: Storage, clients: Clients) -> list[str]:
    """Return whether more clicks are counted than were sent. A killed process loses those of its last moment."""
    end, counted = time.monotonic() + COUNT_SECONDS, 0
    while counted < clients.clicks and time.monotonic() < end:
        await asyncio.sleep(1.0)
        counted = sum(day.clicks + day.machine_clicks for day in await today(store.ledger))
    click.echo(f"{clients.clicks} clicks answered, {counted} counted, {clients.clicked} sent")
    return [f"{counted} clicks are counted, and {clients.clicked} were sent"] if counted > clients.clicked else []


async def _chaos(cluster: Cluster, rounds: int, folder: Path) -> list[str]:
    seed = os.environ.get("SEED", "7")
    chance = random.Random(seed)
    clients = Clients(cluster, chance)
    running = asyncio.create_task(clients.run())
    await asyncio.sleep(5.0)
    done: Counter[str] = Counter()
    took: defaultdict[str, float] = defaultdict(float)
    deck: list[Fault] = []
    begun, ending = time.monotonic(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    for number in range(rounds):
        if ending.is_set():
            break
        if not deck:
            deck = cluster.faults()
            chance.shuffle(deck)
        while not (possible := [each for each in deck if cluster.possible(each)]):  # noqa: ASYNC110 (threads start them)
            await asyncio.sleep(0.1)
        deck.remove(fault := possible[-1])
        at = time.monotonic()
        await asyncio.to_thread(fault.run, chance.uniform(0.5, 3.0))
        done[fault.name] += 1
        took[fault.name] += time.monotonic() - at
        await asyncio.sleep(chance.uniform(0.2, 1.0))
        if number % 10 == 9:
            state = f"{len(clients.acknowledged)} acknowledged, {clients.opens} opens, {len(clients.wrong)} wrong"
            click.echo(f"round {number + 1}, {time.monotonic() - begun:.0f} s: {state}")
    clients.stopping = True
    await running
    click.echo(f"{done.total()} rounds in {time.monotonic() - begun:.0f} s, SEED={seed}")
    for name, count in sorted(done.items()):
        click.echo(f"{count} x {name}, {took[name] / count:.1f} s each")
    click.echo(f"{len(clients.acknowledged)} messages acknowledged, the slowest after {clients.slowest:.1f} s")
    click.echo(f"refused and sent again: {dict(clients.refused)} (0: no answer); {clients.opens} opens answered")
    return await _verdict(cluster, clients, folder)


def main() -> int:
    """Run as many rounds as the argument says; end with 1 when anything was wrong."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory(prefix="wetink-chaos-") as place:
        folder = Path(place)
        cluster = Cluster(folder)
        wrong: list[str] = []
        try:
            wrong += asyncio.run(_chaos(cluster, rounds, folder))
        finally:
            wrong += cluster.close()
            if kept := os.environ.get("LOGS"):
                for log in folder.glob("*.log"):
                    (Path(kept) / log.name).write_bytes(log.read_bytes())
    for each in wrong:
        click.echo(f"WRONG: {each}")
    click.echo("nothing was wrong" if not wrong else f"{len(wrong)} things were wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
