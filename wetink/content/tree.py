"""Tree: the files of content as one value, to compare, merge, send, and copy to and from a folder."""

import difflib
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import msgspec

from wetink.core.errors import BadContent
from wetink.ports.content import digest

ROOMS = ("blocks", "audiences", "feeds", "mappings", "templates", "images", "scenarios", "fonts")
"""The folders whose files are content; wetink leaves all other files alone."""

FILES = ("signals.yaml", "reports.yaml", "catalog.yaml")
"""Content files that are in none of these folders."""

LARGEST, MOST = 32 * 1024 * 1024, 5_000
"""Bytes of all files of a push together, and the number of its files."""

LARGEST_FONT = 8 * 1024 * 1024
"""Bytes of the largest file of any kind: a font."""

STARTER = Path(__file__).parent / "starter"
"""The files of a new content folder."""

TEXTS = (".yaml", ".yml", ".liquid", ".css", ".svg")
_UNWRITABLE = re.compile("[\ud800-\udfff\0-\x1f\x7f]")
_PATH = re.compile(rf"(?:{'|'.join(ROOMS)})/[A-Za-z0-9_][A-Za-z0-9_.@+-]{{0,127}}|{'|'.join(map(re.escape, FILES))}")

Tree = Mapping[str, bytes]
"""Path below the folder, with slashes -> bytes of the file."""


class Difference(msgspec.Struct, frozen=True):
    """A file that differs between two trees; `lines` is a unified diff, empty for pictures and fonts."""

    path: str
    what: Literal["added", "removed", "changed"]
    lines: tuple[str, ...] = ()


class Origin(msgspec.Struct, frozen=True):
    """The state of a folder when it last matched the versions: the version, and the digest of each file."""

    version: int
    files: dict[str, str]


def start(folder: Path) -> None:
    """Fill a content folder that does not exist yet with the starter's blocks and templates.

    Several processes may start at the same time: the first one's folder is used, and no process sees a partial one.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    keep_origin(origin_path(folder), Origin(0, names(read_tree(STARTER))))
    with TemporaryDirectory(prefix=".starter-", dir=folder.parent) as draft:
        whole = shutil.copytree(STARTER, Path(draft) / folder.name, copy_function=shutil.copyfile)
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first
                raise


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...] | None:
    """Return a value that changes with each change to a file: names, sizes and times. None without a folder."""
    if not folder.is_dir():
        return None
    found = []
    for path in _paths(folder):
        with suppress(FileNotFoundError):  # removed since the listing
            status = path.stat()
            found.append((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns))
    return tuple(found)


def read_tree(folder: Path, problems: list[str] | None = None) -> dict[str, bytes]:
    """Return the files of a content folder; of a file above LARGEST_FONT only enough bytes to show that.

    A file that cannot be read is added to `problems` and left out. Raises BadContent for it without `problems`.
    """
    tree: dict[str, bytes] = {}
    for path in _paths(folder):
        name = path.relative_to(folder).as_posix()
        try:
            if path.is_file():
                with path.open("rb") as file:
                    tree[name] = file.read(LARGEST_FONT + 1)
        except FileNotFoundError:  # removed since the listing
            continue
        except OSError as error:
            if problems is None:
                raise BadContent(f"{name}: {error.strerror}") from error
            problems.append(f"{name}: {error.strerror}")
    return tree


def _paths(folder: Path) -> Iterator[Path]:
    """Yield the paths of possible content files, without editors' temporary files and names that are not valid text."""
    rooms = (path for room in ROOMS for path in sorted(folder.glob(f"{room}/*")))
    for path in (*rooms, *(folder / name for name in FILES)):
        if not (path.name.startswith((".", "~")) or path.name.endswith("~") or _UNWRITABLE.search(path.name)):
            yield path


def check_paths(paths: Iterable[str]) -> None:
    """Raise BadContent for a path outside the content folders."""
    for path in paths:
        if not _PATH.fullmatch(path):
            raise BadContent(
                f"{path[:100]!r} is not a path in the content folder",
                hint=f"a file in {', '.join(ROOMS)}, named with letters, digits, dots and dashes",
            )


def check_size(tree: Tree) -> None:
    """Raise BadContent for too many files and for too many bytes."""
    if len(tree) > MOST or sum(map(len, tree.values())) > LARGEST:
        raise BadContent(f"more than {MOST} files or {LARGEST // 1024 // 1024} MB of content")


def write_tree(folder: Path, tree: Tree, there: Tree) -> None:
    """Replace a folder's files `there` with those of `tree`, each file in one step. Raises OSError."""
    for path, body in tree.items():
        if there.get(path) != body:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            draft = (folder / path).with_name(f".{secrets.token_hex(6)}")
            try:
                draft.write_bytes(body)
                draft.replace(folder / path)
            finally:
                draft.unlink(missing_ok=True)
    for path in there.keys() - tree.keys():
        (folder / path).unlink(missing_ok=True)


def origin_path(folder: Path) -> Path:
    """Return the path of the file that keeps the origin of a server's content folder: beside the folder."""
    return folder.with_name(f"{folder.name}.json")


def origin_in(path: Path) -> Origin | None:
    """Return the origin in a file, None if it holds none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Origin)
    except (OSError, msgspec.DecodeError):
        return None


def keep_origin(path: Path, origin: Origin) -> None:
    """Write an origin to a file, in one step. Raises OSError."""
    draft = path.with_name(f".{secrets.token_hex(6)}")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(origin)) + b"\n")
    draft.replace(path)


def names(tree: Tree) -> dict[str, str]:
    """Return the digest of each file, by path."""
    return {path: digest(body) for path, body in sorted(tree.items())}


def merged(base: Mapping[str, str], mine: Tree, theirs: Tree) -> dict[str, bytes]:
    """Return `theirs` with each file that `mine` has changed since both were `base` (digests by path).

    >>> merged({"a": digest(b"1"), "b": digest(b"1")}, {"a": b"2", "b": b"1"}, {"a": b"1", "b": b"3", "c": b"1"})
    {'a': b'2', 'b': b'3', 'c': b'1'}
    """
    own = names(mine)
    changed = {path for path in base.keys() | own.keys() if base.get(path) != own.get(path)}
    kept = {path: body for path, body in theirs.items() if path not in changed}
    return dict(sorted({**kept, **{path: mine[path] for path in changed & mine.keys()}}.items()))


def differences(old: Tree, new: Tree) -> Iterator[Difference]:
    """Yield the changes from one tree to another, by path.

    >>> [(each.path, each.what) for each in differences({"blocks/a.yaml": b"1"}, {"blocks/b.yaml": b"1"})]
    [('blocks/a.yaml', 'removed'), ('blocks/b.yaml', 'added')]
    """
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        what: Literal["added", "removed", "changed"] = (
            "added" if before is None else "removed" if after is None else "changed"
        )
        yield Difference(path, what, tuple(_lines(path, before or b"", after or b"")))


def _lines(path: str, before: bytes, after: bytes) -> Iterator[str]:
    if not path.endswith(TEXTS):
        return
    old, new = (text.decode("utf-8", "replace").splitlines() for text in (before, after))
    for line in difflib.unified_diff(old, new, path, path, lineterm=""):
        yield line.rstrip()
