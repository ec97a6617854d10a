"""Secrets: what a data folder keeps for this server alone, made once."""

import base64
import contextlib
import json
import os
import secrets
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from wetink.core.errors import BadSettings

OTHERS = 0o077
"""What nobody but its owner may do with a secret's file."""


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Return what a file readable by its owner alone holds; made once, whichever process is first.

    Raises BadSettings when it cannot be read, or others can read it.
    """
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}-{time.monotonic_ns()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHERS:
            raise BadSettings(
                f"{path} can be read by others (its mode is {mode:04o})",
                hint=f"run chmod 600 {path}; if others may have read it, remove it to get a new one",
                where=str(path),
            )
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} cannot be read: {error}", hint="restore it from a backup") from error


def hook_secret(data: Path) -> bytes:
    """Return what the secrets of audiences' webhooks are made from."""
    return kept_secret(data / "hooks.key", lambda: secrets.token_hex(32)).encode("ascii")


def seal_keys(path: Path) -> Mapping[int, bytes]:
    """Read the keys that seal recipients, by epoch."""
    text = kept_secret(path, lambda: json.dumps({"1": base64.b64encode(secrets.token_bytes(64)).decode()}))
    try:
        keys = {int(epoch): base64.b64decode(key, validate=True) for epoch, key in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise BadSettings(f"{path} is damaged: {error}", hint="restore it from a backup") from error
    if not keys or any(len(key) != 64 or not 0 <= epoch <= 255 for epoch, key in keys.items()):
        raise BadSettings(f"{path} is damaged: keys are 64 bytes each", hint="restore it from a backup")
    return keys
