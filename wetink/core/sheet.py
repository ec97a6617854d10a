"""Sheet: rows as CSV that a spreadsheet opens, and in which no cell is a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a text for a formula. Source: OWASP, "CSV Injection"."""


def sheet(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""Return rows as CSV (RFC 4180). A text that would be a formula gets an apostrophe before it; None is empty.

    >>> sheet(["name", "n"], [["=1+1", -2], [None, 0.5]])
    "name,n\r\n'=1+1,-2\r\n,0.5\r\n"
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(each) for each in header])
    writer.writerows([_cell(each) for each in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(STARTS):
        return f"'{value}"
    return value
