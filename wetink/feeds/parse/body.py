"""Body: external bytes as a stream of limited length, unpacked, and as lines of text."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from itertools import pairwise, starmap
from typing import Any, BinaryIO

from wetink.core.errors import WetinkError

Found = tuple[str, "dict[str, Any] | str | Note"]
"""The place in a body (`line 3`), and the item there, the reason why it cannot be used, or a note."""


class Note(str):
    """A note about a body; no item is left out for it."""


LONGEST_LINE = 1024 * 1024
"""Characters of the longest line; the reader skips the rest of it."""

CUT = "\0"
"""Replaces the rest of a line that is too long: no valid text has it."""

_ESCAPED = re.compile("[\udc80-\udcff]+")
_LIKELY = frozenset(
    "\u20ac\u201a\u201e\u2026\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u2122\u0160\u0161\u0152\u0153\u017d\u017e\u0178"
    + "".join(map(chr, (0xA0, 0xA1, 0xA3, 0xA7, 0xA9, 0xAA, 0xAB, 0xAE, *range(0xB0, 0xB5), *range(0xB7, 0xFE))))
)
"""Letters and marks of Western texts outside of ASCII."""
_NOT_BEFORE_LETTERS = "\xa3\xa4\xa5\xb9\xb2\xb3"
_GZIP = b"\x1f\x8b"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PAGES = (b"<!doctype html", b"<html")


class Unreadable(WetinkError):
    """The body as a whole does not match its feed's format."""

    code = "unreadable"


class _Bounded(io.RawIOBase):
    """Raises Unreadable as soon as it has read more bytes than the limit."""

    def __init__(self, source: BinaryIO | gzip.GzipFile, most: int) -> None:
        super().__init__()
        self._source, self._left, self._most = source, most, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            part = self._source.read(len(buffer))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Unreadable(f"it cannot be unpacked: {error}") from error
        self._left -= len(part)
        if self._left < 0:
            raise Unreadable(f"more than {self._most} bytes")
        buffer[: len(part)] = part
        return len(part)


def opened(raw: BinaryIO, most: int) -> io.BufferedReader:
    """Return a seekable body as a stream, unpacked if it is gzip. Reading it raises Unreadable beyond `most` bytes.

    Raises Unreadable for an empty body and for a web page: a login or an error often comes that way, with 200.
    """
    packed = raw.read(2) == _GZIP
    raw.seek(0)
    bounded: io.RawIOBase = _Bounded(gzip.GzipFile(fileobj=raw) if packed else raw, most)
    stream: io.BufferedReader = io.BufferedReader(bounded, 64 * 1024)
    start = stream.peek(1024).removeprefix(codecs.BOM_UTF8).lstrip()[:1024].lower()
    if not start:
        raise Unreadable("it is empty")
    if start.startswith(_PAGES):
        raise Unreadable("it is a web page (HTML), not a feed")
    return stream


def mark_of(stream: io.BufferedReader) -> str:
    """Return the encoding that the first bytes of a stream declare or reveal; empty if they do not."""
    start = stream.peek(4)[:4]
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), "")
    if not marked and len(start) == 4:
        if start[1] == start[3] == 0 and start[0] and start[2]:
            return "utf-16-le"
        if start[0] == start[2] == 0 and start[1] and start[3]:
            return "utf-16-be"
    return marked


def lines(stream: io.BufferedReader, encoding: str, mended: list[int] | None = None) -> Iterator[str]:
    """Return the lines with their ends. Bytes outside the encoding become U+FFFD; CUT replaces the rest of a long line.

    With `mended`, and if nothing declares the encoding, a line that is not UTF-8 is read as windows-1252 where that
    makes sense; its number is added to `mended`.
    """
    guess = mended is not None and not mark_of(stream) and not encoding
    errors = "surrogateescape" if guess else "replace"
    text = io.TextIOWrapper(stream, mark_of(stream) or encoding or "utf-8", errors=errors, newline="")
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if guess and mended is not None and not line.isascii() and _ESCAPED.search(line):
            line = _ESCAPED.sub(_western, line)
            if "\ufffd" not in line:
                mended.append(number)
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            while (rest := text.readline(LONGEST_LINE)) and not rest.endswith(("\n", "\r")):
                pass
            line = f"{line}{CUT}\n"
        yield line


def _western(escaped: re.Match[str]) -> str:
    """Return bytes that are not UTF-8 as windows-1252; U+FFFD for three or more together and for unlikely letters."""
    raw = bytes(ord(char) - 0xDC00 for char in escaped[0])
    letters = raw.decode("windows-1252", "replace")
    line = escaped.string
    around = f"{line[max(escaped.start() - 1, 0) : escaped.start()]}{letters}{line[escaped.end() : escaped.end() + 1]}"
    likely = len(raw) < 3 and all(char in _LIKELY for char in letters) and all(starmap(_fit, pairwise(around)))
    return letters if likely else "\ufffd" * len(raw)


def _fit(left: str, right: str) -> bool:
    """Return whether two characters stand together in Western words: not as in `£ódŸ`, which is `Łódź`."""
    if left in _NOT_BEFORE_LETTERS and right.isalpha():
        return False
    return not (left.isalnum() and right in "\xbf\xa1") and not (left.islower() and right.isupper() and right > "\x7f")


def flaw(text: str, encoding: str) -> str:
    """Return the reason why a line of text cannot be used; empty if it can."""
    if CUT in text:
        return f"it holds a NUL or more than {LONGEST_LINE} characters"
    if "\ufffd" in text:
        return f"it is not encoded in {encoding or 'UTF-8'}"
    return ""
