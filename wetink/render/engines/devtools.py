"""DevTools: a browser of the operator's, spoken to over a pipe (source: the Chrome DevTools Protocol).

--remote-debugging-pipe: messages are JSON, each ended by a NUL; the browser reads descriptor 3 and writes to 4.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import msgspec

PAGE_BYTES = os.sysconf("SC_PAGESIZE")
LARGEST = 64 << 20
"""Bytes of the largest message: a picture as text."""
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-quic",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--mute-audio",
    "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # nothing a page asks for is anywhere
)
_START = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


def _pipe() -> list[int]:
    """Return the ends of a pipe, out of the way of the numbers that the browser wants."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved


class DevTools:
    """A browser that runs. Not for two tasks at once."""

    def __init__(self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, out: int, home: Any) -> None:
        """Take what `started` made."""
        self._process, self._reader, self._out, self._home = process, reader, out, home
        self._last = 0
        self._news: list[str] = []

    @classmethod
    async def started(cls, path: Path) -> Self:
        """Start a browser. Raises OSError when there is none at this path."""
        their_in, our_out = _pipe()
        our_in, their_out = _pipe()
        home = tempfile.TemporaryDirectory(prefix="wetink-browser-", ignore_cleanup_errors=True)
        loose = ("--no-sandbox",) if os.geteuid() == 0 else ()  # as root it does not start with its sandbox
        start = (sys.executable, "-I", "-S", "-c", _START, str(their_in), str(their_out))
        command = (*start, str(path), *FLAGS, *loose, f"--user-data-dir={home.name}")
        try:
            if not os.access(path, os.X_OK):
                raise FileNotFoundError(f"there is no browser at {path}")
            quiet = asyncio.subprocess.DEVNULL
            process = await asyncio.create_subprocess_exec(
                *command, stdin=quiet, stdout=quiet, stderr=quiet,
                pass_fds=(their_in, their_out), start_new_session=True,
            )  # fmt: skip
        except BaseException:
            os.close(our_out)
            os.close(our_in)
            home.cleanup()
            raise
        finally:
            os.close(their_in)
            os.close(their_out)
        reader = asyncio.StreamReader(limit=LARGEST)
        pipe = os.fdopen(our_in, "rb", 0)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        return cls(process, reader, our_out, home)

    async def ask(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Return what the browser answers. Raises ConnectionError when it is gone, ValueError when it refuses."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        await asyncio.to_thread(self._write, msgspec.json.encode(message) + b"\0")
        while True:
            answer = await self._heard()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise ValueError(f"{method}: {answer['error'].get('message')}")
                result: dict[str, Any] = answer.get("result", {})
                return result

    async def news(self, method: str) -> None:
        """Wait until the browser tells of something, or has done so since the last question but one."""
        while method not in self._news:
            await self._heard()
        self._news.clear()

    async def _heard(self) -> dict[str, Any]:
        try:
            said = await self._reader.readuntil(b"\0")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ConnectionError("the browser is gone") from error
        message: dict[str, Any] = msgspec.json.decode(said[:-1])
        if "method" in message:
            self._news = [*self._news[-20:], message["method"]]
        return message

    def _write(self, body: bytes) -> None:
        rest = memoryview(body)
        while rest:
            rest = rest[os.write(self._out, rest) :]

    def memory(self) -> int:
        """Return the bytes that its processes have to themselves: what is resident and not shared."""
        return sum(map(_own_bytes, _members(self._process.pid)))

    async def kill(self) -> None:
        """End it with all its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        with contextlib.suppress(OSError):
            os.close(self._out)
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while await self._reader.read(1 << 16):  # to its end, which closes the pipe
                pass
        self._home.cleanup()


def _members(session: int) -> Iterator[Path]:
    """Yield the folders in /proc of a session's processes (source: proc(5))."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                if int(fields[3]) == session:
                    yield folder


def _own_bytes(folder: Path) -> int:
    try:
        resident, shared = (folder / "statm").read_text().split()[1:3]
    except OSError:
        return 0
    return (int(resident) - int(shared)) * PAGE_BYTES
