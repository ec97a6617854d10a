"""Backups: a copy of everything that cannot be derived again, made while the server runs, and its restore.

A backup is a folder, or a tar file of it, with `backup.json`: the version, the time, and each file with its size, its
SHA-256 and its rows by table. A restore checks all of that before the new data folder gets its name.
"""

import hashlib
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import msgspec

from wetink import __version__
from wetink.core.errors import BadContent, BadSettings
from wetink.settings import Settings
from wetink.store import engine_of

FORMAT = 1
MANIFEST, NOTE = "backup.json", "last-backup.json"
"""The list of a backup's files, and the data folder's note of its last backup."""

BESIDE = ("content.json", "content", "uploads.json", "uploads")
"""What is copied from the data folder before the store: no edit may be known to be read that the store lacks."""

TARS = {".tar": "", ".gz": "gz", ".tgz": "gz"}
"""Compression of a backup in one file, by the suffix of its name."""
OTHER_FILES = (".zip", ".xz", ".bz2", ".zst", ".7z")
"""Suffixes of names that no folder should get."""
FOUND = "lost+found"
"""The folder that an empty disk has."""

OWNER_ALONE = 0o077
CHUNK = 1 << 20

Progress = Callable[[str, int, int], object]
"""Gets what is being done, the units that are left, and all units."""


class File(msgspec.Struct, frozen=True):
    """A file of a backup. `rows` are its rows by table, empty if it is no part of the store."""

    bytes: int
    sha256: str
    rows: Mapping[str, int] = {}


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """A backup. `at` is the time (Unix ms) at which it began: it has all messages that were acknowledged before."""

    format: int
    version: str
    at: int
    files: Mapping[str, File]

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.bytes for file in self.files.values())

    @property
    def messages(self) -> int:
        """The number of messages."""
        return sum(file.rows.get("message", 0) for file in self.files.values())


def back_up(settings: Settings, target: Path, now: int, progress: Progress) -> Manifest:
    """Write a backup to `target`: a tar file if its name ends like one, else a new folder.

    `now` is Unix ms. Raises BadSettings for a target that cannot be used, BadContent for a damaged store, and
    StoreUnavailable.
    """
    engine = engine_of(settings.store)
    if engine.copy is None or engine.check is None or engine.place is None:
        raise BadSettings(
            f"wetink backup does not copy {settings.store.partition(':')[0]} stores",
            hint="use the tools of the database, such as pg_basebackup; see docs/operating.md",
        )
    if target.exists():
        raise BadSettings(f"{target} exists already", hint="name a new file or folder", where=str(target))
    if target.suffix in OTHER_FILES:
        raise BadSettings(f"{target}: wetink writes no {target.suffix} files", hint="name a .tar.gz file, or a folder")
    with _staged(target) as stage:
        _check_room(stage, [settings.data / name for name in BESIDE] + [*engine.place(settings.store).glob("*.db")])
        for name in BESIDE:
            _take(settings.data / name, stage / name)
        names = engine.copy(settings.store, stage, lambda left, of: progress("Copying", left, of))
        rows = engine.check(stage, names)
        files = {
            str(path.relative_to(stage)): File(path.stat().st_size, _hash(path), rows.get(path.name, {}))
            for path in _files(stage)
        }
        manifest = Manifest(FORMAT, __version__, now, files)
        (stage / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        _sync(stage)
        _finish(stage, target, progress)
    _note(settings.data, manifest)
    return manifest


def restore(source: Path, settings: Settings, progress: Progress) -> Manifest:
    """Restore a backup into the data folder and the store's folder, which must be new or empty.

    All is checked before any file gets its name. Raises BadSettings for a folder that has files or cannot be written,
    BadContent for a backup that is damaged or too new.
    """
    engine = engine_of(settings.store)
    if engine.place is None or engine.check is None:
        raise BadSettings("wetink restore fills a store of files only", hint="set WETINK_STORE=sqlite:///FOLDER")
    home = engine.place(settings.store)
    _check_empty(settings.data, home)
    if not source.exists():
        raise BadSettings(f"{source} does not exist", hint="name a backup that `wetink backup` made", where=str(source))
    with _staged(settings.data) as stage:
        if source.is_dir():
            manifest = _checked(source, source, progress)
            for name in manifest.files:
                _take(source / name, stage / name)
        else:
            _unpack(source, stage, progress)
            manifest = _checked(stage, source, progress)
            (stage / MANIFEST).unlink()
        names = [name for name, file in manifest.files.items() if file.rows]
        if engine.check(stage, names) != {name: dict(manifest.files[name].rows) for name in names}:
            raise BadContent(f"{source} has other rows than its list says", hint="use another backup")
        _sync(stage)
        if home != settings.data:
            home.mkdir(parents=True, mode=0o700, exist_ok=True)
            for name in names:
                shutil.move(stage / name, home / name)
        if settings.data.exists():
            for path in sorted(stage.iterdir(), key=lambda path: (path.name in names, path.name)):  # the messages last
                path.rename(settings.data / path.name)
        else:
            stage.rename(settings.data)
    return manifest


def _check_empty(*folders: Path) -> None:
    for folder in folders:
        if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - {FOUND}):
            raise BadSettings(f"{folder} is not empty", hint="name a new folder with --data", where="--data")


