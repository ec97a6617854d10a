"""Keys: the demo's own file DATA/demo/keys.json."""

import os
from pathlib import Path

import msgspec

from wetink.core.errors import BadSettings


class Keys(msgspec.Struct, frozen=True):
    """The demo's write keys, the address of its products' pictures, and whether all of its past was sent."""

    address: str
    server: str
    browser: str
    seeded: bool = False


def path(data: Path) -> Path:
    """Return the path of the file."""
    return data / "demo" / "keys.json"


def read(data: Path) -> Keys:
    """Read the file. Raises BadSettings if it cannot be read."""
    try:
        return msgspec.json.decode(path(data).read_bytes(), type=Keys)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadSettings(f"{path(data)} cannot be read: {error}", hint="delete the folder to start over") from error


def write(data: Path, keys: Keys) -> None:
    """Write the file, readable only by its owner."""
    target = path(data)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(keys))
    draft.replace(target)
