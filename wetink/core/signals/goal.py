"""Goal: which event counts as a conversion, what one is worth, and how long before it an email may have brought it.

Signals: all of a content folder's `signals.yaml`: the goals, the model that credits them, the currencies they are told
in, and who is held out of everything.
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

MODELS: dict[str, str] = {
    "last-click-else-open": "the last click, or else the last open",
    "last-click": "the last click",
    "last-open": "the last open",
    "first": "the first open or click",
    "linear": "all emails that were opened or clicked, in equal parts",
}
"""Model -> what gets the credit for a conversion."""

DEFAULT_MODEL = "last-click-else-open"
ORDER = "order"
"""The built-in goal."""
ORDER_EVENTS = frozenset({"Order Completed", "Order Updated", "Order Refunded", "Order Cancelled"})
"""What is told of an order after it was made counts for it."""


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An event that counts. `value` and `id` name properties, dotted paths allowed; windows are spans such as `7d`."""

    event: str = "Order Completed"
    value: str = ""
    """The property that says what one is worth; empty: an order's total, and nothing for any other event."""
    currency: str = ""
    """Of an event that does not say its own, as in `EUR`; empty: US dollars, as Segment's spec has it."""
    id: str = ""
    """The property that tells one from another, so that the same one told twice counts once; empty: the order's id."""
    clicks: str = "7d"
    """How long before it a click still counts."""
    opens: str = "7d"
    """How long before it an open still counts."""
    model: str = ""
    """Empty: the one of all goals."""


class Currencies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stated table: what one unit of another currency is worth in `into`. What is not in it stays apart."""

    into: str
    rates: dict[str, float] = {}
    as_of: str = ""
    """When these rates held, for the reader."""


class Everywhere(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Those who get no personalization in any block, to show what all of it brings."""

    share: str
    seed: str = "everywhere"


class Signals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `signals.yaml` says. Orders are a goal in any case."""

    goals: dict[str, Goal] = {}
    model: str = DEFAULT_MODEL
    currencies: Currencies | None = None
    holdout: Everywhere | None = None

    def goal(self, name: str) -> Goal | None:
        """Return a goal by name."""
        return self.goals.get(name) or (Goal() if name == ORDER else None)

    @property
    def all_goals(self) -> dict[str, Goal]:
        """All goals by name, orders first."""
        return {ORDER: self.goals.get(ORDER, Goal()), **self.goals}

    def events(self, goal: Goal) -> frozenset[str]:
        """Return the names of the events that say something of a goal."""
        return ORDER_EVENTS if goal.event == "Order Completed" else frozenset({goal.event})

    def rate(self, currency: str) -> tuple[str, float]:
        """Return the currency an amount is told in, and what one unit of it is worth there."""
        table = self.currencies
        if table is None or currency not in table.rates:
            return currency, 1.0
        return table.into, table.rates[currency]


def signals_of(raw: Any) -> Signals:
    """Return what a YAML document says. Raises BadContent with all that is wrong, each with its place."""
    if raw is None:
        return Signals()
    if not isinstance(raw, dict):
        raise BadContent("signals.yaml has goals, model, currencies and holdout", hint="see docs/signals.md")
    table = raw.get("currencies")
    if isinstance(table, dict) and isinstance(table.get("as_of"), date):  # YAML reads a day as one
        raw = {**raw, "currencies": {**table, "as_of": table["as_of"].isoformat()}}
    try:
        found = msgspec.convert(raw, Signals)
    except msgspec.ValidationError as error:
        raise BadContent(str(error)) from error
    wrong = list(_wrong_with(found))
    if wrong:
        raise BadContent("; ".join(wrong))
    goals = {name: replace(goal, event=canonical(goal.event) or goal.event) for name, goal in found.goals.items()}
    rated = found.currencies
    if rated is not None:
        rates = {code.upper(): rate for code, rate in rated.rates.items() if code.upper() != rated.into.upper()}
        rated = Currencies(rated.into.upper(), rates, rated.as_of)
    return replace(found, goals=goals, currencies=rated)


def _wrong_with(signals: Signals) -> Iterator[str]:
    yield from _wrong_model("model", signals.model)
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
                yield "holdout.share: more than 0 % and less than 100 %"


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
        yield ".event: this goal is the orders; give another event another name"


def _wrong_table(table: Currencies) -> Iterator[str]:
    for code in (table.into, *table.rates):
        if not (len(code) == 3 and code.isascii() and code.isalpha()):
            yield f"currencies: {code!r} is not a currency; write EUR, USD, …"
    for code, rate in table.rates.items():
        if not 0 < rate < 1e9:
            yield f"currencies.rates.{code}: {rate} is not a rate; enter what one {code} is worth in {table.into}"


def _wrong_model(place: str, model: str) -> Iterator[str]:
    if model not in MODELS:
        yield f"{place}: there is no model {model!r}; there are {', '.join(MODELS)}"
