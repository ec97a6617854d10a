"""Stream: what an acknowledgment by a majority of NATS servers costs beside SQLite's, and when an event is visible.

One process of the role ingest takes the same messages, first into SQLite, then into a stream of three servers that
write to the disk before they answer. The time of all their cores counts; that of the worker comes later. Then a process
of each role serves, and opens look for the event that was just acknowledged. All data is on the same disk.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import msgspec
import psutil

from bench.figure import Figure
from bench.load import Connection, request
from bench.messages import message, product, shopper
from bench.program import Program, answering, free_port
from bench.scale import BLOCK, cpu, send_once
from bench.server import key_of
from tests.jetstream import Cluster, cluster

ALONE, BATCHES, BATCH, CONNECTIONS, REST_SECONDS = 6_000, 120, 100, 64, 2.0
"""Messages that come alone, batches, messages in each, and the time for a start to be over."""
PROBES, PATIENCE, WITHIN = 400, 10.0, 0.1
"""Events that are looked for, seconds after which nobody looks any longer, and those in which one should be visible."""
GOAL, VISIBLE, ROUNDS = 0.7, 0.99, 3
KINDS = ("single tracks", f"batches of {BATCH}")


Costs: TypeAlias = list[tuple[float, float]]
"""The time of cores of each kind of message, in us: of the process that takes it, and of the servers beside it."""


def measure() -> list[Figure]:
    """Return the figures: acknowledgments for each core to SQLite's, and the part of events that are visible soon."""
    with tempfile.TemporaryDirectory(prefix="wetink-bench-") as place, cluster() as nodes:
        sqlite, stream = list[Costs](), list[Costs]()
        for turn in range(ROUNDS):
            sqlite.append(_costs(Path(place) / f"sqlite-{turn}", {}, lambda: 0.0))
            stream.append(_costs(Path(place) / f"stream-{turn}", _log(nodes, f"costs{turn}"), lambda: _cpu(nodes)))
        waits = _visible(Path(place) / "visible", _log(nodes, "visible"))
    figures = []
    for kind, name in enumerate(KINDS):
        ours, _ = min((costs[kind] for costs in sqlite), key=sum)
        own, servers = min((costs[kind] for costs in stream), key=sum)
        told = f"SQLite {ours:,.0f} us of a core a message, the stream {own:,.0f} in wetink"
        told += f" and {servers:,.0f} in its three servers"
        ratio = ours / (own + servers)
        figures.append(Figure(f"stream: {name} acknowledged for each core to SQLite's", ratio, GOAL, told))
    soon = sum(wait <= WITHIN for wait in waits) / len(waits)
    p50, p99 = (sorted(waits)[int(len(waits) * part)] * 1000 for part in (0.5, 0.99))
    told = f"from its acknowledgment to the end of the first open that shows it: p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    return [*figures, Figure(f"stream: events that are visible within {WITHIN * 1000:.0f} ms", soon, VISIBLE, told)]


def _log(nodes: Cluster, name: str) -> dict[str, str]:
    return {"WETINK_LOG": f"{nodes.address}?name={name}&monitoring=http://127.0.0.1:{nodes.nodes[0].monitor}"}


def _cpu(nodes: Cluster) -> float:
    return sum(cpu([psutil.Process(node.process.pid)]) for node in nodes.nodes if node.process is not None)


def _made(data: Path) -> str:
    """Make a data folder with a block, and return the header that authorizes messages."""
    (data / "content" / "blocks").mkdir(parents=True)
    (data / "content" / "blocks" / "seen.yaml").write_text(BLOCK)
    return key_of(data)


def _serving(stack: ExitStack, data: Path, role: str, env: dict[str, str]) -> tuple[Program, int]:
    port = free_port()
    command = [sys.executable, "-m", "wetink", "serve", "--role", role, "--workers", "1"]
    command += ["--data", str(data), "--port", str(port)]
    log = data.with_name(f"{data.name}-{role}.log")
    return stack.enter_context(answering(*command, url=f"http://127.0.0.1:{port}/readyz", log=log, env=env)), port


def _costs(data: Path, env: dict[str, str], beside: Callable[[], float]) -> Costs:
    """Take messages in. `beside` returns the time of cores (s) that the servers have used."""
    key, chance = _made(data), random.Random(7)
    views = [message(number, shopper(number, chance), chance) for number in range(ALONE + BATCHES * BATCH)]
    listed = [{"batch": views[start : start + BATCH]} for start in range(ALONE, len(views), BATCH)]
    single = [request("POST", "/v1/track", msgspec.json.encode(each), authorization=key) for each in views[:ALONE]]
    batches = [request("POST", "/v1/batch", msgspec.json.encode(each), authorization=key) for each in listed]
    with ExitStack() as stack:
        program, port = _serving(stack, data, "ingest", env)
        time.sleep(REST_SECONDS)

        def cost(requests: Sequence[bytes], count: int) -> tuple[float, float]:
            before, others = cpu(program.family()), beside()
            asyncio.run(send_once(port, list(requests), CONNECTIONS))
            return (cpu(program.family()) - before) / count * 1e6, (beside() - others) / count * 1e6

        cost(single[:500], 500)  # caches
        return [cost(single[500:], ALONE - 500), cost(batches, BATCHES * BATCH)]


def _visible(data: Path, env: dict[str, str]) -> list[float]:
    """Return how long events took from their acknowledgment to the end of the first open that shows them (s)."""
    key = _made(data)
    with ExitStack() as stack:
        ports = [_serving(stack, data, role, env)[1] for role in ("ingest", "worker", "open")]
        time.sleep(REST_SECONDS)
        return asyncio.run(_probed(ports[0], ports[2], key))


async def _probed(ingest: int, opens: int, key: str) -> list[float]:
    sender, reader = await Connection.to(ingest), await Connection.to(opens)
    waits = []
    for number in range(PROBES):
        seen = product(number) | {"sku": f"probe-{number}", "product_id": f"probe-{number}"}
        body = {"userId": f"u{number}", "event": "Product Viewed", "properties": seen, "messageId": f"probe-{number}"}
        await sender.ask(request("POST", "/v1/track", msgspec.json.encode(body), authorization=key))
        begun = time.perf_counter()
        while b"probe-%d" % number not in await reader.ask(request("GET", f"/d/seen.json?user=u{number}")):
            if time.perf_counter() - begun > PATIENCE:
                raise RuntimeError(f"event {number} is not visible")
        waits.append(time.perf_counter() - begun)
    sender.close()
    reader.close()
    return waits
