"""Signals form: goals, attribution, currencies, zone and holdout as fields of a page, and `signals.yaml` from them."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from wetink.core.signals.goal import DEFAULT_MODEL, MODELS, ORDER, Currencies, Everywhere, Goal, Signals, problems_of

ROWS = {"goal": 1, "rate": 3}
"""Empty rows for new goals and new rates."""
MOST_GOALS, MOST_RATES = 30, 60
FIELDS = ("event", "value", "id", "currency", "clicks", "opens", "model")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Entered(msgspec.Struct):
    """Signals as entered: the fields as text, the signals if all can be read, and errors by field."""

    given: dict[str, str]
    signals: Signals | None = None
    errors: dict[str, str] = {}


def given_by(signals: Signals) -> dict[str, str]:
    """Return signals as the fields of the form."""
    given = {"zone": signals.zone, "model": signals.model}
    for index, (name, goal) in enumerate(signals.all_goals.items()):
        given[f"goal.{index}.name"] = name
        given |= {f"goal.{index}.{field}": getattr(goal, field) for field in FIELDS}
    table = signals.currencies
    if table is not None:
        given |= {"into": table.into, "as_of": table.as_of}
        for index, (code, rate) in enumerate(table.rates.items()):
            given |= {f"rate.{index}.code": code, f"rate.{index}.value": f"{rate:.10g}"}
    if signals.holdout is not None:
        given |= {"holdout": "on", "share": signals.holdout.share}
    return given


def entered(form: Mapping[str, str], before: Signals) -> Entered:
    """Return the signals that a form describes; `before` are the current ones, whose holdout keeps its seed."""
    given = {name: value.strip() for name, value in form.items()}
    errors: dict[str, str] = {}
    goals, places = _goals(given, errors)
    signals = Signals(
        goals,
        given.get("model") or DEFAULT_MODEL,
        _currencies(given, errors),
        _holdout(given, before),
        given.get("zone") or "UTC",
    )
    for problem in problems_of(signals):
        place, _, why = problem.partition(": ")
        errors.setdefault(_field(place, places, given), why)
    return Entered(given, None if errors else signals, errors)


def _goals(given: Mapping[str, str], errors: dict[str, str]) -> tuple[dict[str, Goal], dict[str, int]]:
    """Return the goals, and the row of each."""
    goals: dict[str, Goal] = {}
    places: dict[str, int] = {}
    for index in range(MOST_GOALS):
        row = {field: given.get(f"goal.{index}.{field}", "") for field in FIELDS}
        name = given.get(f"goal.{index}.name", "")
        if given.get(f"goal.{index}.remove") or not (name or row["event"]):
            continue
        if not name:
            name = re.sub(r"[^a-z0-9]+", "-", row["event"].lower()).strip("-")[:64] or "goal"
        if not _NAME.fullmatch(name):
            errors[f"goal.{index}.name"] = "use lowercase letters, digits and dashes, such as newsletter-signup"
        if name in goals:
            errors[f"goal.{index}.name"] = "another goal has this name"
        windows = {field: row[field] or "7d" for field in ("clicks", "opens")}
        goals[name], places[name] = Goal(**{**row, **windows}), index
    if goals.get(ORDER) == Goal():
        del goals[ORDER]  # as without a line
    return goals, places


def _currencies(given: Mapping[str, str], errors: dict[str, str]) -> Currencies | None:
    into, rates = given.get("into", "").upper(), dict[str, float]()
    for index in range(MOST_RATES):
        code, text = given.get(f"rate.{index}.code", "").upper(), given.get(f"rate.{index}.value", "")
        if not code and not text:
            continue
        if not code:
            errors[f"rate.{index}.value"] = "enter the currency of this rate"
        elif not re.fullmatch(r"\d{1,9}(?:[.,]\d{1,10})?", text, re.ASCII):
            errors[f"rate.{index}.value"] = f"enter what one {code[:3]} is worth, such as 0.92"
        else:
            rates[code] = float(text.replace(",", "."))
    if rates and not into:
        errors["into"] = "choose the currency of reports"
    as_of = given.get("as_of", "")
    if as_of and not re.fullmatch(r"\d{4}-\d\d-\d\d", as_of, re.ASCII):
        errors["as_of"] = "write a date such as 2026-11-20"
    return Currencies(into, rates, as_of) if into else None


def _holdout(given: Mapping[str, str], before: Signals) -> Everywhere | None:
    if not given.get("holdout"):
        return None
    share = given.get("share", "").replace(" ", "")
    share = f"{share}%" if re.fullmatch(r"[\d.]+", share) and share else share
    return Everywhere(share or "", before.holdout.seed if before.holdout is not None else Everywhere("").seed)


def _field(place: str, places: Mapping[str, int], given: Mapping[str, str]) -> str:
    """Return the field of the form that a place of `signals.yaml` belongs to."""
    steps = place.split(".")
    if steps[0] == "goals" and steps[-1] in FIELDS:
        name = place.removeprefix("goals.").rpartition(".")[0]
        return f"goal.{places.get(name, 0)}.{steps[-1]}"
    if steps[0] == "currencies" and len(steps) > 2:
        found = [key for key, value in given.items() if key.endswith(".code") and value.upper() == steps[-1]]
        return found[0].replace(".code", ".value") if found else "into"
    return {"holdout": "share", "currencies": "into"}.get(steps[0], steps[0])


def text_of(signals: Signals) -> str:
    """Return `signals.yaml`, without the default values; empty if there is nothing else.

    >>> text_of(Signals(zone="Europe/Oslo", holdout=Everywhere("5%"))).split(), text_of(Signals())
    (['zone:', 'Europe/Oslo', 'holdout:', 'share:', '5%'], '')
    """
    data: dict[str, Any] = {}
    if signals.zone != "UTC":
        data["zone"] = signals.zone
    if signals.model != DEFAULT_MODEL:
        data["model"] = signals.model
    if signals.goals:
        data["goals"] = {name: msgspec.to_builtins(goal) for name, goal in signals.goals.items()}
        for name, goal in data["goals"].items():
            goal.setdefault("event", signals.goals[name].event)
    if signals.currencies is not None:
        table = msgspec.to_builtins(signals.currencies)
        data["currencies"] = {key: value for key, value in table.items() if value}
    if signals.holdout is not None:
        data["holdout"] = {"share": signals.holdout.share}
        if signals.holdout.seed != Everywhere("").seed:
            data["holdout"]["seed"] = signals.holdout.seed
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100) if data else ""


def models() -> list[tuple[str, str]]:
    """Return the attribution models as choices."""
    return [(name, words[:1].upper() + words[1:]) for name, words in MODELS.items()]
