"""CSV: rows that a spreadsheet shows as they are, even if a value looks like a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

STARTS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 (the full-width ones start formulas as well)
"""Beginnings that make a spreadsheet read text as a formula. Source: OWASP, "CSV Injection"."""


def sheet(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""Return rows as CSV (RFC 4180), with text in quotes. None becomes empty text.

    >>> sheet(["name", "n"], [["=1+1", -2], [None, 0.5]])
    '"name","n"\r\n"\'=1+1",-2\r\n"",0.5\r\n'
    """
    return "".join(map(line, [header, *rows]))


def line(cells: Iterable[object]) -> str:
    """Return one row. Text that would be a formula gets an apostrophe in front."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n").writerow(map(_cell, cells))
    return out.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(STARTS) else value
