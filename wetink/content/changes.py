"""Changes: the difference between two trees of content, file by file, in a marketer's words; and merges of texts."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec

from wetink.content.content import LARGEST_TEXT, YAML, block_of
from wetink.content.strict_yaml import parse_yaml
from wetink.content.tree import Tree, differences
from wetink.core.app.app import App
from wetink.core.blocks.block import Block
from wetink.core.blocks.changes import block_changes, block_words, changed_values, flat, people, said
from wetink.core.errors import BadContent
from wetink.core.signals.audience import Audience, audience_of

KINDS = {
    "blocks": "Block",
    "audiences": "Audience",
    "feeds": "Feed",
    "mappings": "Mapping",
    "templates": "Template",
    "images": "Picture",
    "scenarios": "Scenario",
    "fonts": "Font",
}
"""Folder -> the word for one of its files."""

_NONE: Mapping[str, App] = {}
_DONE = {"added": "added", "removed": "deleted", "changed": "changed"}


class FileChange(msgspec.Struct, frozen=True):
    """A file that differs. `title` names its thing, `words` say what changed, `lines` are a unified diff of a text."""

    path: str
    what: Literal["added", "removed", "changed"]
    title: str
    words: tuple[str, ...]
    lines: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The change in one line, for a list of versions."""
        more = len(self.words) - 1
        first = f": {self.words[0]}" if self.what == "changed" and self.words else f" {_DONE[self.what]}"
        return f"{self.title}{first}{f' and {more} more' if more > 0 and self.what == 'changed' else ''}"


def file_changes(old: Tree, new: Tree, apps: Mapping[str, App] = _NONE) -> Iterator[FileChange]:
    """Yield the changes from one tree to another, by path.

    >>> [each.sentence for each in file_changes({"feeds/a.yaml": b"every: 1h"}, {"feeds/a.yaml": b"every: 2h"})]
    ['Feed a: every: “1h” → “2h”']
    """
    for each in differences(old, new):
        before, after = old.get(each.path), new.get(each.path)
        words = tuple(_words(each.path, before, after, apps))
        yield FileChange(each.path, each.what, title_of(each.path, after if after is not None else before), words,
                         each.lines)  # fmt: skip


def title_of(path: str, body: bytes | None) -> str:
    """Return the name of the thing that a file declares, with its kind.

    >>> title_of("blocks/hero.yaml", b"title: Summer hero"), title_of("templates/a.liquid", b"")
    ('Block Summer hero', 'Template a.liquid')
    """
    room, _, name = path.rpartition("/")
    kind, name = KINDS.get(room, "File"), name.removesuffix(".yaml").removesuffix(".yml")
    title = None
    if room in ("blocks", "audiences", "scenarios"):
        try:
            document = _document(body or b"")
        except BadContent:
            document = None
        title = document.get("title") or document.get("name") if isinstance(document, dict) else None
    return f"{kind} {title if isinstance(title, str) and title.strip() else name}"


def _words(path: str, before: bytes | None, after: bytes | None, apps: Mapping[str, App]) -> Iterator[str]:
    room = path.partition("/")[0]
    if not path.endswith(YAML):
        yield from _weights(room, before, after)
        return
    try:
        if room == "blocks":
            yield from _of_blocks(path, before, after, apps)
        elif room == "audiences":
            yield from _of_audiences(path, before, after)
        elif room != "scenarios" and before is not None and after is not None:
            yield from changed_values(_document(before), _document(after))
    except BadContent as error:
        yield f"It cannot be read: {error}"


def _weights(room: str, before: bytes | None, after: bytes | None) -> Iterator[str]:
    if room in ("images", "fonts") and before is not None and after is not None:
        yield f"Replaced: {_weight(before)} → {_weight(after)}"
    elif before is not None and after is not None:
        old, new = ({*text.decode("utf-8", "replace").splitlines()} for text in (before, after))
        yield f"Lines: {len(new - old)} new, {len(old - new)} gone"


def _weight(body: bytes) -> str:
    return f"{max(1, round(len(body) / 1000)):,} KB"


def _of_blocks(path: str, before: bytes | None, after: bytes | None, apps: Mapping[str, App]) -> Iterator[str]:
    name = PurePosixPath(path).stem
    old, new = (_block(name, body) if body is not None else None for body in (before, after))
    if old is not None and new is not None:
        yield from block_changes(old, new, apps)
    elif new is not None:
        yield from block_words(new, apps)


def _block(name: str, body: bytes) -> Block:
    block, wrong = block_of(name, _document(body))
    if wrong:
        raise BadContent(wrong[0])
    return block


def _of_audiences(path: str, before: bytes | None, after: bytes | None) -> Iterator[str]:
    name = PurePosixPath(path).stem
    old, new = (audience_of(name, _document(body)) if body is not None else None for body in (before, after))
    if new is None:
        return
    if old is None:
        yield f"Rule: {people([new.rule])}"
        return
    if old.title != new.title:
        yield f"Title: {said(old.title)} → {said(new.title)}"
    if old.rule != new.rule:
        yield f"Rule: {people([old.rule])} → {people([new.rule])}"
    yield from (f"Webhook {each}" for each in changed_values(_hook(old), _hook(new)))


def _hook(audience: Audience) -> dict[str, Any]:
    return flat(msgspec.to_builtins(audience.hook)) if audience.hook is not None else {}


def _document(body: bytes) -> Any:
    """Return what a YAML file has. Raises BadContent."""
    if len(body) > LARGEST_TEXT:
        raise BadContent(f"larger than {LARGEST_TEXT >> 10} KB")
    try:
        return parse_yaml(body.decode())
    except UnicodeDecodeError as error:
        raise BadContent("it is not UTF-8") from error


_Edit = tuple[int, int, list[str]]
"""The first line that is replaced, the one after the last, and the lines in their place."""


def merged_text(base: bytes, mine: bytes, theirs: bytes) -> bytes | None:
    r"""Return a text with the changes of both since `base`; None if they touch, or if one of them is no text.

    >>> merged_text(b"a\nb\nc\nd\n", b"A\nb\nc\nd\n", b"a\nb\nc\nD\n")
    b'A\nb\nc\nD\n'
    >>> merged_text(b"a\nb\n", b"A\nb\n", b"a2\nb\n") is None
    True
    """
    try:
        old, own, other = (text.decode().splitlines(keepends=True) for text in (base, mine, theirs))
    except UnicodeDecodeError:
        return None
    edits = sorted([*_edits(old, own), *(each for each in _edits(old, other) if each not in _edits(old, own))])
    found, place = list[str](), 0
    last = -1  # the end of the edit before; two that touch cannot be told apart
    for start, end, lines in edits:
        if start <= last:
            return None
        found += [*old[place:start], *lines]
        place = last = end
    return "".join([*found, *old[place:]]).encode()


def _edits(old: list[str], new: list[str]) -> list[_Edit]:
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(start, end, new[first:last]) for tag, start, end, first, last in codes if tag != "equal"]
