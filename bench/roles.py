"""Roles: what a process for each role costs beside one that does everything, in requests for each second of a core.

Two ingest, two open and two worker processes get the same messages and opens as one embedded process. The time of all
their cores counts, that of scheduled work included.
"""

import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import psutil

from bench.figure import Figure
from bench.load import Connection, request
from bench.messages import message, shopper
from bench.program import Program, answering, free_port
from bench.server import key_of

TRACKS, OPENS, CONNECTIONS, ROUNDS = 8_000, 4_000, 16, 2
REST_SECONDS = 2.0
"""Time for a start to be over, and for what follows the log to read its end."""
BLOCK = """
data: true
recipients: [user]
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/"}
"""


def measure() -> list[Figure]:
    """Return the figure: requests for each second of a core with a process for each role, to one embedded process."""
    chance = random.Random(3)
    messages = [message(number, shopper(number, chance), chance) for number in range(TRACKS)]
    apart, together = [], []
    for _ in range(ROUNDS):
        together.append(_rate(messages, ["all"]))
        apart.append(_rate(messages, ["ingest", "ingest", "open", "open", "worker", "worker"]))
    ours, reference = max(apart), max(together)
    told = f"{ours:,.0f} requests for each second of a core in six processes, {reference:,.0f} in one"
    return [Figure("roles: two processes of each role to one embedded process", ours / reference, 0.6, told)]


def _rate(messages: Sequence[dict[str, Any]], roles: Sequence[str]) -> float:
    """Return the requests for each second of a core (1/s) of processes with these roles."""
    with tempfile.TemporaryDirectory(prefix="wetink-bench-", dir=".build") as place, ExitStack() as stack:
        data = Path(place) / "data"
        (data / "content" / "blocks").mkdir(parents=True)
        (data / "content" / "blocks" / "seen.yaml").write_text(BLOCK)
        key, ports, programs = key_of(data), dict[str, list[int]](), list[Program]()
        for role in roles:
            port = free_port()
            command = [sys.executable, "-m", "wetink", "serve", "--role", role, "--workers", "1"]
            command += ["--data", str(data), "--port", str(port)]
            program = answering(*command, url=f"http://127.0.0.1:{port}/readyz", log=Path(place) / "log")
            programs.append(stack.enter_context(program))
            ports.setdefault(role, []).append(port)
        ingest, opens = (ports.get(role, ports.get("all", [])) for role in ("ingest", "open"))
        tracks = [request("POST", "/v1/track", msgspec.json.encode(each), authorization=key) for each in messages]
        people = {each["userId"] for each in messages if "userId" in each}
        doors = [request("GET", f"/d/seen.json?user={who}") for who in sorted(people)]
        time.sleep(REST_SECONDS)
        before = _cpu(programs)
        asyncio.run(_ask(ingest, tracks))
        asyncio.run(_ask(opens, list(itertools.islice(itertools.cycle(doors), OPENS))))
        time.sleep(REST_SECONDS)
        return (TRACKS + OPENS) / (_cpu(programs) - before)


async def _ask(ports: Sequence[int], requests: list[bytes]) -> None:
    async def ask(port: int) -> None:
        connection = await Connection.to(port)
        while requests:
            await connection.ask(requests.pop())
        connection.close()

    await asyncio.gather(*(ask(ports[turn % len(ports)]) for turn in range(CONNECTIONS)))


def _cpu(programs: Sequence[Program]) -> float:
    """Return the seconds of cores that these programs have used, their drawers included."""
    times: list[float] = []
    for program in programs:
        for process in program.family():
            try:
                used = process.cpu_times()
            except psutil.NoSuchProcess:  # a worker that draws has just ended
                continue
            times.append(used.user + used.system)
    return sum(times)
