"""Server: one process for each core, all equal, on one address. Children never outlive their parent.

After the first signal, a process answers `/readyz` with 503, takes requests for the setting `drain_seconds`, answers
those in progress, writes pending counts, gives up its leases and ends. Each of these has a limit; whatever hangs is
logged by name. A second signal ends it at once.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from errno import EADDRINUSE
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import NamedTuple

import uvicorn
import uvloop
from msgspec.structs import replace

from wetink import heap
from wetink.core import client_classification
from wetink.core.errors import BadSettings, Unavailable
from wetink.ending import end_after
from wetink.sandbox.child import die_with_parent
from wetink.sandbox.forkserver import fork_server
from wetink.settings import Settings
from wetink.telemetry import metrics, tracing
from wetink.telemetry.memory import Memory
from wetink.web import logs
from wetink.web.protocol import HttpProtocol
from wetink.web.scrape import scraped
from wetink.wiring import Wetink
from wetink.worker import SHOWING, Worker, tasks_of

logger = logging.getLogger(__name__)

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 30
STOP_SECONDS, END_SECONDS = 10, 15
"""How long requests in progress may take after the drain, and everything else after that, in seconds."""
SIGNALS = signal.SIGTERM, signal.SIGINT
SWITCH_SECONDS = 0.0005
"""Interpreter switch interval in seconds: how long the committing thread and the event loop may block each other."""
MOST_DESCRIPTORS = 65_536
BEAT_SECONDS = 1.0
"""Interval of a process's heartbeat to its parent, in seconds."""
PAUSE_SECONDS = 5.0
"""If the parent itself stalls for this long, in seconds, it gives its children new time."""
START_SECONDS = 60.0
"""Time to start, in seconds, on top of the time without heartbeats."""
Ready = Callable[[str], object]


def run(settings: Settings, *, app: str = "wetink.web.app:create", ready: Ready) -> None:
    """Serve until a signal stops it. Calls `ready` with the address once it answers.

    `app` names a function that makes the ASGI application of a Wetink. Raises BadSettings if the address is taken.
    """
    _take_descriptors()
    listening = _listen(settings.host, settings.port, "--host and --port")
    try:
        scrapes = _listen(*settings.metrics, "WETINK_METRICS") if settings.metrics else None
    except BadSettings:
        listening.close()
        raise
    settings = replace(settings, port=listening.getsockname()[1])
    place = Place(listening, scrapes, Memory(settings.workers + 1))
    if settings.workers == 1:
        uvloop.run(_serve(settings, app, place, lambda: ready(settings.address)))
    else:
        _Parent(settings, app, place).run(ready)


class Place(NamedTuple):
    """The sockets of a process, and its row in the numbers of all processes. Row 0 belongs to the parent."""

    listening: socket.socket
    scrapes: socket.socket | None
    memory: Memory
    row: int = 1


def _take_descriptors() -> None:
    """Raise the limit of open files as far as the system allows: each connection needs one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, MOST_DESCRIPTORS)), hard))


def _listen(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # unnamed, answers wait for ACKs
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        hint = "choose another port, or end the program that uses it"
        if error.errno != EADDRINUSE:
            hint = "use 127.0.0.1, 0.0.0.0 for all addresses, or another address of this machine"
        raise BadSettings(f"{setting}: cannot listen on {host}:{port}: {error.strerror}", hint=hint) from error
    listening.listen(BACKLOG)
    return listening


def _draws(settings: Settings) -> bool:
    return not settings.role.isdisjoint(SHOWING)


async def _serve(
    settings: Settings, app: str, place: Place, ready: Callable[[], object], *, in_child: bool = False
) -> None:
    """Serve in this process until a signal comes."""
    metrics.use(place.memory, place.row)
    tracing.begin(os.environ)
    module, _, name = app.partition(":")
    heap.bound_arenas()
    if "open" in settings.role:
        client_classification.prepare()
    async with (
        Wetink(settings, draws=_draws(settings), patient=True) as wetink,
        Worker(wetink, tasks_of(settings.role)),
        scraped(wetink, place.scrapes),
    ):
        application = getattr(import_module(module), name)(wetink)
        heap.settle()
        sys.setswitchinterval(SWITCH_SECONDS)
        config = uvicorn.Config(
            application,
            proxy_headers=False,
            http=HttpProtocol,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=True,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        server = _Server(config)

        def drain() -> None:
            wetink.health.draining = True
            loop, stop = asyncio.get_running_loop(), settings.drain_seconds + STOP_SECONDS
            loop.call_later(settings.drain_seconds, server.end)
            loop.call_later(stop + 1, serving.cancel)
            end_after(stop + END_SECONDS)

        _on_signals(drain, in_child=in_child)
        serving = asyncio.create_task(server.serve(sockets=[place.listening]))
        while not server.started and not serving.done():  # noqa: ASYNC110 (uvicorn tells in no other way)
            await asyncio.sleep(0.01)
        if server.started:
            metrics.started(time.time_ns() / 1e9)
            ready()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
    tracing.end()


class _Server(uvicorn.Server):
    """uvicorn's server without its handling of signals: that raises a signal again before the store is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave all signals to others."""
        yield

    def end(self) -> None:
        """Stop listening, answer the requests in progress, and end."""
        self.should_exit = True


