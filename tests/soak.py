"""`make soak`: mixed load for ten minutes, or as long as you say, that fails when anything drifts.

    python -m tests.soak [MINUTES] [--leak=minute|request]

A real server of two processes with small caches, over HTTP: new and known people identify, browse and buy; their emails
are opened as pictures and data and clicked; the dashboard's pages are read. Every quarter of a minute it looks at the
memory, descriptors and threads of each process, and at how long requests took. It stops by itself, and touches only
loopback.

Memory is judged by the minute and by the request: on a busy machine a leak by the request hides in the minute, on an
idle one a leak by the minute hides in the request. Caches count entries, so a burst of requests fills them before the
watch begins, however slow the machine is. With `--leak`, the server leaks a megabyte a minute or a kilobyte a request,
and the soak must fail.
"""

import asyncio
import base64
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click
import httpcore
import msgspec
import psutil

from tests.serving import Server
from wetink.cli.common import with_wetink
from wetink.web.request import now_ms
from wetink.wiring import Wetink

LOOK_SECONDS = 15.0
WARM_SHARE = 0.4
"""The part of the run, and of its requests, in which caches may still fill."""
FILL_BATCHES, BATCH, FILL_OPENS = 60, 100, 600
"""Batches of messages, messages of each, and opens that fill the caches before the watch begins."""
MOST_MEGABYTES_A_MINUTE = 0.8
"""More than this is drift. It is below 1, so that a leak of a megabyte a minute exceeds it."""
MOST_KILOBYTES_A_REQUEST = 0.9
"""More than this, of all workers together, is drift. It is below 1, so that a leak of a kilobyte a request exceeds it.
"""
LEAST_REQUESTS = 4_000
"""Fewer than these after the warm-up show nothing: what fragments grow by until they level off is more than the limit.
"""
MOST_DESCRIPTORS, MOST_THREADS = 40, 10
"""How many more there may be at the end than after the warm-up."""
MOST_SLOWER, SLOW_FLOOR_MS = 3.0, 60.0
"""How many times as long the slowest twentieth of requests may take at the end, if it takes longer than the floor."""
PEOPLE, PRODUCTS = 2_000, 300
GOODBYE_SHARE = 0.02
"""The share of requests that end their connection, so that all workers get their part."""
PAUSE_SECONDS = 0.004
BLOCKS = ("last-viewed", "abandoned-cart")
PAGES = ("", "/live", "/people", "/reports?days=7", "/catalog", "/audiences", "/blocks")


class Look(msgspec.Struct):
    """What one look at the server's processes showed."""

    minute: float
    megabytes: dict[str, float]
    descriptors: int
    threads: int
    requests: int = 0
    """Requests answered until then."""