def _check_room(stage: Path, sources: Iterable[Path]) -> None:
    """Raise BadSettings if a copy would fill the disk: a server may use the same one."""
    paths = [path for source in sources for path in (_files(source) if source.is_dir() else [source])]
    takes = sum(path.stat().st_size for path in paths if path.is_file())
    free = shutil.disk_usage(stage).free
    if takes > free:
        text = f"a backup takes {takes / 1e6:,.1f} MB, and {stage.parent} has {free / 1e6:,.1f} MB free"
        raise BadSettings(text, hint="make room, or name a file on another disk")


def can_copy(settings: Settings) -> bool:
    """Return whether `back_up` can copy the store of these settings."""
    return engine_of(settings.store).copy is not None


def last_backup(data: Path) -> Manifest | None:
    """Return the last backup of a data folder without its files; None if there is none, or its note is unreadable."""
    try:
        return msgspec.json.decode((data / NOTE).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError, ValueError):
        return None


def _note(data: Path, manifest: Manifest) -> None:
    rows = {"message": manifest.messages}
    note = msgspec.structs.replace(manifest, files={"all": File(manifest.bytes, "", rows)})
    draft = data / f".{NOTE}.new"
    draft.write_bytes(msgspec.json.encode(note))
    draft.replace(data / NOTE)


@contextmanager
def _staged(target: Path) -> Iterator[Path]:
    """Yield a new folder beside `target`, which only its owner may read. It is removed unless it was renamed.

    It is in `target` if that exists: a mounted folder cannot be replaced, and may be all that can be written.
    """
    old = os.umask(OWNER_ALONE)
    place = target if target.is_dir() else target.parent
    try:
        place.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=place))
    except OSError as error:
        os.umask(old)
        raise BadSettings(f"{place} cannot be written: {error.strerror}", where=str(target)) from error
    try:
        yield stage
    except OSError as error:
        raise BadSettings(f"{target} cannot be written: {error.strerror}", hint="make room, or name another") from error
    finally:
        os.umask(old)
        shutil.rmtree(stage, ignore_errors=True)


def _finish(stage: Path, target: Path, progress: Progress) -> None:
    """Give a finished backup its name."""
    if target.suffix not in TARS:
        stage.rename(target)
        return
    draft = stage.with_name(f"{stage.name}.tar")
    try:
        files = [*_files(stage)]
        mode = f"w:{TARS[target.suffix]}"
        with tarfile.open(draft, mode, **({"compresslevel": 1} if TARS[target.suffix] else {})) as tar:  # type: ignore[call-overload]
            for number, path in enumerate(sorted(files, key=lambda path: path.name != MANIFEST)):
                progress("Packing", len(files) - number, len(files))
                tar.add(path, str(path.relative_to(stage)))
        _sync_file(draft)
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)


def _unpack(source: Path, stage: Path, progress: Progress) -> None:
    """Unpack a tar file. Raises BadContent for another file, half of one, or one with more than files in folders.

    tarfile's own filter, which refuses names that lead outside, is missing in Python 3.11.2, the one of Debian 12.
    """
    progress("Unpacking", 1, 1)
    try:
        with tarfile.open(source) as tar:
            for member in tar:
                path = stage / member.name
                if not member.isdir():
                    if not member.isreg() or ".." in path.parts or not path.is_relative_to(stage) or path.exists():
                        raise BadContent(
                            f"{source} is not a wetink backup: it has {member.name!r}", hint="use another backup"
                        )
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("wb") as file:
                        shutil.copyfileobj(cast(IO[bytes], tar.extractfile(member)), file, CHUNK)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise BadContent(f"{source} is not a wetink backup: {error}", hint="use another backup") from error


def _checked(folder: Path, source: Path, progress: Progress) -> Manifest:
    """Return the list of the backup `source`, whose files in `folder` are complete and unchanged. Raises BadContent."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise BadContent(
            f"{source} is not a wetink backup: {MANIFEST} cannot be read", hint="use another backup"
        ) from error
    if manifest.format > FORMAT:
        raise BadContent(f"the backup is from wetink {manifest.version}", hint="restore it with that version or later")
    if {str(path.relative_to(folder)) for path in _files(folder)} - {MANIFEST} != set(manifest.files):
        raise BadContent("the backup lacks files, or has others than its list", hint="use another backup")
    for number, (name, file) in enumerate(manifest.files.items()):
        progress("Checking", len(manifest.files) - number, len(manifest.files))
        path = folder / name
        if path.is_symlink() or path.stat().st_size != file.bytes or _hash(path) != file.sha256:
            raise BadContent(f"{name} is damaged: it has changed since the backup", hint="use another backup")
    return manifest


def _take(source: Path, target: Path) -> None:
    """Copy a file or a folder if it exists. A file that somebody removes meanwhile is left out."""
    if source.is_dir():
        for path in _files(source):
            _take(path, target / path.relative_to(source))
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except FileNotFoundError:
        return


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink())


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    for path in _files(folder):
        _sync_file(path)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
