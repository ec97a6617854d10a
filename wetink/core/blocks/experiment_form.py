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


class Group(msgspec.Struct, frozen=True):
    """People who see some of the compared variants: an arm. `number` is its place on the page, from 1."""

    number: int
    name: str
    variants: tuple[str, ...]
    share: str = ""


class ExperimentForm(msgspec.Struct, frozen=True):
    """The fields of an experiment. `complete` is False for a file with more than the form can show."""

    title: str = ""
    groups: tuple[Group, ...] = ()
    split: str = "equal"
    holdout: str = ""
    control: str = ""
    worth: str = "10%"
    complete: bool = True

    def group(self, number: int) -> Group:
        """Return a group by its number, an empty one if nothing is in it."""
        return next((each for each in self.groups if each.number == number), Group(number, "", ()))

    def number_of(self, variant: str) -> int:
        """Return the number of a variant's group, 0 for a variant that all groups see."""
        return next((each.number for each in self.groups if variant in each.variants), 0)


def form_of(raw: Mapping[str, Any], title: str) -> ExperimentForm:
    """Return the form of a block's file: its experiment, or else a comparison of all its variants."""
    names = variants_of(raw)
    found = raw.get("experiment")
    if not isinstance(found, dict):
        alone = tuple(Group(at, name, (name,)) for at, name in enumerate(names, 1)) if len(names) > 1 else ()
        return ExperimentForm(f"{title} test"[:LONGEST_NAME], alone)
    arms = [each for each in found.get("arms") or () if isinstance(each, dict)]
    groups = tuple(
        Group(at, str(each.get("name", "")), tuple(map(str, each.get("variants") or ())), str(each.get("share", "")))
        for at, each in enumerate(arms, 1)
    )
    held = [name for each in groups for name in each.variants]
    own = any(each.share for each in groups)
    return ExperimentForm(
        str(found.get("name") or title),
        groups,
        "bandit" if found.get("bandit") is not None else "own" if own else "equal",
        str(found.get("holdout") or ""),
        str(raw.get("control") or ""),
        str(found.get("worth") or "10%"),
        complete=len(held) == len(set(held)) and set(held) <= set(names) and len(groups) <= len(names),
    )


def posted(fields: Mapping[str, str], names: Sequence[str]) -> ExperimentForm:
    """Return the form in the fields of a request. Variants are by their place, from 0, and groups by number."""
    groups = []
    for number in range(1, len(names) + 1):
        mine = tuple(name for at, name in enumerate(names) if fields.get(f"group.{at}") == str(number))
        if mine:
            given = fields.get(f"name.{number}", "").strip()
            groups.append(Group(number, given or usual_name(mine), mine, fields.get(f"share.{number}", "").strip()))
    return ExperimentForm(
        fields.get("title", "").strip(),
        tuple(groups),
        fields.get("split", "equal") if fields.get("split") in SPLITS else "equal",
        fields.get("holdout", "").strip(),
        fields.get("control", "") if fields.get("control") in names else "",
        fields.get("worth", "10%").strip() or "10%",
    )


def usual_name(variants: Sequence[str]) -> str:
    """Return the name of a group that nobody has named.

    >>> usual_name(["Price drop", "Last viewed"])
    'Price drop + Last viewed'
    """
    return " + ".join(variants)[:LONGEST_NAME].strip()


def experiment_of(form: ExperimentForm, name: str) -> Experiment:
    """Return the experiment that a form describes, under a name."""
    own = form.split == "own"
    arms = tuple(Arm(each.name, each.variants, _percent(each.share) if own else "") for each in form.groups)
    bandit = Bandit() if form.split == "bandit" else None
    return Experiment(name, "", arms, _percent(form.holdout), bandit, _percent(form.worth))


def wrong_with(form: ExperimentForm, names: Sequence[str]) -> dict[str, str]:
    """Return the errors of a form by field: title, groups, split, holdout, worth, name.N and share.N."""
    wrong: dict[str, str] = {}
    if not form.title:
        wrong["title"] = "give the experiment a name"
    elif len(form.title) > LONGEST_NAME:
        wrong["title"] = f"at most {LONGEST_NAME} characters"
    for field, text in (("holdout", form.holdout), ("worth", form.worth)):
        if why := _wrong_share(text, needed=field == "worth"):
            wrong[field] = why
    wrong |= _wrong_groups(form)
    if not wrong:
        for problem in problems_of(experiment_of(form, "x"), tuple(names)):
            wrong["split" if "share" in problem else "groups"] = problem.partition(": ")[2]
    return wrong


def _wrong_groups(form: ExperimentForm) -> dict[str, str]:
    """Return the errors of what is compared, and of how people are divided, by field."""
    wrong: dict[str, str] = {}
    if len(form.groups) == 1:
        wrong["groups"] = "put variants into at least two groups, or into none and hold out some people"
    elif not form.groups and not form.holdout:
        wrong["groups"] = "put variants into two groups to compare them, or hold out some people"
    called = [each.name for each in form.groups]
    for each in form.groups:
        if each.name in (HOLDOUT, PERSONALIZED):
            wrong[f"name.{each.number}"] = f"a group cannot be called {each.name}: choose another name"
        elif len(each.name) > LONGEST_NAME:
            wrong[f"name.{each.number}"] = f"at most {LONGEST_NAME} characters"
        elif called.count(each.name) > 1:
            wrong[f"name.{each.number}"] = "another group has this name"
        if form.split == "own" and (why := _wrong_share(each.share, needed=True)):
            wrong[f"share.{each.number}"] = why
    if form.split == "bandit" and len(form.groups) < 2:
        wrong["split"] = "this needs at least two groups"
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
