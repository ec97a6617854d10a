"""Digest: a week beside the one before in a few words, as an email and as the message of a webhook. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from html import escape

import msgspec

from wetink.core.outbound.letter import Letter, framed
from wetink.core.signals.change import Change
from wetink.core.signals.date_range import DateRange, day_of, midnight
from wetink.core.signals.figures import FIGURES, change, figure, main_currency
from wetink.core.signals.report import Line, total
from wetink.core.signals.reporting import DAYS, Summary
from wetink.core.units.money import money

HOUR_MS = 3_600_000
LATE_MS = 3 * 86_400_000
"""How long after its time a summary is still sent, as after a server that was off."""
FEW_OPENS = 50
"""Unique opens below which a block is neither best nor worst."""
SHOWN = 3
"""Blocks at each end."""
MOST_PROBLEMS = 5


class Figure(msgspec.Struct, frozen=True):
    """A figure of the week in words, and its change since the week before."""

    name: str
    value: str
    change: str
    direction: str


class BlockLine(msgspec.Struct, frozen=True):
    """A block of the week: its name and title, its figures in words, and the change of its unique opens."""

    name: str
    title: str
    figures: str
    change: str


class Digest(msgspec.Struct, frozen=True):
    """The summary of a week."""

    week: str
    days: str
    figures: tuple[Figure, ...]
    best: tuple[BlockLine, ...] = ()
    worst: tuple[BlockLine, ...] = ()
    changes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def due(summary: Summary, zone: str, now: int) -> str | None:
    """Return the week (such as `2026-W48`) whose summary is due at `now` (Unix ms); None if none is.

    >>> monday = midnight(date(2026, 11, 30), "UTC")
    >>> [due(Summary(to=("a@b.c",)), "UTC", monday + hours * HOUR_MS) for hours in (7, 8, 79, 80)]
    [None, '2026-W48', '2026-W48', None]
    """
    if not summary.on:
        return None
    today = day_of(now, zone)
    last = today - timedelta((today.weekday() - DAYS.index(summary.day)) % 7)
    at = midnight(last, zone) + summary.hour * HOUR_MS
    if at > now:
        last -= timedelta(7)
        at = midnight(last, zone) + summary.hour * HOUR_MS
    return week_of(last) if now - at < LATE_MS else None


def week_of(day: date) -> str:
    """Return the name of the last whole week before a day."""
    year, week, _ = (day - timedelta(7)).isocalendar()
    return f"{year}-W{week:02}"


def days_of(week: str, zone: str) -> DateRange:
    """Return the days of a week, Monday to Sunday."""
    year, _, number = week.partition("-W")
    first = date.fromisocalendar(int(year), int(number), 1)
    return DateRange(first, first + timedelta(6), zone)


def digest(
    week: str,
    zone: str,
    lines: Sequence[Line],
    others: Sequence[Line],
    titles: dict[str, str],
    *,
    changes: Iterable[str] = (),
    problems: Iterable[str] = (),
) -> Digest:
    """Return the summary of a week from its lines by block and those of the week before."""
    whole, before = total(lines), total(others)
    currency = main_currency(whole) or main_currency(before)
    known = {line.key["block"]: line for line in others}
    able = [line for line in lines if line.unique_opens >= FEW_OPENS]
    able.sort(key=lambda line: (-line.revenue.get(currency, 0.0), -(line.click_rate or 0.0), line.key["block"]))
    best = able[:SHOWN]
    worst = [line for line in reversed(able) if line not in best][:SHOWN]
    problems = list(problems)
    left = len(problems) - MOST_PROBLEMS
    return Digest(
        week,
        days_of(week, zone).words(),
        tuple(_figure(name, whole, before, currency) for name in FIGURES),
        tuple(_block(line, known.get(line.key["block"]), titles, currency) for line in best),
        tuple(_block(line, known.get(line.key["block"]), titles, currency) for line in worst),
        tuple(changes),
        (*problems[:MOST_PROBLEMS], *([f"{left} more"] if left > 0 else [])),
    )


def _figure(name: str, now: Line, before: Line, currency: str) -> Figure:
    found = change(now, before, name, currency)
    direction = found.direction if found is not None else "same"
    return Figure(FIGURES[name], _value(figure(now, name, currency), name, currency), _change(found, name), direction)


def _block(line: Line, before: Line | None, titles: dict[str, str], currency: str) -> BlockLine:
    block = line.key["block"]
    parts = [f"{line.unique_opens:,} opens", f"{_value(line.click_rate, 'rate', '')} clicked"]
    if line.revenue.get(currency):
        parts.append(_value(line.revenue[currency], "revenue", currency))
    since = change(line, before, "opens")
    return BlockLine(block, titles.get(block, block), ", ".join(parts), _change(since, "opens"))


def _value(value: float | None, name: str, currency: str) -> str:
    if value is None:
        return "–"  # noqa: RUF001 (a dash stands for no value)
    if name == "rate":
        return f"{value * 100:.1f}%"
    if name == "revenue":
        return money(value, currency) or "0"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _change(found: Change | None, name: str) -> str:
    if found is None or found.relative is None:
        return "new" if found is not None and found.now else ""
    words = f"{found.relative * 100:+.1f} points" if name == "rate" else f"{found.relative * 100:+.0f}%"
    return words if found.direction != "same" or found.low is None else f"{words}, within chance"


def letter(found: Digest, to: tuple[str, ...], address: str, *, test: bool = False) -> Letter:
    """Return the summary as an email. `address` is the server's, for links."""
    subject = f"{'Test: ' if test else ''}Your emails, {found.days}"
    name = f"summary-{found.week}{'-test' if test else ''}"
    return Letter(name, to, subject, text_of(found, address), _html(found, address))


