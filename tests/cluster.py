"""A cluster of two processes of each role over PostgreSQL and three NATS servers, and the faults of each process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.jetstream import Cluster as Nats
from tests.postgresql import Server as Postgres
from tests.proxy import Proxy
from tests.serving import Server

ROLES = ("ingest", "open", "worker")
BLOCK = """
data: true
recipients: [user]
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/", title: Hello}
"""
DATABASE = "wetink"


class Member:
    """One process of wetink with its own folder, and its links to the database and the stream."""

    def __init__(self, role: str, number: int, folder: Path, postgres: Postgres, nats: Nats) -> None:
        self.role, self.name, self._folder = role, f"{role} {number}", folder / f"{role}-{number}"
        self.database = Proxy(postgres.port)
        self.stream = [Proxy(node.port) for node in nats.nodes]
        self.server: Server | None = None
        self.down = False

    @property
    def settings(self) -> dict[str, str]:
        hosts = ",".join(f"127.0.0.1:{link.port}" for link in self.stream)
        return {
            "store": f"postgresql://wetink@127.0.0.1:{self.database.port}/{DATABASE}",
            "log": f"nats://{hosts}",
            "role": self.role,
        }

    def start(self) -> None:
        log = self._folder.with_suffix(".log")
        self.server = Server(self._folder, workers=1, log=log, settings=self.settings).__enter__()

    def family(self) -> list[psutil.Process]:
        assert self.server is not None
        process = psutil.Process(self.server.process.pid)
        return [process, *process.children(recursive=True)]

    def close(self) -> str:
        """End it, and return what was wrong with its end."""
        wrong = ""
        if self.server is not None:
            try:
                self.server.__exit__(None, None, None)
            except subprocess.TimeoutExpired:
                wrong = f"{self.name} did not end after SIGTERM"
                self.server.process.send_signal(signal.SIGABRT)  # its log shows where it hangs
                self.server.process.wait(20)
        for link in (self.database, *self.stream):
            link.close()
        return wrong


class Fault(NamedTuple):
    """A fault, the role of the process that has it (empty for a server of others), and what makes and mends it."""

    name: str
    role: str
    run: Callable[[float], None]


class Cluster:
    """All processes, and what can be done to them."""

    def __init__(self, folder: Path) -> None:
        self.postgres = Postgres(durable=True, max_connections="200")
        self.postgres.sql(f"CREATE DATABASE {DATABASE}")
        self.nats = Nats(cuttable=True)
        self.members = [Member(role, number, folder, self.postgres, self.nats) for role in ROLES for number in (0, 1)]
        content = folder / "worker-0" / "content" / "blocks"
        content.mkdir(parents=True)
        (content / "seen.yaml").write_text(BLOCK)
        self.key = self._made_key(self.members[4], folder)
        self._pool, self._starts = ThreadPoolExecutor(), dict[str, Future[None]]()
        list(self._pool.map(Member.start, self.members))

    def _made_key(self, member: Member, folder: Path) -> str:
        given = {f"WETINK_{name.upper()}": text for name, text in member.settings.items() if name != "role"}
        command = [sys.executable, "-m", "wetink", "keys", "create", "shop", "--host", "shop.example", "--json"]
        command += ["--data", str(folder / "worker-0")]
        given = {**os.environ, **given}
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=True, timeout=60)
        return str(json.loads(done.stdout)["writeKey"])

    def of(self, role: str) -> list[Member]:
        return [member for member in self.members if member.role == role]

    def possible(self, fault: Fault) -> bool:
        """Return whether one of the processes that it leaves alone is there for clients. Raises what a start raised."""
        start = self._starts.get(fault.role)
        if start is not None and start.done():
            start.result()
            del self._starts[fault.role]
        return fault.role not in self._starts

    def faults(self) -> list[Fault]:
        """Return all faults. Each lasts for a time and is mended when it returns, but a killed process starts later."""
        found: list[Fault] = []
        for each in self.members:
            found += [
                Fault(f"kill {each.role}", each.role, partial(self._kill, each)),
                Fault(f"freeze {each.role}", each.role, partial(self._freeze, each)),
                Fault(f"cut {each.role} from the database", each.role, partial(_cut, [each.database])),
                Fault(f"cut {each.role} from the stream", each.role, partial(_cut, each.stream)),
            ]
        for number, node in enumerate(self.nats.nodes):
            alone, pair = self.nats.links_of(number), self.nats.links_of(number, (number + 1) % 3)
            found += [
                Fault("kill a NATS server", "", partial(self._kill_node, node)),
                Fault("freeze a NATS server", "", partial(self._freeze_node, node)),
                Fault("cut a NATS server from the others", "", partial(self._part, alone)),
                Fault("cut two NATS servers from each other", "", partial(self._part, pair)),
            ]
        found += [
            Fault("kill PostgreSQL", "", self._kill_postgres),
            Fault("freeze PostgreSQL", "", self._freeze_postgres),
        ]
        return found

    def _kill(self, member: Member, seconds: float) -> None:
        """Kill a process. Its start takes long on a busy machine: meanwhile others of other roles may fail."""
        member.down = True
        family = member.family()
        _each(family, "kill")
        psutil.wait_procs(family, 20)
        assert member.server is not None
        member.server.process.wait(20)
        time.sleep(seconds / 4)
        self._starts[member.role] = self._pool.submit(self._restart, member)

    def _restart(self, member: Member) -> None:
        member.start()
        member.down = False

    def _freeze(self, member: Member, seconds: float) -> None:
        member.down = True
        _suspend(member.family(), seconds)
        member.down = False

    def _kill_node(self, node: Any, seconds: float) -> None:
        node.send(signal.SIGKILL)
        time.sleep(seconds / 2)
        node.start()
        self.nats.wait()

    def _freeze_node(self, node: Any, seconds: float) -> None:
        node.send(signal.SIGSTOP)
        time.sleep(seconds)
        node.send(signal.SIGCONT)
        self.nats.wait()

    def _part(self, links: Sequence[Proxy], seconds: float) -> None:
        _cut(links, seconds)
        self.nats.wait()

    def _kill_postgres(self, seconds: float) -> None:
        family = self.postgres.family()
        _each(family, "kill")
        psutil.wait_procs(family, 20)
        self.postgres.stop(signal.SIGKILL)
        time.sleep(seconds / 2)
        self.postgres.start()

    def _freeze_postgres(self, seconds: float) -> None:
        _suspend(self.postgres.family(), seconds)

    def close(self) -> list[str]:
        """End all processes, and return what was wrong with their starts and ends."""
        with self._pool as pool:
            wrong = [f"{start.exception()}" for start in self._starts.values() if start.exception()]
            wrong += [each for each in pool.map(Member.close, self.members) if each]
        self.nats.remove()
        self.postgres.remove()
        return wrong


def _cut(links: Sequence[Proxy], seconds: float) -> None:
    for link in links:
        link.cut()
    time.sleep(seconds)
    for link in links:
        link.mend()


def _suspend(family: Sequence[psutil.Process], seconds: float) -> None:
    _each(family, "suspend")
    time.sleep(seconds)
    _each(family, "resume")


def _each(family: Sequence[psutil.Process], what: str) -> None:
    for process in family:
        with suppress(psutil.NoSuchProcess):  # a session may have ended
            getattr(process, what)()
