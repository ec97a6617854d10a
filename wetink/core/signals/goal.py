"""Goal: the event that counts as a conversion, its value, and how long before it an email may get credit.

Signals: the whole `signals.yaml` of a content folder: goals, the attribution model, currencies, the holdout, and
the time zone.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.core.errors import BadContent
from wetink.core.events.ecommerce import canonical
from wetink.core.units.bucketing import fraction
from wetink.core.units.duration import parse
from wetink.core.units.zone import named

MODELS: dict[str, str] = {
    "last-click-else-open": "the last click, or else the last open",
    "last-click": "the last click",
    "last-open": "the last open",
    "first": "the first open or click",
    "linear": "all emails that were opened or clicked, in equal parts",
}
"""Model -> the opens and clicks that get the credit for a conversion."""

DEFAULT_MODEL = "last-click-else-open"
ORDER = "order"
"""The built-in goal."""
ORDER_EVENTS = frozenset({"Order Completed", "Order Updated", "Order Refunded", "Order Cancelled"})
"""Later events about an order count for it."""


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An event that counts. `value` and `id` name properties or dotted paths. Windows are durations such as `7d`."""

    event: str = "Order Completed"
    value: str = ""
    """The property with the value. Empty: an order's total, and 0 for any other event."""
    currency: str = ""
    """For events without a currency, such as `EUR`. Empty: US dollars, by Segment's spec."""
    id: str = ""
    """The property that identifies a conversion, so that a repeated one counts once. Empty: the order's ID."""
    clicks: str = "7d"
    """How long before it a click still counts."""
    opens: str = "7d"
    """How long before it an open still counts."""
    model: str = ""
    """Empty: the model of all goals."""


class Currencies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exchange rates: the value of one unit of another currency in `into`. Currencies without a rate stay separate."""

    into: str
    rates: dict[str, float] = {}
    as_of: str = ""
    """The date of these rates, for the reader."""


class Everywhere(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The people who get no personalization in any block, to measure the effect of all of it."""

    share: str
    seed: str = "everywhere"


class Signals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `signals.yaml`. Orders are always a goal."""

    goals: dict[str, Goal] = {}
    model: str = DEFAULT_MODEL
    currencies: Currencies | None = None
    holdout: Everywhere | None = None
    zone: str = "UTC"
    """The shop's time zone: a day of a report begins at its midnight."""

    def goal(self, name: str) -> Goal | None:
        """Return a goal by name."""
        return self.goals.get(name) or (Goal() if name == ORDER else None)

    @property
    def all_goals(self) -> dict[str, Goal]:
        """All goals by name, orders first."""
        return {ORDER: self.goals.get(ORDER, Goal()), **self.goals}

    def events(self, goal: Goal) -> frozenset[str]:
        """Return the names of the events that are about a goal."""
        return ORDER_EVENTS if goal.event == "Order Completed" else frozenset({goal.event})

    def rate(self, currency: str) -> tuple[str, float]:
        """Return the currency that an amount is reported in, and the value of one unit there."""
        table = self.currencies
        if table is None or currency not in table.rates:
            return currency, 1.0
        return table.into, table.rates[currency]


def signals_of(raw: Any) -> Signals:
    """Return the signals of a YAML document. Raises BadContent with all problems and their places."""
    if raw is None:
        return Signals()
    if not isinstance(raw, dict):
        raise BadContent(
            "signals.yaml must be a mapping with goals, model, currencies, holdout or zone", hint="see docs/signals.md"
        )
    table = raw.get("currencies")
    if isinstance(table, dict) and isinstance(table.get("as_of"), date):  # YAML reads a day as a date
        raw = {**raw, "currencies": {**table, "as_of": table["as_of"].isoformat()}}
    try:
        found = msgspec.convert(raw, Signals)
    except msgspec.ValidationError as error:
        raise BadContent(str(error)) from error
    wrong = list(problems_of(found))
    if wrong:
        raise BadContent("; ".join(wrong))
    goals = {name: replace(goal, event=canonical(goal.event) or goal.event) for name, goal in found.goals.items()}
    rated = found.currencies
    if rated is not None:
        rates = {code.upper(): rate for code, rate in rated.rates.items() if code.upper() != rated.into.upper()}
        rated = Currencies(rated.into.upper(), rates, rated.as_of)
    return replace(found, goals=goals, currencies=rated, zone=named(found.zone))


def problems_of(signals: Signals) -> Iterator[str]:
    """Yield the problems of signals, each after its place."""
    yield from _wrong_model("model", signals.model)
    if not named(signals.zone):
        yield f"zone: there is no time zone {signals.zone[:64]!r}; write one such as Europe/Berlin"
    for name, goal in signals.goals.items():
        yield from (f"goals.{name}{each}" for each in _wrong_goal(name, goal))
    if signals.currencies is not None:
        yield from _wrong_table(signals.currencies)
    if signals.holdout is not None:
        try:
            share = fraction(signals.holdout.share)
        except BadContent as error:
            yield f"holdout.share: {error}; {error.hint}"
        else:
            if not 0 < share < 1:
                yield "holdout.share: write more than 0% and less than 100%"


def _wrong_goal(name: str, goal: Goal) -> Iterator[str]:
    if not goal.event.strip():
        yield ".event: name the event that counts"
    for window in ("clicks", "opens"):
        try:
            parse(getattr(goal, window))
        except BadContent as error:
            yield f".{window}: {error}; {error.hint}"
    if goal.model:
        yield from _wrong_model(".model", goal.model)
    if name == ORDER and (canonical(goal.event) or goal.event) != "Order Completed":
        yield ".event: the goal order is Order Completed; give another event another name"


def _wrong_table(table: Currencies) -> Iterator[str]:
    for code in (table.into, *table.rates):
        if not (len(code) == 3 and code.isascii() and code.isalpha()):
            yield f"currencies: {code!r} is not a currency; write EUR, USD, …"
    for code, rate in table.rates.items():
        if not 0 < rate < 1e9:
            yield f"currencies.rates.{code}: {rate} is not a rate; enter what one {code} is worth in {table.into}"


def _wrong_model(place: str, model: str) -> Iterator[str]:
    if model not in MODELS:
        yield f"{place}: there is no model {model!r}; use one of {', '.join(MODELS)}"
