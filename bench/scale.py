"""Scale: what each message, open, click and count costs on PostgreSQL, and what a larger shop needs of it.

    python -m bench.scale        writes docs/scale.md

Each role is measured alone over one database: the cores' time of wetink and of PostgreSQL with all its sessions, the
bytes of its disk and of its write-ahead log, and the bytes on the link between the two. The costs of a small shop
predict those of one four times as large, and the same arithmetic gives the needs of other sizes. The two take turns, so
that a busy minute of a shared machine makes both dearer.
"""

import asyncio
import base64
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx2
import msgspec
import psutil

from bench.figure import Figure
from bench.load import request
from bench.messages import message, product
from bench.page import machine
from bench.program import Program, answering, free_port
from tests.postgresql import Server as Postgres
from tests.proxy import Proxy
from wetink import settings as setting
from wetink.core.identity.identifier import user
from wetink.opens.recipient import Purpose
from wetink.wiring import Wetink

SMALL, LARGE, EVENTS, BATCH, ALONE, PICTURES = 600, 2_400, 30, 100, 800, 300
"""People of the two shops, events of each person, messages in a batch, messages that come alone, and people who open
pictures: each of these costs much the same, so that some are enough."""
CONNECTIONS, TURNS, TRIES = 16, 4, 5
REST_SECONDS, PATIENCE = 2.0, 300.0
BUSY = 0.6
"""The part of a core's time that is planned for: the rest is for peaks and for machines that fail."""
OPENS: tuple[tuple[str, Purpose, str, int], ...] = (
    ("an open as JSON", "data", "/d/seen/{}.json", SMALL),
    ("an open as a new picture", "picture", "/o/seen/1/{}.jpg", PICTURES),
    ("the same picture again", "picture", "/o/seen/1/{}.jpg", PICTURES),
    ("a click", "click", "/c/seen/1/{}", PICTURES),
)
"""What is opened, and by how many people."""
RULE = "rule: [{done: Product Viewed, where: {price: {above: 20}}, at_least: 3}]\n"
BLOCK = "data: true\nrecipients: [user]\nvariants: [{name: seen, app: last-viewed}]\nfallback: {link: 'https://shop.example/'}\n"
DATABASE = "wetink"
PAGE = Path("docs/scale.md")


class Cost(msgspec.Struct, frozen=True):
    """What one unit costs: µs of wetink's and PostgreSQL's cores, and bytes."""

    wetink: float
    database: float
    disk: float
    log: float
    link: float


class Use(msgspec.Struct, frozen=True):
    """What has been used so far: seconds of cores, and bytes."""

    wetink: float
    database: float
    disk: float
    log: float
    link: float

    def since(self, before: "Use") -> "Use":
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(before), strict=True)
        return Use(*(now - then for now, then in pairs))


def each_of(used: Sequence[Use], count: int) -> Cost:
    """Return the cost of each of the `count` units that used all of this together."""
    sums = map(sum, zip(*map(msgspec.structs.astuple, used), strict=True))
    return Cost(*(max(0.0, total) / count * (1e6 if place < 2 else 1) for place, total in enumerate(sums)))


class Shop:
    """A shop of some people over a database of its own."""

    def __init__(self, folder: Path, people: int) -> None:
        self.folder, self.people = folder, people
        self.postgres = Postgres(durable=True, max_wal_size="4GB", autovacuum_naptime="1s")
        self.postgres.sql(f"CREATE DATABASE {DATABASE}")
        self.link = Proxy(self.postgres.port)
        self.store = f"postgresql://wetink@127.0.0.1:{self.link.port}/{DATABASE}"
        self.data = folder / "data"
        blocks = self.data / "worker" / "content" / "blocks"
        blocks.mkdir(parents=True)
        (blocks / "seen.yaml").write_text(BLOCK)

    def close(self) -> None:
        self.link.close()
        self.postgres.remove()

    async def key(self) -> str:
        async with Wetink(self._settings(), draws=False) as wetink:
            return (await wetink.store.sources.create_key("bench", "server", (), 1)).write_key

    async def opens(self) -> dict[str, list[bytes]]:
        """Return the requests of OPENS, by people from all over the shop."""
        found = {}
        async with Wetink(self._settings(), draws=False) as wetink:
            await wetink.ready()
            for name, purpose, path, count in OPENS:
                named = [user(f"person-{number * self.people // count}") for number in range(count)]
                paths = [path.format(wetink.seals.seal(who, "seen", purpose)) for who in named if who]
                found[name] = [request("GET", each) for each in paths]
        return found

    @contextmanager
    def serving(self, role: str) -> Iterator[tuple[int, Program]]:
        """Run a process of a role. Yields its port and the program."""
        port = free_port()
        command = [sys.executable, "-m", "wetink", "serve", "--role", role, "--workers", "1", "--port", str(port)]
        command += ["--data", str(self.data / role)]
        env = {"WETINK_STORE": self.store, "WETINK_LINK_HOSTS": "photos.invalid"}
        url = f"http://127.0.0.1:{port}/readyz"
        with answering(*command, url=url, log=self.folder / "log", env=env) as program:
            time.sleep(REST_SECONDS)
            yield port, program

    def used(self, program: Program) -> Use:
        """Return what a program and the database have used so far."""
        place = f"SELECT pg_database_size('{DATABASE}'), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
        disk, log = map(float, self.postgres.sql(place).strip().split("|"))
        return Use(cpu(program.family()), cpu(self.postgres.family()), disk, log, self.link.bytes)

    def _settings(self) -> setting.Settings:
        return setting.read({}, data=self.data / "worker", store=self.store)