class Load:
    """Sends requests of every kind, and notes how long each took."""

    def __init__(self, address: str, key: str, token: str) -> None:
        self._http = httpcore.AsyncConnectionPool(max_connections=16)
        self._address, self._token = address, token
        self._login = {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
        self._cookie = ""
        self._random = random.Random(7)
        self.times: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.wrong: dict[str, int] = defaultdict(int)
        self._new = 0

    @property
    def count(self) -> int:
        """Number of answered requests."""
        return sum(map(len, self.times.values()))

    async def fill(self) -> None:
        """Fill the caches of all workers, as fast as the server answers."""
        for _ in range(FILL_BATCHES):
            views = [
                {"type": "track", "userId": self._who(), "event": "Product Viewed", "properties": self._product()}
                for _ in range(BATCH)
            ]
            headers = {**self._login, "connection": "close"}  # the next one may go to another worker
            await self._ask("POST", "/v1/batch", {"batch": views}, headers)
        kinds = [self._picture, self._data, self._click]
        await asyncio.gather(*(self._repeat(kinds, FILL_OPENS // 4) for _ in range(4)))

    async def _repeat(self, kinds: list[Callable[[], Awaitable[int]]], count: int) -> None:
        for _ in range(count):
            await self._random.choice(kinds)()

    async def run(self, until: float, begun: float) -> None:
        await self._sign_in()
        kinds: list[tuple[str, Callable[[], Awaitable[int]], int]] = [
            ("track", self._track, 50), ("newcomer", self._newcomer, 10), ("order", self._order, 3),
            ("picture", self._picture, 15), ("data", self._data, 25), ("click", self._click, 5),
            ("page", self._page, 1),
        ]  # fmt: skip
        weights = [weight for _, _, weight in kinds]
        while time.monotonic() < until:
            name, ask, _ = self._random.choices(kinds, weights)[0]
            start = time.monotonic()
            status = await ask()
            self.times[name].append((start - begun, (time.monotonic() - start) * 1000))
            if status not in (200, 302, 303, 304):
                self.wrong[f"{name} {status}"] += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        content = msgspec.json.encode(body) if body is not None and not isinstance(body, bytes) else body
        if self._random.random() < GOODBYE_SHARE:
            headers = {**(headers or {}), "connection": "close"}
        return await self._http.request(method, self._address + path, content=content, headers=headers)

    async def _sign_in(self) -> None:
        form = f"token={self._token}".encode()
        kind = {"content-type": "application/x-www-form-urlencoded", "origin": self._address}
        answer = await self._ask("POST", "/dashboard/login", form, kind)
        cookie = dict(answer.headers).get(b"set-cookie", b"").decode()
        assert cookie, f"signing in answered {answer.status}"
        self._cookie = cookie.partition(";")[0]

    def _who(self) -> str:
        return f"user-{self._random.randrange(PEOPLE)}"

    def _product(self) -> dict[str, Any]:
        number = self._random.randrange(PRODUCTS)
        return {
            "sku": f"S-{number}", "name": f"Product {number}", "url": f"https://shop.example/{number}",
            "price": 10 + number, "currency": "EUR", "category": f"Category {number % 12}",
        }  # fmt: skip

    async def _send(self, kind: str, message: dict[str, Any]) -> int:
        answer = await self._ask("POST", f"/v1/{kind}", {"type": kind, **message}, self._login)
        return int(answer.status)

    async def _track(self) -> int:
        event = self._random.choice(("Product Viewed", "Product Viewed", "Product Added", "Product Removed"))
        return await self._send("track", {"userId": self._who(), "event": event, "properties": self._product()})

    async def _newcomer(self) -> int:
        self._new += 1
        who = f"new-{self._new}"
        await self._send("track", {"anonymousId": who, "event": "Product Viewed", "properties": self._product()})
        traits = {"email": f"{who}@shop.example", "firstName": "Jo", "plan": self._random.choice(("gold", "basic"))}
        return await self._send("identify", {"anonymousId": who, "userId": who, "traits": traits})

    async def _order(self) -> int:
        product = self._product()
        properties = {"order_id": str(self._random.random()), "total": product["price"], "currency": "EUR",
                      "products": [{**product, "quantity": 1}]}  # fmt: skip
        return await self._send("track", {"userId": self._who(), "event": "Order Completed", "properties": properties})

    async def _picture(self) -> int:
        return await self._open("/o/{}/1.jpg")

    async def _data(self) -> int:
        return await self._open("/d/{}.json")

    async def _open(self, path: str) -> int:
        address = path.format(self._random.choice(BLOCKS))
        answer = await self._ask("GET", f"{address}?user={self._who()}&campaign=c{self._random.randrange(50)}")
        return int(answer.status)

    async def _click(self) -> int:
        block = self._random.choice(BLOCKS)
        return int((await self._ask("GET", f"/c/{block}/1?user={self._who()}")).status)

    async def _page(self) -> int:
        path = self._random.choice(PAGES)
        return int((await self._ask("GET", f"/dashboard{path}", headers={"cookie": self._cookie})).status)


def look(running: Server, begun: float, requests: int) -> Look:
    """Look at the server's processes: those that serve by number, their drawers together."""
    server = psutil.Process(running.process.pid)
    megabytes: dict[str, float] = {}
    descriptors = threads = number = 0
    drawing, serving = 0.0, running.children
    for process in (server, *server.children(recursive=True)):
        try:
            line, held = " ".join(process.cmdline()), process.memory_full_info().uss / (1 << 20)
            descriptors, threads = descriptors + process.num_fds(), threads + process.num_threads()
        except psutil.Error:
            continue  # it has just ended
        if "wetink.sandbox" in line:
            drawing += held
        elif process.pid in serving:
            number += 1
            megabytes[f"worker {number}"] = held
    return Look((time.monotonic() - begun) / 60, {**megabytes, "drawers": drawing}, descriptors, threads, requests)


async def story(server: Server, key: str, token: str, minutes: float) -> int:
    """Load the server and watch it; return how many things drift."""
    load = Load(server.address, key, token)
    await load.fill()
    begun = time.monotonic()
    until = begun + minutes * 60
    running = asyncio.gather(*(load.run(until, begun) for _ in range(3)))
    looks = []
    while not running.done():
        await asyncio.wait([running], timeout=LOOK_SECONDS)
        looks.append(look(server, begun, load.count))
        held = "  ".join(f"{name} {size:6.1f} MB" for name, size in looks[-1].megabytes.items())
        counts = f"{looks[-1].descriptors} fds  {looks[-1].threads} threads  {looks[-1].requests} requests"
        click.echo(f"{looks[-1].minute:5.1f} min  {held}  {counts}")
    await running
    return judged(looks, load, minutes)


def trend(points: list[tuple[float, float]]) -> float:
    """Return the growth: the median of the slopes between all pairs, which single peaks do not change.

    >>> trend([(0.0, 80.0), (1.0, 81.0), (2.0, 99.0), (3.0, 83.0), (4.0, 84.0)])
    1.0
    """
    return statistics.median((y - x) / (b - a) for (a, x), (b, y) in itertools.combinations(points, 2) if b > a)


def growth_by_request(looks: list[Look]) -> list[str]:
    """Return what drifts in the memory of all workers together, by the request."""
    requests = looks[-1].requests - looks[0].requests
    if requests < LEAST_REQUESTS:
        return [f"only {requests} requests were answered after the warm-up: run it for longer"]
    workers = {name for name in looks[0].megabytes if name.startswith("worker")}
    whole = [each for each in looks if workers <= each.megabytes.keys()]
    points = [(float(each.requests), 1024 * sum(each.megabytes[name] for name in workers)) for each in whole]
    slope = trend(points)
    click.echo(f"workers: {slope:+.2f} KB a request, {requests} requests")
    return [f"workers grow by {slope:.2f} KB a request"] if slope > MOST_KILOBYTES_A_REQUEST else []


def judged(looks: list[Look], load: Load, minutes: float) -> int:
    """Print what drifts; return how many things do."""
    late = [each for each in looks if each.minute >= minutes * WARM_SHARE]
    drifts = growth_by_request([each for each in looks if each.requests >= looks[-1].requests * WARM_SHARE])
    for name in late[0].megabytes:
        points = [(each.minute, each.megabytes[name]) for each in late if name in each.megabytes]
        slope = trend(points)
        click.echo(f"{name}: {slope:+.2f} MB a minute, {late[-1].megabytes[name]:.0f} MB at the end")
        if slope > MOST_MEGABYTES_A_MINUTE:
            drifts.append(f"{name} grows by {slope:.2f} MB a minute")
    if late[-1].descriptors - late[0].descriptors > MOST_DESCRIPTORS:
        drifts.append(f"descriptors: {late[0].descriptors}, then {late[-1].descriptors}")
    if late[-1].threads - late[0].threads > MOST_THREADS:
        drifts.append(f"threads: {late[0].threads}, then {late[-1].threads}")
    for name, times in load.times.items():
        cut = minutes * 60 * (1 + WARM_SHARE) / 2
        early = [took for at, took in times if minutes * 60 * WARM_SHARE <= at < cut]
        last = [took for at, took in times if at >= cut]
        if min(len(early), len(last)) < 20:
            continue
        before, after = (sorted(each)[int(len(each) * 0.95)] for each in (early, last))
        click.echo(f"{name}: {len(times)} requests, p95 {before:.1f} ms, then {after:.1f} ms")
        if after > max(SLOW_FLOOR_MS, before * MOST_SLOWER):
            drifts.append(f"{name} takes {after:.0f} ms (p95), {before:.0f} ms before")
    drifts += [f"{count} answers were {what}" for what, count in load.wrong.items()]
    for each in drifts:
        click.echo(f"DRIFTS: {each}")
    return len(drifts)


@click.command()
@click.argument("minutes", type=float, default=10.0)
@click.option("--leak", type=click.Choice(["minute", "request"]), help="Leak on purpose, to see it fail.")
def main(minutes: float, leak: str | None) -> None:
    """Run it for as many minutes as the argument says."""
    with tempfile.TemporaryDirectory(prefix="wetink-soak-") as place:
        data = Path(place) / "data"

        async def key_of(wetink: Wetink) -> str:
            return (await wetink.store.sources.create_key("soak", "server", ["shop.example"], now_ms())).write_key

        key = with_wetink(str(data), key_of, makes=True)
        for block in BLOCKS:
            file = data / "content" / "blocks" / f"{block}.yaml"
            file.write_text(f"{file.read_text()}\nrecipients: [user]\n")
        if leak:
            os.environ["SOAK_LEAK"] = leak  # read by tests.small_caches
        with Server(data, workers=2, module="tests.small_caches") as server:
            drifts = asyncio.run(story(server, key, (data / "dashboard.token").read_text().strip(), minutes))
    sys.exit(1 if drifts else 0)


if __name__ == "__main__":
    main()
