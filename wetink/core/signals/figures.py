"""Figures: the numbers of a report's line that a person looks at, and how they changed between two periods."""

from collections.abc import Sequence

from wetink.core.signals.change import Change, of_counts, of_rates, of_revenue
from wetink.core.signals.report import Line

FIGURES: dict[str, str] = {
    "opens": "Unique opens",
    "clicks": "Clicked",
    "rate": "Click rate",
    "orders": "Orders",
    "revenue": "Revenue",
    "pictures": "Pictures sent",
}
"""Figure -> its words, in the order of a page."""


def figure(line: Line | None, name: str, currency: str = "") -> float | None:
    """Return a figure of a line, 0 without a line. A rate without opens is None; revenue is in one currency."""
    if line is None:
        return None if name == "rate" else 0.0
    match name:
        case "opens":
            return float(line.unique_opens)
        case "clicks":
            return float(line.unique_clicks)
        case "rate":
            return line.click_rate
        case "orders":
            return line.orders
        case "revenue":
            return line.revenue.get(currency, 0.0)
        case _:
            return float(line.pictures)


def change(now: Line, before: Line | None, name: str, currency: str = "") -> Change | None:
    """Return the change of a figure since another period; None if a rate has nothing to compare."""
    earlier = before if before is not None else Line({})
    if name == "rate":
        return of_rates((now.unique_clicks, now.openers), (earlier.unique_clicks, earlier.openers))
    if name == "revenue":
        return of_revenue(_revenue(now, currency), _revenue(earlier, currency))
    return of_counts(figure(now, name, currency) or 0.0, figure(earlier, name, currency) or 0.0)


def _revenue(line: Line, currency: str) -> tuple[float, float, float]:
    return line.revenue.get(currency, 0.0), line.squares.get(currency, 0.0), line.orders


def main_currency(line: Line) -> str:
    """Return the currency with the most revenue; empty without revenue."""
    return max(line.revenue, key=lambda code: line.revenue[code], default="")


def matched(
    lines: Sequence[Line], others: Sequence[Line], days: Sequence[str], other_days: Sequence[str]
) -> list[Line | None]:
    """Return for each line the one of another period with the same key. A day matches the day at its place."""
    places = dict(zip(days, other_days, strict=False))
    known = {tuple(line.key.values()): line for line in others}
    found = []
    for line in lines:
        key = tuple(places.get(value, "") if name == "day" else value for name, value in line.key.items())
        found.append(known.get(key))
    return found
