"""Table: CSV with a header line and any delimiter."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice, takewhile
from typing import Any

from wetink.feeds.parse.body import Found, Note, Unreadable, flaw, lines

DIVIDERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)
"""A first line that declares the delimiter to Excel."""
SAMPLE = 20
"""Lines from which the delimiter is found."""


def items(stream: io.BufferedReader, encoding: str) -> Iterator[Found]:
    """Return one item per line, its cells (texts) under the names in the header."""
    mended: list[int] = []
    source = lines(stream, encoding, mended)
    sample = list(islice(source, SAMPLE))
    declared = _SEPARATOR_LINE.fullmatch(sample[0]) if sample else None
    above = 0 if declared is None else 1
    above += len(list(takewhile(_is_comment, sample[above:])))
    sample = sample[above:]
    rows = csv.reader(chain(sample, source), delimiter=declared[1] if declared is not None else _divider(sample))
    header = _header(rows, encoding)
    count = 0
    for name, times in Counter(name for name in header if name).items():
        if times > 1:
            yield "the header", f"{name!r} appears {times} times: the first column counts"
    for where, row in _rows(rows, above):
        count += 1
        yield where, row if isinstance(row, str) else _item(header, row, encoding)
    if not count and len(header) == 1:
        raise Unreadable(f"{header[0][:60]!r} is all of it, so this is not a table")
    if mended:
        yield f"line {mended[0]}", Note("it is not encoded in UTF-8 and is read as windows-1252; name another encoding")


def _rows(rows: Any, above: int) -> Iterator[tuple[str, list[str] | str]]:
    """Yield the place of each row, and the row or the reason why it cannot be read, without empty rows and comments."""
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield f"line {rows.line_num + above}", str(error)
            continue
        if row is None:
            return
        if any(row) and not _is_comment(row[0]):
            yield f"line {rows.line_num + above}", row


def _is_comment(text: str) -> bool:
    """Return whether a line or a first cell is a comment: Meta's template begins with some."""
    return text.lstrip('\ufeff"').startswith("# ")


def _header(rows: Iterator[list[str]], encoding: str) -> list[str]:
    try:
        header = [cell.strip() for cell in next(rows, [])]
    except csv.Error as error:
        raise Unreadable(f"the header: {error}") from error
    wrong = flaw("".join(header), encoding) if any(header) else "it is empty"
    if wrong:
        raise Unreadable(f"the header: {wrong}")
    return header


def _item(header: Sequence[str], row: list[str], encoding: str) -> dict[str, str] | str:
    if len(row) != len(header) and (len(row) < len(header) or any(row[len(header) :])):
        return f"it has {len(row)} cells, the header {len(header)}"
    wrong = flaw("".join(row), encoding)
    if wrong:
        return wrong
    item: dict[str, str] = {}
    for name, cell in zip(header, row, strict=False):
        if name:
            item.setdefault(name, cell)
    return item


def _divider(sample: Sequence[str]) -> str:
    """Return the delimiter that divides most lines into as many cells as the first."""

    def agreement(divider: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(sample, delimiter=divider) if row]
        except csv.Error:
            return 0, 0
        if not widths or widths[0] < 2:
            return 0, 0
        return widths.count(widths[0]), widths[0]

    return max(DIVIDERS, key=agreement)
