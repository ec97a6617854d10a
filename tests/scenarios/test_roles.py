"""Roles: two processes of each over one folder act as one wetink, and each may be killed or frozen at any time."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpcore
import pytest

from tests.serving import Server
from tests.storage import opened
from wetink.core.identity.identifier import Identifier
from wetink.ports.storage import Lease
from wetink.web.request import now_ms
from wetink.worker import TASKS

BLOCK = """
data: true
recipients: [user]
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/"}
"""
AUDIENCE = """
rule:
  - {done: Product Viewed}
"""
ROLES = ("ingest", "open", "worker")
TAKEOVER_SECONDS = 10.0
PATIENCE_SECONDS = 60.0


def until(holds: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Return the first true value of `holds`."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)
    return found


class Cluster:
    """Two processes of each role, over one folder."""

    def __init__(self, data: Path, log: Path) -> None:
        self.data, self._log, self._http = data, log, httpcore.ConnectionPool(retries=0)
        for name, text in {"blocks/seen.yaml": BLOCK, "audiences/lookers.yaml": AUDIENCE}.items():
            (data / "content" / name).parent.mkdir(parents=True, exist_ok=True)
            (data / "content" / name).write_text(text)
        self.key = json.loads(self.command("keys", "create", "shop", "--host", "shop.example", "--json"))["writeKey"]
        self._store = opened(data, now_ms)
        self.servers: dict[tuple[str, int], Server] = {}
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.start, *zip(*((role, number) for role in ROLES for number in (0, 1)), strict=True)))

    def start(self, role: str, number: int) -> None:
        log = self._log / f"{role}-{number}.log"
        more = {"role": role, "audience_seconds": "1"}
        if (before := self.servers.get((role, number))) is not None:
            before.__exit__(None, None, None)
        self.servers[role, number] = Server(self.data, workers=1, log=log, settings=more).__enter__()
        until(lambda: self.state(role, number)["status"] == "ready")

    def command(self, *arguments: str) -> str:
        whole = [sys.executable, "-m", "wetink", *arguments, "--data", str(self.data)]
        return subprocess.run(whole, capture_output=True, text=True, check=True, timeout=60).stdout

    def ask(self, role: str, number: int, method: str, path: str, body: object = None) -> httpcore.Response:
        content = None if body is None else json.dumps(body).encode()
        return self._http.request(method, self.servers[role, number].address + path, content=content)

    def state(self, role: str, number: int) -> Any:
        return json.loads(self.ask(role, number, "GET", "/readyz").content)

    def send(self, number: int, type_: str, **message: object) -> None:
        assert self.ask("ingest", number, "POST", f"/v1/{type_}", {**message, "writeKey": self.key}).status == 200

    def shown(self, number: int, user: str) -> list[str]:
        answer = json.loads(self.ask("open", number, "GET", f"/d/seen.json?user={user}").content)
        return [item["key"] for item in answer["items"]]

    def is_member(self, user: str) -> bool:
        """Return whether a worker process has put a person into the audience."""
        return asyncio.run(self._store.memberships.since("lookers", Identifier("user", user))) is not None

    def live_through(self, user: str, one: int, other: int) -> None:
        """A person is identified and looks at a mug through one ingest process; the other serves their open."""
        self.send(one, "identify", userId=user, traits={"email": f"{user}@shop.example"})
        self.send(one, "track", userId=user, event="Product Viewed", properties=MUG)
        assert self.shown(other, user) == ["mug"]
        assert self.ask("open", one, "GET", f"/o/seen/1.jpg?user={user}").content.startswith(b"\xff\xd8\xff")

    def held(self) -> list[tuple[str, int]]:
        """Return the scheduled tasks with the worker that holds the lease of each."""
        pids = {self.servers["worker", number].process.pid: number for number in (0, 1)}
        leases = [(each.name.split(" ")[0], int(each.holder.split(":")[1])) for each in self._leases()]
        return [(name, pids[pid]) for name, pid in leases if pid in pids and not name.startswith("ready")]

    def _leases(self) -> Sequence[Lease]:
        return asyncio.run(self._store.leases.held())

    def holder(self, task: str) -> int | None:
        return next((number for name, number in self.held() if name == task), None)

    def close(self) -> None:
        self._http.close()
        asyncio.run(self._store.close())
        for server in self.servers.values():
            server.__exit__(None, None, None)


MUG = {"sku": "mug", "name": "Mug", "url": "https://shop.example/mug", "price": 9}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    place = tmp_path_factory.mktemp("cluster")
    made = Cluster(place / "data", place)
    yield made
    made.close()


def test_events_go_into_one_process_and_another_serves_the_open(cluster: Cluster) -> None:
    cluster.live_through("ann", 0, 1)
    cluster.live_through("bob", 1, 0)
    until(lambda: cluster.is_member("ann") and cluster.is_member("bob"))


@pytest.mark.parametrize("role", ["ingest", "open"])
def test_the_other_process_goes_on_when_one_is_killed(cluster: Cluster, role: str) -> None:
    for number in (0, 1):
        cluster.servers[role, number].kill()
        kept = 1 - number
        cluster.live_through(f"{role}-{number}", kept, kept)
        cluster.start(role, number)
        cluster.live_through(f"{role}-{number}-again", number, number)
    until(lambda: cluster.is_member(f"{role}-1-again"))


def test_each_scheduled_task_has_exactly_one_holder(cluster: Cluster) -> None:
    leased = sorted(task.name for task in TASKS if task.leased)
    until(lambda: sorted(name for name, _ in cluster.held()) == leased)


def test_another_process_takes_over_the_tasks_of_a_killed_one(cluster: Cluster) -> None:
    until(lambda: cluster.holder("audiences") is not None)
    lost = cluster.holder("audiences") or 0
    cluster.servers["worker", lost].kill()
    until(lambda: cluster.holder("audiences") == 1 - lost, TAKEOVER_SECONDS)
    cluster.send(0, "track", userId="cleo", event="Product Viewed", properties=MUG)
    until(lambda: cluster.is_member("cleo"))
    cluster.start("worker", lost)


def test_another_process_takes_over_the_tasks_of_a_frozen_one(cluster: Cluster) -> None:
    until(lambda: cluster.holder("audiences") is not None)
    frozen = cluster.holder("audiences") or 0
    pid = cluster.servers["worker", frozen].process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: cluster.holder("audiences") == 1 - frozen, TAKEOVER_SECONDS)
    finally:
        os.kill(pid, signal.SIGCONT)
    cluster.send(0, "track", userId="dan", event="Product Viewed", properties=MUG)
    until(lambda: cluster.is_member("dan"))
    assert cluster.holder("audiences") == 1 - frozen, "it does not take its task back when it wakes"
