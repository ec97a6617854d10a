"""Peers: wetink beside unleash-server, one core each, in the same minute, both warmed.

Five rules about the last 90 days of people with 50 events each, all of whom this server is asked for first, beside five
flags that are on for a segment: two conditions on values which each request brings along. A track, on the disk before
its answer, beside a report of metrics, which unleash-server counts in memory and writes later. The programs start over
data that is there; PostgreSQL is running before unleash-server starts, and its memory counts.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import msgspec

from bench import opens, tracks
from bench.figure import Figure
from bench.load import Outcome, press, request
from bench.peers.unleash import TOKEN, Unleash, target, unleash
from bench.program import answering, free_port
from bench.server import CORES, key_of, one_core, serving

PEOPLE, WARMING, CONNECTIONS = 10_000, 1_000, 32
SECONDS, WARM_SECONDS, ROUNDS = 1.0, 8.0, 6
IDLE_SECONDS = 10.0
BLOCK = "five-rules"
_RULES = """
variants:
  - {name: ordered, app: last-viewed, when: [{done: Order Completed, within: 30d}]}
  - {name: spent, app: last-viewed, when: [{sum: total, of: Order Completed, within: 90d, above: 100}]}
  - {name: cart, app: last-viewed, when: [{cart: {value: {above: 50}}}]}
  - {name: searched, app: last-viewed, when: [{done: Products Searched, where: {query: {contains: mug}}, within: 30d}]}
  - name: looked
    app: last-viewed
    when: [{done: Product Viewed, where: {price: {above: 20}}, within: 30d, at_least: 3}]
fallback: {title: Something new, link: "https://shop.example/"}
"""
"""The fifth holds, so that all are asked."""


def measure() -> list[Figure]:
    """Return the figures beside unleash-server."""
    folder = tempfile.TemporaryDirectory(prefix="wetink-bench-", dir=".build")
    with folder as place, one_core(CORES[0]), unleash(Path(place)) as peer:
        time.sleep(IDLE_SECONDS)
        idle = peer.server.memory() + peer.database.memory()
        return [*_at_rest(peer, idle, Path(place)), _opens(peer.port), _tracks(peer.port, Path(place))]


def _opens(port: int) -> Figure:
    data = opens.built(PEOPLE)
    (data / "content" / "blocks" / f"{BLOCK}.yaml").write_text(_RULES)
    ours, theirs = [], []
    asked = opens.asks(data, opens.shuffled(PEOPLE), block=BLOCK)
    flags = [request("GET", target(number), authorization=TOKEN) for number in range(PEOPLE)]
    _press(port, flags, WARM_SECONDS)
    for _ in range(ROUNDS):
        opens.forget_opens(data)
        with serving(data) as settings:
            _press(settings.port, asked[:WARMING])
            ours.append(_press(settings.port, asked[WARMING:]))
        theirs.append(_press(port, flags))
    assert all(outcome.count < PEOPLE - WARMING for outcome in ours), "nobody is asked for twice"
    return _beside("JSON of five rules for people not seen before to five flags", ours, theirs, 2.0)


def _tracks(port: int, place: Path) -> Figure:
    ours, theirs = [], []
    bodies = tracks.bodies()
    now = "2026-01-01T00:00:00.000Z"
    counts = {"flag-0": {"yes": 1, "no": 0, "variants": {}}}
    body = {"appName": "bench", "instanceId": "bench", "bucket": {"start": now, "stop": now, "toggles": counts}}
    headers = {"authorization": TOKEN, "content-type": "application/json"}
    report = [request("POST", "/api/frontend/client/metrics", msgspec.json.encode(body), **headers)]
    _press(port, report, WARM_SECONDS)
    for turn in range(ROUNDS):
        data = place / f"tracks-{turn}"
        key = key_of(data)
        events = [request("POST", "/v1/track", body, authorization=key) for body in bodies]
        with serving(data) as settings:
            _press(settings.port, events[: len(events) // 2])
            ours.append(_press(settings.port, events[len(events) // 2 :]))
        theirs.append(_press(port, report))
    return _beside("single tracks on the disk to metrics counted in memory", ours, theirs, 2.0)


def _at_rest(peer: Unleash, idle: float, place: Path) -> list[Figure]:
    """Return how soon a server answers first, and what it weighs while nobody asks."""
    seconds, memory, processes = [], [], 0
    data, log = place / "idle", place / "wetink.log"
    key_of(data)
    for _ in range(ROUNDS):
        port = free_port()
        command = (sys.executable, "-m", "wetink", "serve", "--data", str(data), "--port", str(port))
        with answering(*command, url=f"http://127.0.0.1:{port}/d/last-viewed/nobody.json", log=log) as program:
            time.sleep(IDLE_SECONDS / 2)
            seconds.append(program.seconds)
            memory.append(program.memory())
            processes = len(program.family())
    return [
        Figure(
            "peer: start to the first answer, unleash-server's to wetink's",
            peer.server.seconds / min(seconds), 1.0,
            f"{min(seconds):.2f} s, unleash-server {peer.server.seconds:.2f} s",
            _row(
                "from the start to the first answer", f"{min(seconds):.2f} s", f"{peer.server.seconds:.2f} s",
                peer.server.seconds / min(seconds),
            ),
        ),
        Figure(
            "peer: memory while idle, unleash-server's with PostgreSQL to wetink's",
            idle / median(memory), 1.0,
            f"{median(memory):.0f} MB in {processes} processes, unleash-server {idle:.0f} MB",
            _row(
                "memory while idle", f"{median(memory):.0f} MB", f"{idle:.0f} MB with PostgreSQL",
                idle / median(memory),
            ),
        ),
    ]  # fmt: skip


def _press(port: int, requests: list[bytes], seconds: float = SECONDS) -> Outcome:
    return press(port, requests, connections=CONNECTIONS, seconds=seconds, core=CORES[-1])


def _beside(name: str, ours: list[Outcome], theirs: list[Outcome], goal: float) -> Figure:
    best, peer = (max(outcomes, key=lambda outcome: outcome.rate) for outcomes in (ours, theirs))
    told = f"{best.rate:,.0f}/s, unleash-server {peer.rate:,.0f}/s"
    mine, other = (
        f"{each.rate:,.0f}/s; p50 {each.quantile(0.5):.1f} ms, p99 {each.quantile(0.99):.1f} ms"
        for each in (best, peer)
    )
    ratio = best.rate / peer.rate
    return Figure(f"peer: {name}", ratio, goal, told, _row(name, mine, other, ratio))


def _row(name: str, ours: str, theirs: str, ratio: float) -> dict[str, str]:
    return {"measured": name, "wetink": ours, "unleash-server": theirs, "ratio": f"{ratio:.1f}"}
