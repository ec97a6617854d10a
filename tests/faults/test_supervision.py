"""Processes, threads and tasks that die, hang or stand in an odd place are seen, told and replaced."""

import asyncio
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import httpcore
import psutil
import pytest

from tests.serving import Server
from wetink.core.errors import BadContent
from wetink.insights.health import Health
from wetink.store.sqlite.batch import BatchWriter, Queue

ROOT = Path(__file__).parents[2]
CONSOLE = Path(sys.executable).parent / "wetink"


def until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
def test_a_worker_that_no_longer_answers_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    monkeypatch.setenv("WETINK_WORKER_TIMEOUT", "4")
    with Server(tmp_path / "data", workers=2) as server:
        before = server.children
        assert len(before) == 2
        lost = min(before)
        os.kill(lost, how)
        assert until(lambda: lost not in server.children and len(server.children) == 2)
        assert len(server.children & before) == 1, "the other one goes on"
        with httpcore.ConnectionPool() as http:
            assert http.request("GET", f"{server.address}/healthz").status == 200


class Stumble(BaseException):
    """What nobody catches."""


def test_a_process_forks_others_only_while_it_has_no_threads(tmp_path: Path) -> None:
    with Server(tmp_path / "data", workers=2) as server:
        parent = psutil.Process(server.process.pid)
        assert until(lambda: parent.num_threads() == 1), "it looks for an owner, then only watches"


@pytest.mark.parametrize("error", [ValueError, MemoryError, SystemExit, Stumble])
def test_a_thread_that_writes_survives_whatever_is_raised(error: type[BaseException]) -> None:
    turns = threading.Semaphore(0)

    def write(rows: object) -> None:
        turns.release()
        raise error

    writer = BatchWriter("rows", apsw.Connection(":memory:"), {"rows": Queue(write, 9)}, seconds=0.001)
    for _ in range(5):
        writer.put("rows", 1)
        assert turns.acquire(timeout=30)
    assert writer.alive
    writer.close()
    assert writer.alive, "it was told to end"


class Pen:
    """Draws, or says why not."""

    def __init__(self) -> None:
        self.why = ""

    async def render(self, scene: object) -> None:
        if self.why:
            raise BadContent(self.why)


def test_health_names_each_part_that_fails() -> None:
    async def story() -> None:
        ended: list[str] = []
        tasks = [asyncio.create_task(asyncio.sleep(3600), name="follower"), asyncio.create_task(asyncio.sleep(0))]
        tasks[1].set_name("watch")
        pen = Pen()
        health = Health(pen, lambda: ended)  # type: ignore[arg-type]
        health.tasks = tasks
        assert health.failing() == {}
        await tasks[1]
        assert health.failing() == {}, "it was done"
        tasks[1] = asyncio.create_task(_raise(), name="watch")
        await asyncio.wait([tasks[1]])
        assert health.failing() == {"watch": "it has stopped: ValueError: gone"}
        tasks.pop()
        ended.append("ledger")
        assert health.failing() == {"ledger": "its thread has stopped"}
        ended.clear()
        pen.why = "no worker can be started"
        assert health.undrawable == "no picture has been drawn yet"
        assert await health.look(), "it is soon tried again"
        assert health.undrawable == "no worker can be started"
        pen.why = ""
        assert not await health.look()
        assert health.undrawable == ""
        pen.why = "no worker can be started"
        assert await health.look()
        assert health.undrawable == "", "one failure may be a busy machine"
        assert await health.look()
        assert health.undrawable == "no worker can be started"
        assert health.failing() == {}, "no other process could draw either"
        for task in tasks:
            task.cancel()

    async def _raise() -> None:
        raise ValueError("gone")

    asyncio.run(story())