def _on_signals(drain: Callable[[], None], *, in_child: bool) -> None:
    """Call `drain` in the running event loop after the first signal. A second signal ends the process at once.

    A child process has its signals from its parent, whose end ends it, and perhaps the same ones from a supervisor.
    """
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM,) if in_child else SIGNALS

    def first() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN if in_child else _end_now)
        drain()

    for number in numbers:
        loop.add_signal_handler(number, first)


def _end_now(number: int, _: object) -> None:
    os._exit(128 + number)  # not by the signal itself: the kernel keeps it from a container's first process


class _Parent:
    """Starts, replaces and ends the child processes."""

    def __init__(self, settings: Settings, app: str, place: Place) -> None:
        self._settings, self._app, self._place = settings, app, place
        metrics.use(place.memory, 0)
        self._fork = multiprocessing.get_context("fork")
        self._children: dict[int, _Child] = {}
        self._stopping = False
        import_module(app.partition(":")[0])  # the children share what is imported by now
        heap.settle()
        if _draws(settings):
            fork_server().start()

    def run(self, ready: Ready) -> None:
        for number in SIGNALS:
            signal.signal(number, self._stop)
        begun = [self._start(row) for row in range(1, self._settings.workers + 1)]
        try:
            for each in begun:
                try:
                    if (error := each.reader.recv()) is not None:
                        raise error
                except EOFError:
                    if self._stopping:
                        return
                    raise Unavailable("the server did not start", hint="its log above says why") from None
                each.beat_at = time.monotonic()
            ready(self._settings.address)
            self._watch()
        finally:
            self._end()

    def _watch(self) -> None:
        """Replace children that ended, and end those without a recent heartbeat."""
        looked = time.monotonic()
        while not self._stopping:
            wait([*self._children, *(child.reader for child in self._children.values() if child.speaks)], timeout=1.0)
            now = time.monotonic()
            if now - looked > PAUSE_SECONDS:  # this process itself stalled, as when a laptop sleeps
                for child in self._children.values():
                    child.beat_at = now
            looked = now
            for sentinel, child in list(self._children.items()):
                child.listen(now)
                if self._stopping:
                    return
                if not child.process.is_alive():
                    self._replace(sentinel, f"ended by itself ({child.process.exitcode})")
                elif now - child.beat_at > self._settings.worker_timeout:
                    child.process.kill()
                    child.process.join()
                    self._replace(sentinel, f"did not answer for {self._settings.worker_timeout} s")

    def _start(self, row: int) -> "_Child":
        """Fork a child. This process has no threads, event loop or store, so none is torn by that."""
        reader, writer = self._fork.Pipe(duplex=False)
        process = self._fork.Process(
            target=_child,
            args=(self._settings, self._app, self._place._replace(row=row), writer, os.getpid()),
            name="wetink-worker",
        )
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # the child still has our handlers
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        writer.close()
        child = self._children[process.sentinel] = _Child(process, reader, time.monotonic() + START_SECONDS, row)
        return child

    def _replace(self, sentinel: int, why: str) -> None:
        child = self._children.pop(sentinel)
        child.reader.close()
        logger.error("process %s %s; another takes its place", child.process.pid, why)
        metrics.RESTARTS.add()
        if not self._stopping:
            self._start(child.row)

    def _stop(self, *_: object) -> None:
        self._stopping = True
        for number in SIGNALS:
            signal.signal(number, _end_now)
        self._terminate()

    def _terminate(self) -> None:
        """End all children. A child acts on the first signal only."""
        for child in self._children.values():
            if child.process.is_alive():
                child.process.terminate()

    def _end(self) -> None:
        self._place.listening.close()  # else the system goes on taking connections that nobody answers
        self._terminate()
        until = time.monotonic() + self._settings.drain_seconds + STOP_SECONDS + END_SECONDS + 2
        for child in self._children.values():
            child.process.join(max(0.0, until - time.monotonic()))
            if child.process.is_alive():
                child.process.kill()


class _Child:
    """A serving process, its last heartbeat (monotonic seconds), and its row of numbers."""

    def __init__(self, process: BaseProcess, reader: Connection, beat_at: float, row: int) -> None:
        self.process, self.reader, self.beat_at, self.row = process, reader, beat_at, row
        self.speaks = True

    def listen(self, now: float) -> None:
        """Read the heartbeats since the last call."""
        try:
            while self.speaks and self.reader.poll():
                self.reader.recv()
                self.beat_at = now
        except (EOFError, OSError):
            self.speaks = False


def _child(settings: Settings, app: str, place: Place, writer: Connection, parent: int) -> None:
    die_with_parent()
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its children
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    logs.begin(settings.log_format)
    try:
        uvloop.run(_serve(settings, app, place, lambda: _beat(writer), in_child=True))
    except BadSettings as error:
        writer.send(error)  # for the parent to report, once


def _beat(writer: Connection) -> None:
    """Send the parent a heartbeat now and every second while the event loop runs. A full pipe is ignored."""
    loop = asyncio.get_running_loop()
    os.set_blocking(writer.fileno(), False)
    with contextlib.suppress(OSError):
        writer.send(None)
    loop.call_later(BEAT_SECONDS, _beat, writer)
