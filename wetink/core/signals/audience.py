"""Audience: a rule with a name. wetink computes its members when needed: at an open, or for a count."""

from collections.abc import Mapping
from typing import Any

import msgspec

from wetink.core.errors import BadContent
from wetink.core.outbound.webhook import Hook, check
from wetink.core.rules.check import AudienceSizes, names_of, problems_of
from wetink.core.rules.format import spell
from wetink.core.rules.nodes import at
from wetink.core.rules.parse import Unreadable, parse
from wetink.core.rules.tree import All, Rule
from wetink.core.text.titled import Titled


class Audience(Titled, msgspec.Struct, frozen=True):
    """A saved rule. `name` is its file's name, and `hook` says where changes of its members are sent."""

    name: str
    rule: Rule
    title: str = ""
    hook: Hook | None = None


FIELDS = ("title", "rule", "hook")


def audience_of(name: str, document: Any) -> Audience:
    """Return the audience of a file with `{title, rule, hook}`, or with only a rule.

    Raises Unreadable with the places.
    """
    title, hook = "", None
    place = ""
    if isinstance(document, Mapping) and "rule" in document:
        title, place = document.get("title", ""), "rule"
        wrong = [f"{key}: unknown name; use one of {', '.join(FIELDS)}" for key in document if key not in FIELDS]
        if not isinstance(title, str):
            wrong.append("title: this must be text")
        if document.get("hook") is not None:
            hook, found = _hook(document["hook"])
            wrong += found
        if wrong:
            raise Unreadable(wrong)
        document = document["rule"]
    rule = parse(document, place)
    if problems := problems_with(rule, place):
        raise Unreadable(problems)
    return Audience(name, rule, title, hook)


def problems_with(rule: Rule, place: str, audiences: Mapping[str, Rule] | AudienceSizes | None = None) -> list[str]:
    """Return the problems of an audience's rule. A rule written as a list has the places of that list."""
    found = list(problems_of(rule, place, audiences))
    if not isinstance(rule, All):
        return found
    return [(place + each.removeprefix(at(place, "all"))).removeprefix(": ") for each in found]


def _hook(document: Any) -> tuple[Hook | None, list[str]]:
    """Return the webhook of an audience, and its problems."""
    try:
        hook = msgspec.convert(document, Hook)
        check(hook)
    except msgspec.ValidationError as error:
        return None, [f"hook: {error}"]
    except BadContent as error:
        return None, [f"{error.where}: {error}"]
    return hook, []


def spelled(audience: Audience) -> dict[str, Any]:
    """Return the content of an audience's file."""
    rule = spell(audience.rule)
    rule = rule["all"] if isinstance(audience.rule, All) else rule
    hook = {"hook": msgspec.to_builtins(audience.hook)} if audience.hook is not None else {}
    return {**({"title": audience.title} if audience.title else {}), "rule": rule, **hook}


def usable(audiences: Mapping[str, Audience]) -> tuple[dict[str, Audience], dict[str, list[str]]]:
    """Return the audiences that can be used and name only such others, and the problems of the rest, by name."""
    left, wrong = dict(audiences), dict[str, list[str]]()
    doubted = set(left)
    while doubted:
        rules = AudienceSizes({name: each.rule for name, each in left.items()})
        found = {name: problems for name in doubted if (problems := problems_with(left[name].rule, "rule", rules))}
        wrong |= {name: found[name] for name in audiences if name in found}
        left = {name: each for name, each in left.items() if name not in found}
        doubted = {name for name, each in left.items() if found and not found.keys().isdisjoint(names_of(each.rule))}
    return left, wrong


def rules_of(audiences: Mapping[str, Audience]) -> dict[str, Rule]:
    """Return the rules of audiences, by name."""
    return {name: each.rule for name, each in audiences.items()}


def rule_of(text: Any) -> Rule:
    """Return the rule of an audience's file, or a rule alone. Raises BadContent."""
    try:
        return audience_of("", text).rule
    except Unreadable as error:
        raise BadContent("; ".join(error.problems), hint=error.hint) from error