def _sections(found: Digest) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the titles of the parts below the figures, each with its lines: a name, which may be empty, and words."""
    for title, blocks in (("Best blocks", found.best), ("Weakest blocks", found.worst)):
        if blocks:
            since = [f" (opens {each.change})" if each.change else "" for each in blocks]
            yield title, [(each.title, each.figures + more) for each, more in zip(blocks, since, strict=True)]
    for title, words in (("Experiments", found.changes), ("Problems", found.problems)):
        if words:
            yield title, [("", each) for each in words]


def _with_change(each: Figure) -> str:
    return f"{each.value} ({each.change})" if each.change else each.value


def text_of(found: Digest, address: str) -> str:
    """Return the summary as plain text."""
    lines = [f"Your emails, {found.days}", "", *(f"{each.name}: {_with_change(each)}" for each in found.figures)]
    for title, rows in _sections(found):
        lines += ["", title, *(f"- {name}: {words}" if name else f"- {words}" for name, words in rows)]
    lines += ["", f"All results: {report_address(found, address)}", f"Change or turn off: {settings_address(address)}"]
    return "\n".join(lines) + "\n"


def report_address(found: Digest, address: str) -> str:
    """Return the address of the report of the week."""
    days = days_of(found.week, "UTC")
    return f"{address}/dashboard/reports?from={days.first}&to={days.last}&compare=before"


def settings_address(address: str) -> str:
    """Return the address of the page that changes the summary or turns it off."""
    return f"{address}/dashboard/reports/summary"


COLORS = {"up": "#1b7a4b", "down": "#b3261e", "same": "#636873"}
CELL = "padding:8px 0;border-top:1px solid #e7e7e3"


def _html(found: Digest, address: str) -> str:
    """Return the summary as HTML that mail clients show: tables and inline styles."""
    rows = "".join(
        f'<tr><td style="{CELL};color:#636873">{escape(each.name)}</td>'
        f'<td style="{CELL};text-align:right;font-weight:600">{escape(each.value)}</td>'
        f'<td style="{CELL};padding-left:16px;color:{COLORS[each.direction]}">{escape(each.change)}</td></tr>'
        for each in found.figures
    )
    parts = [
        f'<h1 style="font-size:20px;margin:0 0 16px">Your emails, {escape(found.days)}</h1>',
        f'<table role="presentation" width="100%" cellspacing="0" cellpadding="0">{rows}</table>',
    ]
    for title, listed in _sections(found):
        items = "".join(
            f'<li style="margin:4px 0">{f"<b>{escape(name)}</b>: " if name else ""}{escape(words)}</li>'
            for name, words in listed
        )
        parts.append(f'<h2 style="font-size:15px;margin:24px 0 8px">{title}</h2>')
        parts.append(f'<ul style="margin:0;padding-left:18px">{items}</ul>')
    report, settings = escape(report_address(found, address)), escape(settings_address(address))
    parts += [
        f'<p style="margin:24px 0"><a href="{report}" style="color:#3b5bdb">All results</a></p>',
        '<p style="font-size:12px;color:#636873">wetink sends this every week. ',
        f'<a href="{settings}" style="color:#636873">Change it or turn it off</a>.</p>',
    ]
    return framed("".join(parts))


def message(found: Digest, address: str) -> bytes:
    """Return the summary as a webhook's message, which Slack shows: its text, and the figures as data."""
    title = f"Your emails, {found.days}"
    figures = " · ".join(f"{_slack(each.name)} *{_slack(each.value)}* {_slack(each.change)}" for each in found.figures)
    text = [f"*{_slack(title)}*", figures]
    for heading, rows in _sections(found):
        listed = (f"• *{_slack(name)}*: {_slack(words)}" if name else f"• {_slack(words)}" for name, words in rows)
        text.append("\n".join([f"*{heading}*", *listed]))
    text.append(f"<{report_address(found, address)}|All results>")
    sections = [{"type": "section", "text": {"type": "mrkdwn", "text": each[:3_000]}} for each in text]
    return msgspec.json.encode({"text": title, "blocks": sections, "summary": found})


def _slack(text: str) -> str:
    """Return a text without Slack's markup. Source: Slack, "Formatting text for app surfaces"."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
