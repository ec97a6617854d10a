"""Programs that answer HTTP, for the length of a `with`: seconds to the first answer, memory of all processes."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import httpx2
import psutil

PATIENCE = 180.0
"""Seconds that a program has until its first answer."""


class Program(NamedTuple):
    """A program that is running, and the seconds from its start to its first answer."""

    process: psutil.Process
    seconds: float = 0.0

    def family(self) -> list[psutil.Process]:
        """Return its process and all below it."""
        return [self.process, *self.process.children(recursive=True)]

    def memory(self) -> float:
        """Return the memory of its processes (MB). What they share counts once (PSS)."""
        return float(sum(process.memory_full_info().pss for process in self.family()) / 1e6)


@contextlib.contextmanager
def running(*command: str | Path, log: Path, env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """Run a program until the end of the `with`; its output goes to `log`."""
    with log.open("ab") as output:
        child = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(env or {})})
    program = Program(psutil.Process(child.pid))
    try:
        yield program
    finally:
        family = program.family()
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
        for process in family:  # a wrapper may have passed nothing on
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        child.wait()


@contextlib.contextmanager
def answering(
    *command: str | Path, url: str, log: Path, env: Mapping[str, str] | None = None, token: str = ""
) -> Iterator[Program]:
    """Run a program, and enter once it answers `url` with 200. Raise RuntimeError when it ends or takes too long."""
    begun = time.perf_counter()
    with running(*command, log=log, env=env) as program, httpx2.Client(headers={"authorization": token}) as client:
        while (seconds := time.perf_counter() - begun) < PATIENCE and program.process.status() != psutil.STATUS_ZOMBIE:
            with contextlib.suppress(httpx2.TransportError):
                if client.get(url).status_code == 200:
                    yield program._replace(seconds=time.perf_counter() - begun)
                    return
            time.sleep(0.005)
        raise RuntimeError(f"{command[0]} did not answer within {seconds:.0f} s: {log.read_text()[-2000:]}")


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
