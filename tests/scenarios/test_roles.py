"""Roles: two processes of each over one store act as one wetink, and each may be killed or frozen at any time.

With SQLite they share a folder. With PostgreSQL each has a folder of its own, as on machines of their own.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpcore
import pytest

from tests.postgresql import shared
from tests.serving import Server
from wetink.core.identity.identifier import Identifier
from wetink.ports.storage import Lease
from wetink.store import engine_of
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

    def __init__(self, place: Path, database: str = "") -> None:
        self._place, self._database, self._http = place, database, httpcore.ConnectionPool(retries=0)
        self._runner, self._servers = asyncio.Runner(), dict[tuple[str, int], Server]()
        for folder in {self._folder(role, number) for role in ROLES for number in (0, 1)}:
            for name, text in {"blocks/seen.yaml": BLOCK, "audiences/lookers.yaml": AUDIENCE}.items():
                (folder / "content" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "content" / name).write_text(text)
        self._address = database or f"sqlite:///{self._folder('ingest', 0)}"
        self._store = engine_of(self._address).open(self._address, now_ms, archive_days=1, archive_bytes=1 << 20)
        made = self._runner.run(self._store.sources.create_key("shop", "server", ("shop.example",), now_ms()))
        self.key = made.write_key
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.start, *zip(*((role, number) for role in ROLES for number in (0, 1)), strict=True)))

    @property
    def folders(self) -> int:
        """The number of folders that workers have."""
        return len({self._folder("worker", number) for number in (0, 1)})

    def _folder(self, role: str, number: int) -> Path:
        return self._place / (f"{role}-{number}" if self._database else "data")

    def start(self, role: str, number: int) -> None:
        log = self._place / f"{role}-{number}.log"
        more = {"role": role, "audience_seconds": "1", "store": self._address}
        if (before := self._servers.get((role, number))) is not None:
            before.__exit__(None, None, None)
        self._servers[role, number] = Server(self._folder(role, number), workers=1, log=log, settings=more).__enter__()
        until(lambda: self.state(role, number)["status"] == "ready")

    def kill(self, role: str, number: int) -> None:
        self._servers[role, number].kill()

    def pid(self, role: str, number: int) -> int:
        return self._servers[role, number].process.pid

    def ask(self, role: str, number: int, method: str, path: str, body: object = None) -> httpcore.Response:
        content = None if body is None else json.dumps(body).encode()
        return self._http.request(method, self._servers[role, number].address + path, content=content)

    def state(self, role: str, number: int) -> Any:
        return json.loads(self.ask(role, number, "GET", "/readyz").content)

    def send(self, number: int, type_: str, **message: object) -> None:
        assert self.ask("ingest", number, "POST", f"/v1/{type_}", {**message, "writeKey": self.key}).status == 200

    def shown(self, number: int, user: str) -> list[str]:
        answer = json.loads(self.ask("open", number, "GET", f"/d/seen.json?user={user}").content)
        return [item["key"] for item in answer["items"]]

    def is_member(self, user: str) -> bool:
        """Return whether a worker process has put a person into the audience."""
        return self._runner.run(self._store.memberships.since("lookers", Identifier("user", user))) is not None

    def live_through(self, user: str, one: int, other: int) -> None:
        """A person is identified and looks at a mug through one ingest process; the other serves their open."""
        self.send(one, "identify", userId=user, traits={"email": f"{user}@shop.example"})
        self.send(one, "track", userId=user, event="Product Viewed", properties=MUG)
        assert self.shown(other, user) == ["mug"]
        assert self.ask("open", one, "GET", f"/o/seen/1.jpg?user={user}").content.startswith(b"\xff\xd8\xff")

    def held(self) -> list[tuple[str, int]]:
        """Return the scheduled tasks with the worker that holds the lease of each."""
        pids = {self.pid("worker", number): number for number in (0, 1)}
        leases = [(each.name.split(" ")[0], int(each.holder.split(":")[1])) for each in self._leases()]
        return [(name, pids[pid]) for name, pid in leases if pid in pids and name != "ready"]

    def _leases(self) -> Sequence[Lease]:
        return self._runner.run(self._store.leases.held())

    def holder(self, task: str) -> int | None:
        return next((number for name, number in self.held() if name == task), None)

    def close(self) -> None:
        self._http.close()
        self._runner.run(self._store.close())
        self._runner.close()
        for server in self._servers.values():
            server.__exit__(None, None, None)


MUG = {"sku": "mug", "name": "Mug", "url": "https://shop.example/mug", "price": 9}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def cluster(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    database = ""
    if request.param == "postgresql":
        shared().sql("CREATE DATABASE roles")
        database = shared().address("roles")
    made = Cluster(tmp_path_factory.mktemp("cluster"), database)
    yield made
    made.close()
    if database:
        shared().sql("DROP DATABASE roles")


def test_events_go_into_one_process_and_another_serves_the_open(cluster: Cluster) -> None:
    cluster.live_through("ann", 0, 1)
    cluster.live_through("bob", 1, 0)
    until(lambda: cluster.is_member("ann") and cluster.is_member("bob"))


@pytest.mark.parametrize("role", ["ingest", "open"])
def test_the_other_process_goes_on_when_one_is_killed(cluster: Cluster, role: str) -> None:
    for number in (0, 1):
        cluster.kill(role, number)
        kept = 1 - number
        cluster.live_through(f"{role}-{number}", kept, kept)
        cluster.start(role, number)
        cluster.live_through(f"{role}-{number}-again", number, number)
    until(lambda: cluster.is_member(f"{role}-1-again"))


def test_each_scheduled_task_has_exactly_one_holder(cluster: Cluster) -> None:
    store = [task.name for task in TASKS if task.leased == "store"]
    folder = [task.name for task in TASKS if task.leased == "folder"] * cluster.folders
    until(lambda: sorted(name for name, _ in cluster.held()) == sorted([*store, *folder]))


def test_another_process_takes_over_the_tasks_of_a_killed_one(cluster: Cluster) -> None:
    until(lambda: cluster.holder("audiences") is not None)
    lost = cluster.holder("audiences") or 0
    cluster.kill("worker", lost)
    until(lambda: cluster.holder("audiences") == 1 - lost, TAKEOVER_SECONDS)
    cluster.send(0, "track", userId="cleo", event="Product Viewed", properties=MUG)
    until(lambda: cluster.is_member("cleo"))
    cluster.start("worker", lost)


def test_another_process_takes_over_the_tasks_of_a_frozen_one(cluster: Cluster) -> None:
    until(lambda: cluster.holder("audiences") is not None)
    frozen = cluster.holder("audiences") or 0
    pid = cluster.pid("worker", frozen)
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: cluster.holder("audiences") == 1 - frozen, TAKEOVER_SECONDS)
    finally:
        os.kill(pid, signal.SIGCONT)
    cluster.send(0, "track", userId="dan", event="Product Viewed", properties=MUG)
    until(lambda: cluster.is_member("dan"))
    assert cluster.holder("audiences") == 1 - frozen, "it does not take its task back when it wakes"
