"""Fork server: one process for all processes of a server, started before these are forked or with the first worker.

It and other Python processes of wetink are started so that they import this wetink, in any current folder:
`python -m` looks there first, and a folder called `wetink` or a file called `json.py` would be imported instead.
"""

import atexit
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import wetink

KNOWN = ("PATH", "LANG", "LC_ALL", "HOME", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
"""Environment variables of such a process: nothing secret, and nothing that changes its imports."""

SAFE_PATH = "PYTHONSAFEPATH"
"""The variable that keeps Python from importing from the current folder, also in processes that libraries start."""


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of such a process, with `more` in it."""
    known = {name: os.environ[name] for name in KNOWN if name in os.environ}
    return {**known, SAFE_PATH: "1", "PYTHONPATH": str(Path(wetink.__file__).parent.parent), **(more or {})}


ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
"""One core for each worker: a fork loses the threads of a numeric library. More arenas reserve address space, which
gives a worker room beyond its limit."""


class ForkServer:
    """A process that forks workers. Safe for many threads and event loops, and for processes that are forked later."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start it for this process and those that it will fork. It ends after the last of them."""
        with self._lock:
            self._running()

    def leave(self) -> None:
        """Leave ending it to the process that this one was forked from."""
        self._process = None

    def start_worker(self, module: str) -> socket.socket:
        """Start a worker of a module; return the socket on which it will say hello."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            for attempt in (1, 2):  # it may have ended unnoticed
                try:
                    socket.send_fds(self._running(), [module.encode()], [theirs.fileno()])
                    break
                except OSError:
                    self._end()
                    if attempt == 2:
                        ours.close()
                        raise
        ours.setblocking(False)
        return ours

    def close(self) -> None:
        """End this process and all its workers."""
        with self._lock:
            self._end()

    def _running(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603
                    command("wetink.sandbox", str(theirs.fileno())),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # a native engine's messages about a person's page belong in no log
                    pass_fds=(theirs.fileno(),),
                    env=environment(ENVIRONMENT),
                )
        return self._control

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@cache
def fork_server() -> ForkServer:
    """Return this process's fork server."""
    made = ForkServer()
    atexit.register(made.close)
    os.register_at_fork(after_in_child=made.leave)
    return made
