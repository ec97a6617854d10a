"""Body: bytes from outside as a stream that is never longer than it may be, unpacked, and as lines of text."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from wetink.core.errors import WetinkError

Found = tuple[str, dict[str, Any] | str]
"""Where something stands in a body (`line 3`), and the item it is, or why it is none."""

LONGEST_LINE = 1024 * 1024
"""Characters of the longest line; the rest of it is passed over."""

CUT = "\0"
"""What stands for the rest of a line that was too long: no text has it."""

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
    """The body as a whole is not what the feed says it is."""

    code = "unreadable"


class _Bounded(io.RawIOBase):
    """Reads on until there is more than there may be."""

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
    """Return a seekable body as a stream, unpacked where it is gzip. Reading it raises Unreadable beyond `most` bytes.

    Raises Unreadable for nothing at all and for a web page: that is how a login or an error often comes with 200.
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
    """Return the encoding that the first bytes of a stream announce; empty when they do not."""
    start = stream.peek(4)[:4]
    return next((name for mark, name in _MARKS if start.startswith(mark)), "")


def lines(stream: io.BufferedReader, encoding: str) -> Iterator[str]:
    """Return the lines with their ends. What is not in that encoding is U+FFFD; the rest of a long line is CUT."""
    text = io.TextIOWrapper(stream, mark_of(stream) or encoding or "utf-8", errors="replace", newline="")
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            while (rest := text.readline(LONGEST_LINE)) and not rest.endswith(("\n", "\r")):
                pass
            line = f"{line}{CUT}\n"
        yield line


def flaw(text: str, encoding: str) -> str:
    """Return why a line of text cannot be used; empty when it can."""
    if CUT in text:
        return f"it holds a NUL or more than {LONGEST_LINE} characters"
    if "\ufffd" in text:
        return f"it is not written in {encoding or 'UTF-8'}"
    return ""