def hostile(folder: Path) -> Path:
    """Make a folder whose files stand in the way of what Python imports."""
    folder.mkdir()
    trap = "raise SystemExit('taken from the current folder')\n"
    for name in ("wetink", "multiprocessing", "msgspec", "numpy", "asyncio"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(trap)
    for name in ("json.py", "socket.py", "sitecustomize.py", "usercustomize.py", "gc.py"):
        (folder / name).write_text(trap)
    return folder


def test_files_in_the_current_folder_are_never_imported(tmp_path: Path) -> None:
    folder, data = hostile(tmp_path / "checkout"), tmp_path / "data"

    def wetink(*arguments: str) -> str:
        command = [str(CONSOLE), *arguments, "--data", str(data)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    wetink("keys", "create", "shop")
    said = wetink("open", "last-viewed", "user:nobody", "--image", str(tmp_path / "picture.jpg"))
    assert "picture: 0 KB" not in said
    assert (tmp_path / "picture.jpg").stat().st_size > 1_000
    command = [str(CONSOLE), "serve", "--data", str(data), "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split("http://")[1].split()[0].strip("/.,")
            with httpcore.ConnectionPool() as http:
                assert json.loads(http.request("GET", f"http://{address}/healthz").content)["status"] == "ok"
                picture = http.request("GET", f"http://{address}/o/last-viewed/1.jpg?user=nobody")
                assert len(picture.content) > 1_000
        finally:
            server.terminate()
            server.wait(30)


BROKEN = """
import sys
from pathlib import Path
from click.testing import CliRunner
from wetink.cli import main

data = sys.argv[1]
CliRunner().invoke(main, ["keys", "create", "shop", "--data", data])
sys.executable = "/bin/false"  # no worker can be started
done = CliRunner().invoke(main, ["open", "last-viewed", "user:42", "--image", data + "/p.jpg", "--data", data])
assert done.exit_code == 1, done.output
assert "nothing can be drawn" in done.output, done.output
assert not Path(data, "p.jpg").exists()
"""

MANY = """
import asyncio, os, resource, sys
from wetink.render import photo as _  # everything is imported before the descriptors are gone
from wetink.ports import Scene
from wetink.render.renderer import Renderer
from tests.render.renderer import Album

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_500)]

async def story():
    studio = Renderer(Album())
    for number in range(20):
        drawn = await studio.render(Scene("<p>{{ n }}</p>", {"n": number}, 60, 30))
        assert len(drawn.body) > 200
    assert len(studio.pool.pids) <= 2, studio.pool.pids
    studio.close()

asyncio.run(story())
"""


ARENAS = """
import ctypes, sys, threading
from wetink.heap import bound_arenas

libc = ctypes.CDLL(None)
bound_arenas()
hold, taken = threading.Event(), threading.Barrier(9)

def work():
    parts = [bytes(1_000 + number) for number in range(100)]
    taken.wait(60)
    hold.wait(60)

threads = [threading.Thread(target=work) for _ in range(8)]
for each in threads:
    each.start()
taken.wait(60)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
hold.set()
"""


FREED = """
import ctypes
import psutil
from wetink import heap

libc, process = ctypes.CDLL(None), psutil.Process()
libc.malloc.restype = ctypes.c_void_p
blocks = [libc.malloc(64_000) for _ in range(1_000)]
for block in blocks:
    ctypes.memset(block, 1, 64_000)
for block in blocks[:-1]:  # the last one keeps the heap from shrinking at its end
    libc.free(ctypes.c_void_p(block))
before = process.memory_info().rss
heap.release()
freed = (before - process.memory_info().rss) / 64_000_000
assert freed > 0.8, freed
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc keeps free pages")
def test_a_server_returns_free_memory_amid_its_heap() -> None:
    script(FREED)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="only glibc has arenas")
def test_threads_of_a_server_share_two_arenas_of_malloc(tmp_path: Path) -> None:
    script(ARENAS, str(tmp_path / "arenas.xml"))
    assert (tmp_path / "arenas.xml").read_text().count("<heap nr=") <= 2


def script(text: str, *arguments: str) -> None:
    command = [sys.executable, "-c", text, *arguments]
    known = {**os.environ, "PYTHONPATH": str(ROOT)}  # a server that ran in this process has made its path safe
    done = subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_engine_that_cannot_draw_is_an_error_on_the_command_line(tmp_path: Path) -> None:
    script(BROKEN, str(tmp_path / "data"))


def test_drawing_goes_on_with_more_than_a_thousand_descriptors() -> None:
    script(MANY)
