"""Audience: a rule that has a name. Who is in it is worked out when somebody asks: at an open, or for a count."""

from collections.abc import Mapping
from typing import Any

import msgspec

from wetink.core.errors import BadContent
from wetink.core.rule.check import problems_of
from wetink.core.rule.spelling import Reading, Unreadable
from wetink.core.rule.tree import All, Rule
from wetink.core.rule.write import spell


class Audience(msgspec.Struct, frozen=True):
    """A saved rule. `name` is its file's."""

    name: str
    rule: Rule
    title: str = ""


def audience_of(name: str, said: Any) -> Audience:
    """Return the audience of a file that says `{title, rule}`, or a rule alone. Raises Unreadable, with the places."""
    title = ""
    place = ""
    if isinstance(said, Mapping) and "rule" in said:
        title, place = said.get("title", ""), "rule"
        wrong = [
            f"{key}: there is no such thing; there are title, rule" for key in said if key not in ("title", "rule")
        ]
        if not isinstance(title, str):
            wrong.append("title: a text belongs here")
        if wrong:
            raise Unreadable(wrong)
        said = said["rule"]
    reading = Reading()
    rule = reading.rule(said, place)
    if rule is None or reading.problems:
        raise Unreadable(reading.problems)
    problems = list(problems_of(rule, place))
    if problems:
        raise Unreadable(problems)
    return Audience(name, rule, title)


def spelled(audience: Audience) -> dict[str, Any]:
    """Return what the file of an audience says."""
    said = spell(audience.rule)
    rule = said["all"] if isinstance(audience.rule, All) else said
    return {**({"title": audience.title} if audience.title else {}), "rule": rule}


def usable(audiences: Mapping[str, Audience]) -> tuple[dict[str, Audience], dict[str, list[str]]]:
    """Return the audiences that name only others that can be used, and what is wrong with the rest, by name."""
    left, wrong = dict(audiences), dict[str, list[str]]()
    while True:
        rules = {name: each.rule for name, each in left.items()}
        found = {name: found for name, rule in rules.items() if (found := list(problems_of(rule, "rule", rules)))}
        if not found:
            return left, wrong
        wrong |= found
        left = {name: each for name, each in left.items() if name not in found}


def rules_of(audiences: Mapping[str, Audience]) -> dict[str, Rule]:
    """Return the rules of audiences, by name."""
    return {name: each.rule for name, each in audiences.items()}


def rule_of(text: Any) -> Rule:
    """Return the rule of an audience's file, or of a rule alone. Raises BadContent."""
    try:
        return audience_of("", text).rule
    except Unreadable as error:
        raise BadContent("; ".join(error.problems), hint=error.hint) from error
