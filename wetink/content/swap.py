"""Exchange: one folder takes another's place, and nobody ever sees neither or half of one."""

import ctypes
import os
from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def exchange(new: Path, old: Path) -> None:
    """Let two folders of one file system change places: in one step where the kernel can (Linux's renameat2).

    Elsewhere in two, between which `old` is not there. Raises OSError.
    """
    if not old.exists():
        new.rename(old)
        return
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is not None and rename(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(old), _RENAME_EXCHANGE) == 0:
        return
    away = old.with_name(f"{new.name}.away")
    old.rename(away)
    new.rename(old)
    away.rename(new)
