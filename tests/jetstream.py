"""A real NATS cluster for tests, with JetStream: three nodes by default, from the binary of a package."""

import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from tempfile import mkdtemp

from bench.program import free_port
from tests.proxy import Proxy

BINARY = Path(sys.executable).parent / "nats-server"
LIMIT = 90.0
"""How long servers may take to find each other, in seconds: long, since a machine may be busy with other tests."""


class Node:
    """One server of a cluster. It keeps its data and its ports over a restart."""

    def __init__(self, folder: Path, name: str, port: int, cluster: int, monitor: int, routes: list[int]) -> None:
        self.port, self.monitor, self.folder = port, monitor, folder
        others = ", ".join(f'"nats://127.0.0.1:{each}"' for each in routes)
        joined = (
            f"cluster {{ name: test, listen: 127.0.0.1:{cluster}, no_advertise: true, routes: [{others}] }}"
            if routes
            else ""
        )
        self.config = folder / f"{name}.conf"
        self._sync = "always"
        self._text = (
            f"server_name: {name}\nlisten: 127.0.0.1:{port}\nhttp: 127.0.0.1:{monitor}\n{joined}\n"
            f'jetstream {{ store_dir: "{folder / name}", sync_interval: SYNC }}\n'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, sync: str = "always") -> None:
        """Start it with a setting of `sync_interval`; without JetStream if that is empty."""
        text = self._text.replace("SYNC", sync) if sync else self._text.partition("jetstream {")[0]
        self.config.write_text(text)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([BINARY, "-c", str(self.config)], stdout=log, stderr=log)

    def send(self, how: int) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        if how in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(LIMIT)
            self.process = None

    def healthy(self) -> bool:
        """Return whether it answers and its part of JetStream is current."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class Cluster:
    """Nodes that hold streams together."""

    def __init__(self, nodes: int = 3, sync: str = "always", *, cuttable: bool = False) -> None:
        """Start them. If they are `cuttable`, `links` are between them."""
        self.folder = Path(mkdtemp(prefix="wetink-nats-"))
        ports = [free_port() for _ in range(nodes)]
        pairs = list(permutations(range(nodes), 2))
        self.links = {pair: Proxy(ports[pair[1]]) for pair in pairs} if cuttable else {}
        there = {pair: self.links[pair].port if cuttable else ports[pair[1]] for pair in pairs}
        self.nodes = [
            Node(
                *(self.folder, f"n{number}", free_port(), ports[number], free_port()),
                [there[pair] for pair in pairs if pair[0] == number],
            )
            for number in range(nodes)
        ]
        try:
            for node in self.nodes:
                node.start(sync)
            self.wait()
        except BaseException:
            self.remove()
            raise

    def links_of(self, *nodes: int) -> list[Proxy]:
        """Return the links between two nodes, or those of one node to all others."""
        return [link for pair, link in self.links.items() if {*nodes} <= {*pair}]

    @property
    def address(self) -> str:
        return "nats://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def wait(self) -> None:
        """Wait until all nodes are healthy."""
        until = time.monotonic() + LIMIT
        while not all(node.healthy() for node in self.nodes):
            assert time.monotonic() < until, (self.folder / "log").read_text()[-2_000:]
            time.sleep(0.05)

    def remove(self) -> None:
        for node in self.nodes:
            if node.process is not None:
                node.send(signal.SIGKILL)
        for link in self.links.values():
            link.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def cluster(nodes: int = 3, sync: str = "always", *, cuttable: bool = False) -> Iterator[Cluster]:
    """Run a cluster for the length of a `with`."""
    made = Cluster(nodes, sync, cuttable=cuttable)
    try:
        yield made
    finally:
        made.remove()
