"""Tree: the files of a content folder as one value, to be compared, sent and written whole."""

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from wetink.core.errors import BadContent

ROOMS = ("blocks", "audiences", "feeds", "mappings", "templates", "images", "scenarios", "fonts")
"""The folders whose files are content; whatever else lies beside them is left alone."""

FILES = ("signals.yaml",)
"""Files of content that lie in no room."""

LARGEST, MOST = 32 * 1024 * 1024, 5_000
"""Bytes of all files together, and how many files there may be."""

TEXTS = (".yaml", ".yml", ".liquid", ".css", ".svg")
_PATH = re.compile(rf"(?:{'|'.join(ROOMS)})/[A-Za-z0-9_][A-Za-z0-9_.@+-]{{0,127}}|{'|'.join(map(re.escape, FILES))}")

Tree = Mapping[str, bytes]
"""Path below the folder, with slashes -> what is in the file."""


class Difference(msgspec.Struct, frozen=True):
    """A file that is not the same in two trees; `lines` is a unified diff, empty for pictures and fonts."""

    path: str
    what: Literal["added", "removed", "changed"]
    lines: tuple[str, ...] = ()


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return the files of a content folder. Raises BadContent for more than a content folder may hold."""
    tree: dict[str, bytes] = {}
    alone = (folder / name for name in FILES)
    for path in (*sorted(each for room in ROOMS for each in folder.glob(f"{room}/*")), *alone):
        name = path.relative_to(folder).as_posix()
        if path.name.startswith((".", "~")) or path.name.endswith("~") or not path.is_file():
            continue
        try:
            tree[name] = path.read_bytes()
        except FileNotFoundError:  # it went while we looked
            continue
        except OSError as error:
            raise BadContent(f"{name} cannot be read: {error.strerror}") from error
    check_paths(tree)
    return tree


def check_paths(tree: Tree) -> None:
    """Raise BadContent for a path that leads out of the folder or into no room of it, and for too much."""
    for path in tree:
        if not _PATH.fullmatch(path):
            raise BadContent(
                f"{path[:100]!r} is not a path in the content folder",
                hint=f"a file in {', '.join(ROOMS)}, named with letters, digits, dots and dashes",
            )
    if len(tree) > MOST or sum(map(len, tree.values())) > LARGEST:
        raise BadContent(f"more than {MOST} files or {LARGEST // 1024 // 1024} MB of content")


def write_tree(folder: Path, tree: Tree) -> None:
    """Write all files of a tree into a folder. Raises OSError."""
    for room in ROOMS:
        if any(path.startswith(f"{room}/") for path in tree):
            (folder / room).mkdir(parents=True, exist_ok=True)
    for path, body in tree.items():
        (folder / path).write_bytes(body)


def digest(body: bytes) -> str:
    """Return the name of a file's content."""
    return hashlib.sha256(body).hexdigest()


def names(tree: Tree) -> dict[str, str]:
    """Return the name of each file's content, by path."""
    return {path: digest(body) for path, body in sorted(tree.items())}


def differences(old: Tree, new: Tree) -> Iterator[Difference]:
    """Yield what would change from one tree to another, by path.

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