def cpu(family: Sequence[psutil.Process]) -> float:
    """Return the seconds of cores that processes have used, and those that the first of them has outlived."""
    total = 0.0
    for process in family:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        total += times.children_user + times.children_system if process == family[0] else 0.0
    return total


def costs_of(*sizes: int) -> list[dict[str, Cost]]:
    """Return what each kind of unit costs in shops of so many people, which take turns."""
    with tempfile.TemporaryDirectory(prefix="wetink-bench-", dir=".build") as place, ExitStack() as open_:
        running = {}
        for people in sizes:
            folder = Path(place, str(people))
            folder.mkdir()
            running[people] = open_.enter_context(closing(_costs(open_.enter_context(closing(Shop(folder, people))))))
        found: dict[int, dict[str, Cost]] = {}
        while len(found) < len(sizes):
            for people, each in running.items():
                try:
                    next(each)
                except StopIteration as done:
                    found[people] = done.value
        return [found[people] for people in sizes]


def _costs(shop: Shop) -> Generator[None, None, dict[str, Cost]]:
    """Return what each kind of unit costs; yield whenever the other shop may have its turn."""
    chance, found = random.Random(7), dict[str, Cost]()
    key = asyncio.run(shop.key())
    messages = [_view(number, number % shop.people, chance) for number in range(shop.people * EVENTS)]
    chance.shuffle(messages)
    alone, rest = messages[:ALONE], messages[ALONE:]
    authorization = {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    single = [request("POST", "/v1/track", msgspec.json.encode(each), **authorization) for each in alone]
    bodies = [msgspec.json.encode({"batch": rest[start : start + BATCH]}) for start in range(0, len(rest), BATCH)]
    batches = [request("POST", "/v1/batch", body, **authorization) for body in bodies]
    with shop.serving("worker") as (behind, worker), shop.serving("ingest") as (port, program):
        before = shop.used(worker)
        found["a message in a batch of 100"] = yield from _cost(shop, program, port, batches, len(rest), behind)
        found["a message alone"] = yield from _cost(shop, program, port, single, len(single), behind)
        derived = each_of([shop.used(worker).since(before)], len(messages))
        found["deriving from a message"] = Cost(derived.wetink, 0, 0, 0, 0)
    opens = asyncio.run(shop.opens())
    with shop.serving("open") as (port, program):
        for name, requests in opens.items():
            found[name] = yield from _cost(shop, program, port, requests, len(requests))
    (shop.folder / "rule.yaml").write_text(RULE)
    start = _seconds(shop, "keys", "list")
    rule = ("audience", "count", str(shop.folder / "rule.yaml"))
    first, second = _seconds(shop, *rule), _seconds(shop, *rule)
    for name, seconds in (("laying out a person in columns", first - second), ("counting a person", second - start)):
        found[name] = Cost(max(0.0, seconds) / shop.people * 1e6, 0, 0, 0, 0)
    return found


def _cost(
    shop: Shop, program: Program, port: int, requests: list[bytes], count: int, behind: int = 0
) -> Generator[None, None, Cost]:
    """Return the cost of `count` units in requests that are all sent once, in turns with the other shop.

    With the port of a worker in `behind`, a turn ends once nothing is left to derive.
    """
    used = []
    for turn in range(TURNS):
        before = shop.used(program)
        asyncio.run(send_once(port, requests[turn::TURNS]))
        time.sleep(REST_SECONDS / 2)  # what is written a moment later
        if behind:
            _caught_up(behind)
        used.append(shop.used(program).since(before))
        yield
    return each_of(used, count)


async def send_once(port: int, requests: list[bytes], connections: int = CONNECTIONS) -> None:
    """Send each request once, by some connections; again if the server had no time for it, as on a busy machine.

    Raises RuntimeError if one is not answered as it should be.
    """

    async def send(some: Sequence[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        tries = 0
        for each in some:
            while (head := await _head(reader, writer, each))[9:12] not in (b"200", b"302"):
                tries += 1
                if head[9:12] not in (b"408", b"503") or tries > TRIES:
                    raise RuntimeError(head[:80].decode())
                writer.close()
                await asyncio.sleep(REST_SECONDS)
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    await asyncio.gather(*(send(requests[turn::connections]) for turn in range(connections)))


async def _head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """Return the head of the answer to a request, after its body."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
    return head


def _caught_up(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while httpx2.get(f"http://127.0.0.1:{port}/readyz").json().get("behind"):
        if time.monotonic() > until:
            raise RuntimeError("the worker does not catch up")
        time.sleep(0.2)


def _seconds(shop: Shop, *arguments: str) -> float:
    """Return the seconds of cores that a command takes."""
    before = os.times()
    command = [sys.executable, "-m", "wetink", *arguments, "--data", str(shop.data / "worker")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "WETINK_STORE": shop.store})
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _view(number: int, person: int, chance: random.Random) -> dict[str, object]:
    viewed = {"type": "track", "event": "Product Viewed", "properties": product(chance.randrange(5_000))}
    return message(number, person, chance) | {"userId": f"person-{person}", "anonymousId": f"device-{person}"} | viewed


def measure() -> list[Figure]:
    """Return how well the costs of the small shop predict those of the large one."""
    return figures(*costs_of(SMALL, LARGE))


def figures(small: Mapping[str, Cost], large: Mapping[str, Cost]) -> list[Figure]:
    """Return figures of predicted to measured costs; 1 is an exact prediction."""
    found = []
    for name, field, goal in CHECKED:
        one, other = (getattr(costs[name], field) for costs in (small, large))
        told = f"{one:,.0f} {UNITS[field]} in the small shop, {other:,.0f} in the large one"
        found.append(Figure(f"scale: {WORDS[field]} of {name}", min(one, other) / max(one, other), goal, told))
    return found


UNITS = {"wetink": "µs", "database": "µs", "disk": "bytes", "log": "bytes", "link": "bytes"}
WORDS = {
    "wetink": "wetink's CPU",
    "database": "PostgreSQL's CPU",
    "disk": "disk",
    "log": "write-ahead log",
    "link": "bytes to and from PostgreSQL",
}
CHECKED = (
    ("a message in a batch of 100", "wetink", 0.7),
    ("a message in a batch of 100", "database", 0.7),
    ("a message in a batch of 100", "disk", 0.85),
    ("a message in a batch of 100", "log", 0.85),
    ("a message in a batch of 100", "link", 0.85),
    ("an open as JSON", "wetink", 0.7),
)
"""What is compared between the two shops, and how well it has to agree: the times of a shared machine vary."""
SIZES = ((1_000, 100, 1), (100_000, 10_000, 10), (1_000_000, 100_000, 100))
"""Events a second, opens a second, and millions of profiles."""


class Need(msgspec.Struct, frozen=True):
    """What a shop needs: cores by role, megabytes a second, gigabytes, and connections to PostgreSQL."""

    ingest: float
    worker: float
    opens: float
    database: float
    log: float
    link: float
    daily: float
    profiles: float
    connections: float


def need(costs: Mapping[str, Cost], events: float, opens: float, profiles: float) -> Need:
    """Return the needs of a shop with so many events and opens a second, and profiles of EVENTS events each.

    Messages come in batches, as Segment's servers send them. Half of the opens are new pictures, the others repeat one.
    """
    batch, derived = costs["a message in a batch of 100"], costs["deriving from a message"]
    again, picture = costs["the same picture again"], costs["an open as a new picture"]
    half = opens / 2
    ingest, worker = events * batch.wetink / 1e6 / BUSY, events * derived.wetink / 1e6 / BUSY
    drawn = half * (again.wetink + picture.wetink) / 1e6 / BUSY
    database = (events * batch.database + half * (again.database + picture.database)) / 1e6 / BUSY
    return Need(
        ingest, worker, drawn, database,
        log=(events * batch.log + half * (again.log + picture.log)) / 1e6,
        link=(events * batch.link + half * (again.link + picture.link)) / 1e6,
        daily=events * batch.disk * 86_400 / 1e9,
        profiles=profiles * EVENTS * batch.disk / 1e9,
        connections=sum(max(1, round(each)) for each in (ingest, worker, drawn)) * 10,
    )  # fmt: skip


def write(small: Mapping[str, Cost], large: Mapping[str, Cost]) -> None:
    """Write the tables of docs/scale.md anew; its text stays."""
    text = PAGE.read_text("utf-8")
    costs = "".join(_line(name, *map("{:,.0f}".format, msgspec.structs.astuple(each))) for name, each in large.items())
    checks = "".join(
        _line(each.name.removeprefix("scale: "), each.told, f"{each.ratio:.2f}") for each in figures(small, large)
    )
    needs = "".join(_row(large, *size) for size in SIZES)
    for name, table in (
        ("machine", machine().rstrip("\n") + "\n"),
        ("costs", costs),
        ("checks", checks),
        ("needs", needs),
    ):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        head = "".join(line for line in rest.split(end)[0].splitlines(True)[: HEADS[name]])
        text = f"{before}{begin}{head}{table}{end}{rest.split(end, 1)[1]}"
    PAGE.write_text(text, "utf-8")


HEADS = {"machine": 0, "costs": 2, "checks": 2, "needs": 2}
"""Lines at the beginning of each table that stay."""


def _row(costs: Mapping[str, Cost], events: int, opens: int, millions: int) -> str:
    numbers = msgspec.structs.astuple(need(costs, events, opens, millions * 1e6))
    cells = [f"{number:,.1f}" if number < 10 else f"{number:,.0f}" for number in numbers]
    return _line(f"{events:,}", f"{opens:,}", f"{millions} million", *cells)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    write(*costs_of(SMALL, LARGE))
