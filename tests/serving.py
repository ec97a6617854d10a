"""A real wetink server as its own process, and ends by its own pid."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from wetink.sandbox.forkserver import SAFE_PATH


class Server:
    """`wetink serve` over a data folder, on a free port."""

    def __init__(
        self,
        data: Path,
        *,
        workers: int = 2,
        log: Path | None = None,
        module: str = "wetink",
        settings: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        """Serve `data` with more settings; what it logs goes to a file, or else into the report of a failing test."""
        self._data, self._workers, self._log, self._module = data, workers, log, module
        self._environment = {
            **{name: text for name, text in os.environ.items() if name != SAFE_PATH},  # `module` may be one of ours
            **{f"WETINK_{name.upper()}": text for name, text in (settings or {}).items()},
        }
        self._port, self.address = port, ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", self._module, "serve", "--data", str(self._data), "--port", str(self._port)]
        with self._log.open("wb") if self._log is not None else contextlib.nullcontext() as log:
            self.process = subprocess.Popen(
                [*command, "--workers", str(self._workers)],
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            self.__exit__(None, None, None)
            raise AssertionError(f"no address in {line!r}; it ended with {self.process.returncode}")
        self.address = found[0]
        return self

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def token(self) -> str:
        """The token that it printed."""
        return (self._data / "dashboard.token").read_text().strip()

    @property
    def sign_in(self) -> str:
        """The address that signs a browser in."""
        return f"{self.address}/dashboard/login?token={self.token}"

    @property
    def children(self) -> set[int]:
        """The processes that serve: they are forked, so they have the command of their parent. One alone has none."""
        parent, found = psutil.Process(self.process.pid), set()
        for child in parent.children():
            with contextlib.suppress(psutil.Error):  # it has just ended
                if child.cmdline() == parent.cmdline():
                    found.add(child.pid)
        return found

    def kill(self) -> None:
        """End it as a power cut would end a process: without a word."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(40)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(40)
        if self.process.stdout is not None:
            self.process.stdout.close()
