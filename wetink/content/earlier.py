"""Earlier: imports the versions that an earlier release kept as files into the store, once.

versions/
├── 000007.json           one version: its number, time, author, message and files by content
└── objects/SHA256        the content of files, each once
"""

import asyncio
import logging
from pathlib import Path

import msgspec

from wetink.ports.content import ContentVersions, Version

logger = logging.getLogger(__name__)


def newest_in(folder: Path) -> int:
    """Return the number of the newest version in a folder, 0 if there is none."""
    return max((int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal()), default=0)


async def take_over(store: ContentVersions, folder: Path) -> None:
    """Publish the versions of a folder that the store does not have yet, each under its number.

    A version that cannot be read keeps its number and gets the files of the version before. A store that holds
    other versions stays as it is.
    """
    known, last = await store.revision(), newest_in(folder)
    if known >= last or (known and (await store.versions(1))[0] != (await asyncio.to_thread(_read, folder, known))[0]):
        return
    tree: dict[str, bytes] = (await store.read())[1] if known else {}
    for number in range(known + 1, last + 1):
        version, tree = await asyncio.to_thread(_read, folder, number, tree)
        await store.publish(tree, number - 1, by=version.by, message=version.message, at=version.at)
    logger.info("versions 1 to %d of the content are in the store now; %s is not used any more", last, folder)


def _read(folder: Path, number: int, before: dict[str, bytes] | None = None) -> tuple[Version, dict[str, bytes]]:
    try:
        version = msgspec.json.decode((folder / f"{number:06}.json").read_bytes(), type=Version)
        return version, {path: (folder / "objects" / name).read_bytes() for path, name in version.files.items()}
    except (OSError, msgspec.DecodeError) as error:
        logger.warning("version %d of the content cannot be read: %s", number, error)
        return Version(number, 0, "", "could not be read", {}), before or {}
