"""Formats: numbers, money, times and other values as a page shows them."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from markupsafe import Markup, escape

from wetink.core.blocks.block import Block
from wetink.core.blocks.experiment import EVERYWHERE
from wetink.core.catalog.catalog import Change
from wetink.core.text.link import host_of
from wetink.core.units.money import money as written

STEPS = ((60_000, 1_000, "s"), (3_600_000, 60_000, "min"), (86_400_000, 3_600_000, "h"), (0, 86_400_000, "d"))
"""Units of a time difference: the limit in milliseconds, the unit's milliseconds, and its symbol. The last one has no
limit."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number(value: float) -> str:
    """Return a count with thousands separators, and one decimal for fractions.

    >>> number(1234567), number(2.5)
    ('1,234,567', '2.5')
    """
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def share(part: float, whole: float) -> str:
    """Return a share in percent; a dash for an empty whole.

    >>> share(1, 8), share(0, 5), share(1, 0)
    ('12.5%', '0.0%', '—')
    """
    return f"{100 * part / whole:.1f}%" if whole else "—"


def percent(part: float) -> str:
    """Return a relative difference in percent, with its sign.

    >>> percent(0.123), percent(-0.005), percent(0)
    ('+12%', '-0.5%', '0%')
    """
    if math.isinf(part):
        return "any"
    return f"{part * 100:+.0f}%" if abs(part) >= 0.0995 else f"{part * 100:+.1f}%" if part else "0%"


def points(part: float) -> str:
    """Return the difference of two rates in percentage points, with its sign.

    >>> points(0.021), points(-0.4)
    ('+2.1 pts', '-40.0 pts')
    """
    return f"{part * 100:+.1f} pts"


def money(amount: float | None, currency: str = "") -> str:
    """Return an amount in English notation, an unknown currency by its code; a dash without an amount.

    >>> money(1234.5, "USD"), money(-3, "eur"), money(1200, "JPY"), money(5), money(None)
    ('$1,234.50', '-€3.00', '¥1,200', '5.00', '—')
    """
    return written(amount, currency) or "—"


def coded(text: str) -> Markup:
    """Return a text with the parts in backticks as code, and everything else escaped.

    >>> coded("send `url`, not <b>")
    Markup('send <code>url</code>, not &lt;b&gt;')
    """
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 (it is escaped before)


def moment(at: int) -> datetime | None:
    """Return the date (UTC) of Unix milliseconds; None if no calendar has it."""
    try:
        return _EPOCH + timedelta(milliseconds=at)
    except OverflowError:
        return None


def absolute(at: int) -> str:
    """Return Unix milliseconds as a full date and time.

    >>> absolute(1_700_000_000_123)
    '2023-11-14 22:13:20 UTC'
    """
    date = moment(at)
    return date.strftime("%Y-%m-%d %H:%M:%S UTC") if date is not None else f"{at} ms"


def ago(at: int, now: int) -> str:
    """Return the difference between a time and `now` in words. Both are Unix milliseconds.

    >>> ago(0, 500), ago(0, 59_000), ago(0, 7_200_000), ago(0, 172_800_000), ago(120_000, 0)
    ('just now', '59 s ago', '2 h ago', '2 d ago', 'in 2 min')
    """
    distance = abs(now - at)
    if distance < 1_000:
        return "just now"
    _, size, unit = next(step for step in STEPS if not step[0] or distance < step[0])
    text = f"{distance // size} {unit}"
    return f"{text} ago" if at <= now else f"in {text}"


def stamp(at: int, now: int) -> Markup:
    """Return a `<time>` with the difference to `now`, and the full time as its title."""
    date = moment(at)
    if not at or date is None:
        return Markup("<span>—</span>")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(date.isoformat(), absolute(at), ago(at, now))


def day(at: int, now: int) -> str:
    """Return the name of a time's day (UTC).

    >>> day(0, 3_600_000), day(0, 90_000_000), day(0, 900_000_000)
    ('Today', 'Yesterday', 'Thursday, 1 January 1970')
    """
    date, today = moment(at), moment(now)
    if date is None or today is None:
        return "Another time"
    away = (today.date() - date.date()).days
    if away in (0, 1):
        return ("Today", "Yesterday")[away]
    return f"{date:%A}, {date.day} {date:%B %Y}"


def clock(at: int) -> str:
    """Return the time of day (UTC).

    >>> clock(3_660_000)
    '01:01'
    """
    date = moment(at)
    return date.strftime("%H:%M") if date is not None else ""


def plain(value: Any) -> str:
    """Return a value for a table: text as it is, everything else as JSON that can wrap."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def as_json(value: Any) -> str:
    """Return a value as JSON, for a script."""
    return msgspec.json.encode(value).decode()


def pretty(raw: bytes) -> str:
    """Return raw JSON with indentation. Any other text stays as it is.

    >>> pretty(b'{"name": "Ada"}').splitlines(), pretty(b"{")
    (['{', '  "name": "Ada"', '}'], '{')
    """
    try:  # `json` indents more slowly, and leaves 30 objects in cycles
        return msgspec.json.format(json.dumps(json.loads(raw), ensure_ascii=False))
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "replace")


def is_link(url: str) -> bool:
    """Return whether a URL is safe to link: http or https, and well formed."""
    return bool(host_of(url))


def changed(change: Change) -> str:
    """Return the stock in a change, in words; empty if unknown.

    >>> changed(Change(0, 1.0, "in_stock", 3)), changed(Change(0, 1.0, "out_of_stock")), changed(Change(0, 1.0))
    ('3 in stock', 'out of stock', '')
    """
    if change.stock is not None:
        return f"{change.stock} in stock" if change.stock else "out of stock"
    return change.availability.replace("_", " ")


def attributes(given: Mapping[str, Any]) -> Markup:
    """Return the attributes of an element: `_` in a name is `-`, True is a bare attribute, None and False are left out.

    >>> attributes({"hx_get": "/a?b&c", "disabled": True, "title": None})
    Markup(' hx-get="/a?b&amp;c" disabled')
    """
    return Markup("").join(
        Markup(" {}").format(name) if value is True else Markup(' {}="{}"').format(name, value)
        for name, value in ((name.replace("_", "-"), value) for name, value in given.items())
        if value is not None and value is not False
    )


def experiment_title(name: str, block: Block | None) -> str:
    """Return the title of an experiment: the block's for one without a name of its own, else its name in words.

    >>> experiment_title("cart-words", None), experiment_title(EVERYWHERE, None)
    ('Cart words', 'All personalization')
    """
    if name == EVERYWHERE:
        return "All personalization"
    if block is not None and name == block.name:
        return block.called
    words = name.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]
