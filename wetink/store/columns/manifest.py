"""Manifest: which segments there are, up to which place of the log. Put in place by a rename, never seen by halves."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

LAYOUT = 2
"""Goes up when TABLES change: segments of another layout are written anew."""


class Manifest(msgspec.Struct, frozen=True):
    """The segments, the oldest first, with the messages and the changes of events they have taken in."""

    segments: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    """How many profiles each has."""
    seq: int = 0
    change: int = 0
    layout: int = LAYOUT


def read(folder: Path) -> Manifest | None:
    """Return the manifest of a folder; None without one that can be used."""
    try:
        found = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None
    there = all((folder / name).exists() for name in found.segments)
    return found if found.layout == LAYOUT and found.segments and there else None


def publish(folder: Path, manifest: Manifest) -> None:
    """Put a manifest in the place of the last one, and let go of segments it does not name."""
    draft = folder / "manifest.draft"
    draft.write_bytes(msgspec.json.encode(manifest))
    draft.replace(folder / "manifest.json")
    for path in [*folder.glob("*.duckdb"), *folder.glob("*.draft"), *folder.glob("*.draft.wal")]:
        if path.name not in manifest.segments:
            path.unlink(missing_ok=True)  # who has it open goes on reading it


@contextmanager
def alone(folder: Path, *, wait: bool) -> Iterator[bool]:
    """Be the only process that writes segments inside; False when another one is, and `wait` is not asked for."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)
