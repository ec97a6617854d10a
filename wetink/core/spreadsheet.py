"""Spreadsheet: rows as CSV that a spreadsheet shows as they are, whatever somebody has called themselves."""

import csv
import io
from collections.abc import Iterable

FORMULAS = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 (the full-width ones are formulas, too)
"""What a cell of a formula begins with."""


def line(cells: Iterable[str | float]) -> str:
    r"""Return one line of CSV (RFC 4180), every text in quotes. A text that would be a formula gets a quote before it.

    >>> line(["user:1", '=HYPERLINK("https://evil.example")', 2])
    '"user:1","\'=HYPERLINK(""https://evil.example"")",2\r\n'
    """
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC).writerow(
        [f"'{cell}" if isinstance(cell, str) and cell[:1] in FORMULAS and cell else cell for cell in cells]
    )
    return out.getvalue()
