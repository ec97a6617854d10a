"""Pages: the server's time and the weight of every page of the dashboard, over a shop of 1,000,000 profiles.

The shop has the demo's blocks and some more, four messages of each profile, 1,500,000 opens and clicks and 90,000
orders of 90 days. Each page is read once, and then 20 times in turn: the table has the median, in milliseconds with
HTTP over loopback, and kilobytes compressed, alone and with its styles and scripts. Both stores are built once,
under .build, and kept for three days.
"""

import asyncio
import gzip
import random
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx2
from msgspec.structs import replace

from bench import crowd
from bench.figure import Figure
from tests.desk import MORE, address_of, furnished, name_of, pages
from tests.postgresql import Server as Postgres
from wetink.core.client_classification import classify, facts_of
from wetink.core.events.event import Event, Order
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.attribution import Touch
from wetink.core.signals.date_range import DAY_MS
from wetink.demo.run import prepare, serving
from wetink.ports import Record
from wetink.settings import Settings
from wetink.wiring import Wetink

PROFILES, EVENTS, TOUCHES, DAYS = 1_000_000, 4, 1_500_000, 90
ORDERS = 0.03
"""The part of the messages that are orders."""
PRODUCTS, BLOCKS = 4_000, 20
"""Products and blocks beside the demo's."""
ROUNDS = 20
MOST_MS, MOST_KB = 100.0, 150.0
OLD_MS = 3 * DAY_MS
"""A folder older than this is built anew."""
AT_ONCE = 20_000
PATIENCE = 1_800.0
"""Seconds that the server has to derive everything from the messages."""
MORE_REPORTS = {
    f"reports-{name}": f"/dashboard/reports?{query}"
    for name, query in {
        "90-days": "range=90d",
        "90-days-block": "range=90d&block=extra-3",
        "variant": "range=90d&by=block,variant",
        "campaign": "range=90d&by=campaign",
        "of-a-campaign": "range=90d&campaign=send-20",
        "day": "range=90d&by=day",
        "weekday": "range=90d&by=weekday",
        "device": "range=90d&by=device",
        "audience": "range=90d&by=audience",
        "of-a-device": "range=90d&device=phone",
    }.items()
}
BLOCK = """title: {title}
variants:
{variants}fallback: {{link: "{address}/demo/shop", title: Come in}}
"""
AGENTS = (
    (30, "Mozilla/5.0"),
    (20, "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"),
    (
        25,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    ),
    (5, "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"),
    (18, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Thunderbird/140.4.0"),
    (2, "Barracuda Sentinel (EE)"),
)


class Cost(NamedTuple):
    """The median of a page's times (ms), and its compressed weight alone and with its styles and scripts (KB)."""

    ms: float
    alone: float
    whole: float


def measure() -> list[Figure]:
    """Return a figure for each page: the greatest time over its own on SQLite, with its time on PostgreSQL."""
    place = Path(".build") / f"pages-{PROFILES}"
    found = costs(place)
    with postgres(place.with_name(f"{place.name}-postgresql")) as (data, store):
        others = costs(data, store)
    return [
        Figure(
            f"pages: {MOST_MS:.0f} ms to the server's time of {name} over {PROFILES:,} profiles",
            MOST_MS / max(cost.ms, others[name].ms),
            1.0,
            f"SQLite {cost.ms:.0f} ms, PostgreSQL {others[name].ms:.0f} ms; {cost.whole:.0f} KB",
            {
                "page": name,
                "SQLite, ms": f"{cost.ms:.0f}",
                "PostgreSQL, ms": f"{others[name].ms:.0f}",
                "KB": f"{cost.alone:.0f}",
                "KB with styles and scripts": f"{cost.whole:.0f}",
            },
        )
        for name, cost in sorted(found.items(), key=lambda each: -each[1].ms)
    ]


@contextmanager
def postgres(place: Path) -> Iterator[tuple[Path, str]]:
    """Run PostgreSQL over the database kept in `place`; yield the shop's folder and the address of the store."""
    data = place / "data"
    if not _is_complete(data):
        shutil.rmtree(place, ignore_errors=True)
    server = Postgres(folder=place / "server", max_wal_size="4GB", shared_buffers="1GB")
    try:
        if not data.exists():
            server.sql("CREATE DATABASE wetink")
        yield data, server.address("wetink")
    finally:
        server.stop()


def costs(data: Path, store: str = "") -> dict[str, Cost]:
    """Return the cost of each page by name. The shop is built first if it is not there."""
    settings = built(data, store)
    with serving(settings), httpx2.Client(base_url=settings.address, timeout=600, follow_redirects=True) as client:
        client.get("/dashboard/login", params={"token": (settings.data / "dashboard.token").read_text().strip()})
        asyncio.run(_caught_up(settings))
        named = {**{name_of(path): path for path in pages()}, **MORE, **MORE_REPORTS}
        addresses = {name: address_of(path, lambda other: client.get(other).text) for name, path in named.items()}
        found = {}
        for name, address in addresses.items():
            begun = time.perf_counter()
            answer = client.get(address)
            first = (time.perf_counter() - begun) * 1000
            if "<html" not in answer.text:
                continue
            times = [_timed(client, address) for _ in range(ROUNDS)]
            found[name] = Cost(median(times), *_weight(client, answer.text))
            print(f"{name:32} {found[name].ms:8.1f} ms, first {first:8.0f} ms", file=sys.stderr, flush=True)
    return found


def _timed(client: httpx2.Client, address: str) -> float:
    begun = time.perf_counter()
    client.get(address).read()
    return (time.perf_counter() - begun) * 1000


def _weight(client: httpx2.Client, text: str) -> tuple[float, float]:
    """Return the kilobytes of a page, compressed, alone and with its styles and scripts."""
    alone = len(gzip.compress(text.encode(), 6)) / 1000
    linked = set(re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js)[^"]*)"', text))
    return alone, alone + sum(len(gzip.compress(client.get(each).content, 6)) for each in linked) / 1000


async def _caught_up(settings: Settings) -> None:
    """Wait until the server has derived everything from the messages, and do the rest of what its worker does."""
    until = time.monotonic() + PATIENCE
    async with Wetink(settings, draws=False) as wetink:
        while any((left := await wetink.store.projections.behind()).values()):
            if time.monotonic() > until:
                raise RuntimeError(f"the server has not derived everything: {left}")
            await asyncio.sleep(2)
        while await wetink.reports.prepare(wetink.content):
            pass
        await wetink.crowd.prepare()


def built(data: Path, store: str = "") -> Settings:
    """Return the settings of the shop, made when it is not there. Audiences are computed once a day."""
    if not _is_complete(data):
        now = time.time_ns() // 1_000_000
        shutil.rmtree(data, ignore_errors=True)
        settings = prepare(data / "shop", "127.0.0.1", 0, store)
        for number in range(BLOCKS):
            variants = "".join(f"  - {{name: {each}, app: last-viewed}}\n" for each in ("seen", "picked", "new"))
            text = BLOCK.format(title=f"Extra {number}", variants=variants, address=settings.address)
            (settings.content / "blocks" / f"extra-{number}.yaml").write_text(text)
        with furnished(settings):
            pass
        asyncio.run(_build(replace(settings, audience_seconds=86_400), now))
        _complete(data).write_text(str(now))
    return replace(prepare(data / "shop", "127.0.0.1", 0, store), audience_seconds=86_400)


def _complete(data: Path) -> Path:
    return data / "complete"


def _is_complete(data: Path) -> bool:
    """Return whether a shop was built to its end, and lately."""
    mark = _complete(data)
    return mark.exists() and time.time_ns() // 1_000_000 - int(mark.read_text()) <= OLD_MS


async def _build(settings: Settings, now: int) -> None:
    chance, begun = random.Random(11), time.monotonic()
    async with Wetink(settings, draws=False) as wetink:
        waiting: list[Record] = []
        for number in range(PROFILES):
            waiting += _messages(number, chance, now)
            if len(waiting) >= AT_ONCE or number == PROFILES - 1:
                await wetink.store.log.append(waiting)
                waiting = []
            if number % 50_000 == 0:
                print(f"{number:,} profiles in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        blocks = {name: [each.name for each in block.variants] for name, block in wetink.content.blocks.items()}
        for count, touch in enumerate(_touches(chance, now, blocks)):
            await wetink.store.ledger.record(touch)
            if count % AT_ONCE == 0:
                await wetink.store.ledger.touches((), 0, 0)  # writes what waits
            if count % 200_000 == 0:
                print(f"{count:,} opens and clicks in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        await wetink.store.ledger.touches((), 0, 0)  # writes what waits


def _messages(number: int, chance: random.Random, now: int) -> Iterator[Record]:
    """Yield the messages of a profile: an identify, and three views or orders."""
    filed = Identifier("user", crowd.name_of(number))
    for place in range(EVENTS):
        at = now - 1 - int(chance.random() * DAYS * DAY_MS)
        said = {"at": at, "message_id": f"{number}-{place}", "source": "bench", "user": filed.value}
        item = crowd.product(chance.randrange(PRODUCTS))
        if place == 0:
            event = Event("identify", **said, traits={"plan": crowd.PLANS[number % 4], "age": 18 + number % 60})  # type: ignore[arg-type]
        elif chance.random() < ORDERS:
            order = Order(order_id=f"o-{number}-{place}", total=item.price, currency="EUR")
            event = Event("track", **said, name="Order Completed", products=(item,), order=order)  # type: ignore[arg-type]
        else:
            event = Event("track", **said, name="Product Viewed", products=(item,))  # type: ignore[arg-type]
        yield Record("bench", event.message_id, at, at, crowd.RAW, "usable", filed=filed, event=event)


def _touches(chance: random.Random, now: int, blocks: Mapping[str, Sequence[str]]) -> Iterator[Touch]:
    """Yield opens and clicks: each email has three blocks, and is opened within days of one of the daily sends."""
    agents, names = [agent for share, agent in AGENTS for _ in range(share)], sorted(blocks)
    read = {(agent, click): facts_of(agent, click=click) for _, agent in AGENTS for click in (False, True)}
    kinds = {key: classify(facts).kind for key, facts in read.items()}
    for number in range(TOUCHES // 3):
        sent = chance.randrange(DAYS)
        at = now - 1 - int((sent + chance.random()) * DAY_MS) + int(chance.expovariate(1 / (1.5 * DAY_MS)))
        if at >= now:
            continue
        agent, click = chance.choice(agents), chance.random() < 0.03
        who = f"user:{crowd.name_of(chance.randrange(PROFILES))}"
        for block in chance.sample(names, 3):
            key = agent, click
            kind = "click" if click and kinds[key] != "prefetch" else "open"
            yield Touch(
                *(kind, block, who, f"send-{sent}", at + number % 900),
                *(chance.choice([*blocks[block], ""]), kinds[key], read[key]),
                human=kinds[key] not in ("prefetch", "scanner"),
            )
