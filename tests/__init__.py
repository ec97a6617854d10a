"""Tests. Where they and the processes they start keep files decides how long they take."""

import os
import sys
import tempfile

MEMORY, ROOM = "/dev/shm", 4 << 30


def _has_room() -> bool:
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize > ROOM and not found.f_flag & os.ST_NOEXEC


# Without bytecode each of hundreds of processes compiles four hundred files.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A store syncs its dozen files when it is made and when it ends; a disk takes a thousand times as long as memory.
if "TMPDIR" not in os.environ and _has_room():
    os.environ["TMPDIR"] = tempfile.tempdir = MEMORY
