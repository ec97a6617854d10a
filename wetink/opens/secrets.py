"""Secrets: this installation's token and keys, made once and kept in the store.

A file with a secret's name in the data folder, from an earlier release or made by hand, is imported if the store has
none.
"""

import base64
import json
import logging
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from wetink.core.errors import BadSettings
from wetink.ports.keys import Secrets

logger = logging.getLogger(__name__)

TOKEN, SEALS, HOOKS = "dashboard.token", "seal.keys", "hooks.key"
OTHERS = 0o077
"""Permission bits that a secret's file must not have."""


class Known(msgspec.Struct, frozen=True):
    """The dashboard's token, the keys that seal recipients by epoch, and the key that webhooks' secrets derive from."""

    token: str
    seals: Mapping[int, bytes]
    hooks: bytes

    def __repr__(self) -> str:
        """Leave the secrets out."""
        return "Known()"


def new_token() -> str:
    """Return a random token."""
    return secrets.token_urlsafe(24)


def with_new_seal(text: str) -> str:
    """Return the keys with one of the next epoch. The new one seals from now on; the others still open.

    >>> sorted(json.loads(with_new_seal('{"1": "a"}')))
    ['1', '2']
    """
    known = json.loads(text)
    return json.dumps({**known, str(max(map(int, known), default=0) + 1): _seal()})


def _seal() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


MAKE: Mapping[str, Callable[[], str]] = {
    TOKEN: new_token,
    SEALS: lambda: with_new_seal("{}"),
    HOOKS: lambda: secrets.token_hex(32),
}


def check_files(data: Path) -> None:
    """Raise BadSettings for a secret's file that cannot be read, or that others can read."""
    for name in MAKE:
        _file(data / name)


async def known_in(store: Secrets, data: Path) -> Known:
    """Return the store's secrets. Makes those that are missing, and writes the dashboard's token to its file.

    Raises BadSettings for a damaged secret, and StoreUnavailable.
    """
    stored = await store.all()
    if missing := MAKE.keys() - stored.keys():
        for name in missing:
            text = _file(data / name) or MAKE[name]()
            if name == SEALS:
                _seals(text)  # raises before a damaged file is imported
            await store.keep(name, text)
        stored = await store.all()
    known = Known(stored[TOKEN], _seals(stored[SEALS]), stored[HOOKS].encode("ascii"))
    _write(data / TOKEN, known.token)
    return known


def _file(path: Path) -> str:
    """Return the text of a secret's file; "" without one. Raises BadSettings."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHERS:
            raise BadSettings(
                f"{path} can be read by others (its mode is {mode:04o})",
                hint=f"run chmod 600 {path}; if others may have read it, renew the secret",
                where=str(path),
            )
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} cannot be read: {error}", hint="restore it from a backup") from error


def _write(path: Path, text: str) -> None:
    """Write a text to a file that only its owner can read. A write error is logged and does not stop the start."""
    try:
        if path.exists() and path.read_text(encoding="ascii") == text:
            return
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        draft.replace(path)
    except (OSError, UnicodeDecodeError) as error:
        logger.warning("%s cannot be written: %s", path.name, error)


def _seals(text: str) -> Mapping[int, bytes]:
    try:
        keys = {int(epoch): base64.b64decode(key, validate=True) for epoch, key in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise BadSettings(f"{SEALS} is damaged: {error}", hint="restore it from a backup") from error
    if not keys or any(len(key) != 64 or not 0 <= epoch <= 255 for epoch, key in keys.items()):
        raise BadSettings(f"{SEALS} is damaged: keys are 64 bytes each", hint="restore it from a backup")
    return keys
