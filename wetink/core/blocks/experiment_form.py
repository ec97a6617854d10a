"""Experiment form: an experiment as the fields of a form, its start, its end, and its winner, on a block's file.

The file is a mapping as in YAML, so that everything else in it stays.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from wetink.core.blocks.experiment import HOLDOUT, PERSONALIZED, Arm, Bandit, Experiment, Plan, planned, problems_of
from wetink.core.errors import BadContent
from wetink.core.units.bucketing import fraction

SPLITS = {"equal": "The same for each", "own": "Shares of your own", "bandit": "More for what works better"}
WORTHS = ("5%", "10%", "20%", "50%")
LONGEST_NAME = 60


class ExperimentForm(msgspec.Struct, frozen=True):
    """The fields of an experiment. `chosen` are the variants that are compared, and `shares` are by variant."""

    title: str = ""
    chosen: tuple[str, ...] = ()
    shares: Mapping[str, str] = {}
    split: str = "equal"
    holdout: str = ""
    control: str = ""
    worth: str = "10%"


def form_of(raw: Mapping[str, Any], title: str) -> ExperimentForm:
    """Return the form of a block's file: its experiment, or else a comparison of all its variants."""
    names = variants_of(raw)
    found = raw.get("experiment")
    if not isinstance(found, dict):
        return ExperimentForm(f"{title} test"[:LONGEST_NAME], tuple(names) if len(names) > 1 else ())
    arms = [each for each in found.get("arms") or () if isinstance(each, dict)]
    held = [str(name) for each in arms for name in each.get("variants") or ()]
    shares = {str(name): str(each.get("share", "")) for each in arms for name in each.get("variants") or ()}
    split = "bandit" if found.get("bandit") is not None else "own" if any(shares.values()) else "equal"
    return ExperimentForm(
        str(found.get("name") or title),
        tuple(name for name in names if name in held),
        shares,
        split,
        str(found.get("holdout") or ""),
        str(raw.get("control") or ""),
        str(found.get("worth") or "10%"),
    )


def posted(fields: Mapping[str, str], names: Sequence[str]) -> ExperimentForm:
    """Return the form in the fields of a request. Variants are by their place, from 0."""
    chosen = tuple(name for at, name in enumerate(names) if fields.get(f"variant.{at}") == "on")
    shares = {name: fields.get(f"share.{at}", "").strip() for at, name in enumerate(names)}
    return ExperimentForm(
        fields.get("title", "").strip(),
        chosen,
        shares,
        fields.get("split", "equal") if fields.get("split") in SPLITS else "equal",
        fields.get("holdout", "").strip(),
        fields.get("control", "") if fields.get("control") in names else "",
        fields.get("worth", "10%").strip() or "10%",
    )


def experiment_of(form: ExperimentForm, name: str) -> Experiment:
    """Return the experiment that a form describes, under a name."""
    own = form.split == "own"
    arms = tuple(Arm(each, (each,), _percent(form.shares.get(each, "")) if own else "") for each in form.chosen)
    bandit = Bandit() if form.split == "bandit" else None
    return Experiment(name, "", arms, _percent(form.holdout), bandit, _percent(form.worth))


def wrong_with(form: ExperimentForm, names: Sequence[str]) -> dict[str, str]:
    """Return the errors of a form by field: title, variants, split, holdout, worth and share.N."""
    wrong: dict[str, str] = {}
    if not form.title:
        wrong["title"] = "give the experiment a name"
    elif len(form.title) > LONGEST_NAME:
        wrong["title"] = f"at most {LONGEST_NAME} characters"
    for field, text in (("holdout", form.holdout), ("worth", form.worth)):
        if why := _wrong_share(text, needed=field == "worth"):
            wrong[field] = why
    wrong |= _wrong_variants(form, names)
    if not wrong:
        for problem in problems_of(experiment_of(form, "x"), tuple(names)):
            wrong["split" if "share" in problem else "variants"] = problem.partition(": ")[2]
    return wrong


def _wrong_variants(form: ExperimentForm, names: Sequence[str]) -> dict[str, str]:
    """Return the errors of what is compared, and of how people are divided, by field."""
    wrong: dict[str, str] = {}
    if any(each in (HOLDOUT, PERSONALIZED) for each in form.chosen):
        wrong["variants"] = f"a variant that is compared cannot be called {HOLDOUT} or {PERSONALIZED}: rename it"
    elif len(form.chosen) == 1:
        wrong["variants"] = "choose at least two variants, or none and a holdout"
    elif not form.chosen and not form.holdout:
        wrong["variants"] = "choose two variants to compare, or hold out some people"
    if form.split == "own":
        for at, name in enumerate(names):
            if name in form.chosen and (why := _wrong_share(form.shares.get(name, ""), needed=True)):
                wrong[f"share.{at}"] = why
    if form.split == "bandit" and len(form.chosen) < 2:
        wrong["split"] = "this needs at least two variants"
    return wrong


def plan_of(form: ExperimentForm) -> Plan | None:
    """Return the plan of a form; None for one that cannot be computed yet."""
    try:
        return planned(experiment_of(form, "forecast"), "forecast")
    except (BadContent, ZeroDivisionError, ValueError):
        return None


def started(raw: Mapping[str, Any], form: ExperimentForm, name: str) -> dict[str, Any]:
    """Return a block's file with the experiment of a form."""
    made = msgspec.to_builtins(experiment_of(form, name))
    rest = {key: value for key, value in raw.items() if key not in ("experiment", "control")}
    return {**rest, **({"control": form.control} if form.control else {}), "experiment": made}


def stopped(raw: Mapping[str, Any], winner: str = "") -> dict[str, Any]:
    """Return a block's file without its experiment.

    Without a `winner`, all variants stay. An arm as winner keeps its variants and those that every arm shows. If the
    holdout has won, only the control stays, or nothing, which is the fallback.
    """
    experiment = raw.get("experiment")
    arms = experiment.get("arms") or () if isinstance(experiment, dict) else ()
    bound = {name: {str(each) for each in arm.get("variants") or ()} for arm in arms if (name := str(arm.get("name")))}
    variants = [each for each in raw.get("variants") or ()]
    if winner == HOLDOUT:
        variants = [each for each in variants if each.get("name") == raw.get("control")]
    elif winner in bound:
        losing = set().union(*bound.values()) - bound[winner]
        variants = [each for each in variants if each.get("name") not in losing]
    rest = {key: value for key, value in raw.items() if key not in ("experiment", "control", "variants")}
    return {**rest, "variants": variants}


def variants_of(raw: Mapping[str, Any]) -> list[str]:
    """Return the names of the variants in a block's file."""
    return [str(each.get("name", "")) for each in raw.get("variants") or () if isinstance(each, dict)]


def _percent(text: str) -> str:
    """Return a share with its sign: a number alone is meant in percent.

    >>> _percent("10"), _percent("10 %"), _percent("1/3"), _percent("")
    ('10%', '10%', '1/3', '')
    """
    text = text.replace(" ", "").replace(",", ".")
    return f"{text}%" if text.replace(".", "", 1).isdecimal() else text


def _wrong_share(text: str, *, needed: bool) -> str:
    if not text:
        return "enter a share, such as 50%" if needed else ""
    try:
        found = fraction(_percent(text))
    except BadContent:
        return f"{text[:20]!r} is not a share: write 10%"
    return "" if 0 < found < 1 else "more than 0% and less than 100%"
