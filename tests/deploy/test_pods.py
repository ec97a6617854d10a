"""The pods of the manifests as processes: their commands start, their probes answer, and SIGTERM ends them in time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpcore
import yaml

from bench.program import free_port
from tests.deploy.files import KUBERNETES, image, pods
from tests.postgresql import shared

READY_SECONDS = 60.0
"""Seconds within which a pod that has started must be ready."""


class Pod:
    """A pod that runs as a process, with ports of its own, and asked as its probes say."""

    def __init__(self, folder: Path, template: Any, place: Path, secret: str) -> None:
        """Start it with the settings of its folder; `secret` is the store, for a pod that has it from a secret."""
        [self._container] = template["spec"]["containers"]
        self.name, self.grace = self._container["args"], template["spec"]["terminationGracePeriodSeconds"]
        self._port, self._metrics = free_port(), free_port()
        [generated] = yaml.safe_load((folder / "kustomization.yaml").read_text())["configMapGenerator"]
        known = {**os.environ, **image().environment, **dict(pair.split("=", 1) for pair in generated["literals"])}
        known |= {"PATH": os.environ["PATH"], "HOME": str(place), "WETINK_DATA": str(place / "data")}
        known |= {"WETINK_PORT": str(self._port), "WETINK_METRICS": f"0.0.0.0:{self._metrics}"}
        if any("secretRef" in each for each in self._container["envFrom"]):
            known["WETINK_STORE"] = secret
        place.mkdir()
        self.log = place / "log"
        with self.log.open("wb") as log:
            command = [sys.executable, "-P", "-m", "wetink", *self._container["args"]]
            self.process = subprocess.Popen(command, cwd=place, env=known, stdout=log, stderr=log)

    def passes(self, name: str) -> bool:
        """Return whether a probe passes once, within its time."""
        probe = self._container[name]
        timeout = float(probe.get("timeoutSeconds", 1))
        return self._answers(self._port, probe["httpGet"]["path"], timeout)

    def has_metrics(self) -> bool:
        return self._answers(self._metrics, "/metrics", 10.0)

    def comes_to_pass(self, name: str) -> None:
        """Ask as often as a probe does, until it passes. It may fail so often, and no more, before the pod is ended."""
        probe = self._container[name]
        for _ in range(probe["failureThreshold"]):
            if self.passes(name):
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(probe["periodSeconds"])
        raise AssertionError(f"{self.name}: {name} fails: {self.log.read_text()}")

    @staticmethod
    def _answers(port: int, path: str, timeout: float) -> bool:
        waits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        try:
            with httpcore.ConnectionPool() as http:
                answer = http.request("GET", f"http://127.0.0.1:{port}{path}", extensions={"timeout": waits})
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.RemoteProtocolError):
            return False
        return 200 <= answer.status < 400


@contextmanager
def running(place: Path, database: str) -> Iterator[list[Pod]]:
    """Run every pod of the manifests: the one with SQLite, and those of the roles over one PostgreSQL."""
    made: list[Pod] = []
    try:
        for folder in KUBERNETES:
            made.extend(
                [Pod(folder, each, place / f"{folder.name}-{n}", database) for n, each in enumerate(pods(folder))]
            )
        yield made
    finally:
        for pod in made:
            pod.process.kill()
            pod.process.wait()


def live(pod: Pod) -> None:
    """Start, become ready, drain and end, as the manifest says."""
    pod.comes_to_pass("startupProbe")
    until = time.monotonic() + READY_SECONDS
    while not pod.passes("readinessProbe"):
        assert time.monotonic() < until, f"{pod.name} is not ready: {pod.log.read_text()}"
        time.sleep(0.2)
    assert pod.passes("livenessProbe")
    assert pod.has_metrics()
    pod.process.send_signal(signal.SIGTERM)
    until = time.monotonic() + pod.grace
    while pod.passes("readinessProbe"):
        assert time.monotonic() < until, f"{pod.name} is sent more requests"
        time.sleep(0.2)
    assert pod.process.wait(until - time.monotonic()) == 0, pod.log.read_text()


def test_every_pod_starts_becomes_ready_and_ends_in_time(tmp_path: Path) -> None:
    server = shared()
    server.sql("CREATE DATABASE pods")
    with running(tmp_path, server.address("pods")) as started, ThreadPoolExecutor(len(started)) as pool:
        assert len(started) == 5
        list(pool.map(live, started))


def test_a_pod_without_its_store_lives_on_and_is_not_ready(tmp_path: Path) -> None:
    with running(tmp_path, "postgresql://wetink@127.0.0.1:9/wetink") as started:
        lost = [pod for pod in started if "--role" in pod.name]
        for pod in lost:
            pod.comes_to_pass("startupProbe")
        for pod in lost:
            assert pod.passes("livenessProbe"), "Kubernetes would end it, and its fallbacks"
            assert not pod.passes("readinessProbe")
