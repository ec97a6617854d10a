"""Apart: the large body of a catalog, read by another process.

Python runs one thread at a time: a minute of reading here would be a minute in which every open comes late.
"""

import subprocess
from pathlib import Path

import msgspec

from wetink.core.outbound.feed import Feed
from wetink.feeds.parse.body import Unreadable
from wetink.feeds.parse.reader import Reading
from wetink.sandbox import forkserver


class Outcome(msgspec.Struct, frozen=True):
    """What the other process says."""

    reading: Reading | None = None
    unreadable: str = ""


class Readers:
    """The processes that read at the moment. Blocks: used from threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._running: set[subprocess.Popen[bytes]] = set()

    def read(self, feed: Feed, path: Path, now: int) -> Reading:
        """Return what the body in a file holds, as `whole`. Raises Unreadable."""
        command, pipe = forkserver.command("wetink.feeds.parse", str(path.absolute()), str(now)), subprocess.PIPE
        with subprocess.Popen(  # noqa: S603
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=forkserver.environment()
        ) as process:
            self._running.add(process)
            try:
                said, trouble = process.communicate(msgspec.json.encode(feed))
            finally:
                self._running.discard(process)
        if process.returncode != 0:
            last = trouble.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise Unreadable(f"its reader ended with {process.returncode}: {last[:200]}")
        outcome = msgspec.json.decode(said, type=Outcome)
        if outcome.reading is None:
            raise Unreadable(outcome.unreadable)
        return outcome.reading

    def close(self) -> None:
        """End them all."""
        for process in list(self._running):
            process.kill()
