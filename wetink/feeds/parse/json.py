"""JSON: a document with a list of items somewhere in it. Each item is decoded alone, when its turn comes."""

import io
from collections.abc import Iterator
from typing import Any

import msgspec

from wetink.core.text.characters import problem_in
from wetink.core.units.quantity import storable
from wetink.feeds.parse.body import Found, Unreadable, flaw, lines, mark_of

DEEPEST = 64
"""Levels of an item."""

NUL = r"\u0000"
"""The way JSON writes characters that no text may hold."""

_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def items(stream: io.BufferedReader, root: str) -> Iterator[Found]:
    """Return the items of the list at a dotted path; an object there is the only item."""
    node = _whole(stream)
    for step in root.split(".") if root else ():
        node = _child(node, step)
    start = _start(node)
    if start == b"[":
        for number, raw in enumerate(_decoded(node, list[msgspec.Raw]), 1):
            yield f"item {number}", _item(raw)
    elif start == b"{":
        yield "item 1", _item(_decoded(node, msgspec.Raw))
    else:
        _decoded(node, Any)
        raise Unreadable(f"{root or 'the document'} is neither a list nor an object")


def by_line(stream: io.BufferedReader, encoding: str) -> Iterator[Found]:
    """Return the items of JSON lines: one object a line."""
    for number, line in enumerate(lines(stream, encoding), 1):
        if line.strip():
            yield f"line {number}", flaw(line, encoding) or _item(line)


def _whole(stream: io.BufferedReader) -> Any:
    mark = mark_of(stream)
    body = stream.read()
    if not mark:
        return body.lstrip()
    try:
        return body.decode(mark).encode().lstrip()
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not encoded in {mark}") from error


def _start(node: Any) -> bytes:
    return memoryview(node)[:1].tobytes()


def _child(node: Any, step: str) -> Any:
    if _start(node) == b"[" and step.isdecimal():
        parts = _decoded(node, list[msgspec.Raw])
        if len(step) < 8 and int(step) < len(parts):
            return parts[int(step)]
        raise Unreadable(f"root: the list has no item {step}")
    if _start(node) != b"{":
        _decoded(node, Any)
        raise Unreadable(f"root: there is no {step}, for there is no object to look in")
    names = _decoded(node, dict[str, msgspec.Raw])
    if step not in names:
        raise Unreadable(f"root: there is no {step}; there is {', '.join(list(names)[:10]) or 'nothing'}")
    return names[step]


def _item(raw: Any) -> dict[str, Any] | str:
    try:
        item = msgspec.json.decode(raw)
    except _ERRORS as error:
        return _message_of(error)
    if not isinstance(item, dict):
        return "it is not an object"
    if _is_deep(item):
        return "it is nested too deeply"
    kept: dict[str, Any] = storable(item)
    if NUL in (raw if isinstance(raw, str) else str(memoryview(raw), "utf-8")):
        place, why = problem_in(kept)
        return f"{place}: {why}" if why else kept
    return kept


def _is_deep(item: dict[str, Any]) -> bool:
    """Whether a value is nested deeper than DEEPEST: recursive functions walk the items that are kept."""
    level: list[Any] = [item]
    for _ in range(DEEPEST):
        level = [
            each
            for value in level
            for each in (value.values() if isinstance(value, dict) else value)
            if isinstance(each, dict | list)
        ]
        if not level:
            return False
    return True


def _decoded(node: Any, kind: Any) -> Any:
    try:
        return msgspec.json.decode(node, type=kind)
    except _ERRORS as error:
        raise Unreadable(_message_of(error)) from error


def _message_of(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "it is not encoded in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
