"""Judged: whether what a runner saw is what a case expects."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from wetink.core.events.clock import parse as time_of

Judge = Callable[[Mapping[str, Any], Any], bool]
NOT_JUDGED = ("because", "or", "open_question")
"""What a case says besides what is expected."""


def wrong_with(seen: Mapping[str, Any], expect: Mapping[str, Any]) -> list[str]:
    """Return what is not as expected; nothing when all is, or when the other answer that is right was given."""
    wrong = [
        f"{name}: expected {wanted!r}, saw {_shown(seen, name)}"
        for name, wanted in expect.items()
        if name not in NOT_JUDGED and not JUDGES.get(name, _same(name))(seen, wanted)
    ]
    if wrong and "or" in expect and _says(seen, str(expect["or"])):
        return []
    return wrong


def _shown(seen: Mapping[str, Any], name: str) -> str:
    there = {key: seen[key] for key in (name, "problems", "notes", "lost", "paths") if key in seen}
    return repr(there or dict(seen))[:600]


def _same(name: str) -> Judge:
    return lambda seen, wanted: name in seen and _equal(seen[name], wanted)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) < 1e-9
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _time(name: str) -> Judge:
    return lambda seen, wanted: name in seen and seen[name] == time_of(wanted)


def _verdict(seen: Mapping[str, Any], wanted: str) -> bool:
    """`usable`, or several that are right: "unusable, or a problem at `url`"."""
    return any(seen["verdict"] == each or _says(seen, each) for each in re.split(r",? or ", wanted))


def _says(seen: Mapping[str, Any], words: str) -> bool:
    """Whether the other answer was given: a note, a problem at a path, a message with a word, or a value taken."""
    place = re.search(r"a problem at `([^`]+)`", words)
    if place is not None:
        path = place[1].removeprefix("properties.")
        return any(each == path or each.removeprefix("properties.") == path for each in seen.get("paths", ()))
    if words == "a note":
        return bool(seen.get("notes") or seen.get("problems"))
    said = " ".join(map(str, seen.get("problems", ())))
    if words.startswith("the message says"):
        return "quot" in said
    return words in map(str, seen.get("settings", {}).values())


def _refused_at(seen: Mapping[str, Any], path: str) -> bool:
    """Whether it was refused, and the words name the place: `settings.zone` as `variants[0].settings.zone`."""
    return not seen["taken"] and any(re.search(rf"(?<!\w){re.escape(path)}(?!\w)", each) for each in seen["problems"])


def _lines(seen: Mapping[str, Any], wanted: list[Any]) -> bool:
    return bool(seen["lines"] == sorted(map(list, wanted)))


JUDGES: dict[str, Judge] = {
    "verdict": _verdict,
    "at": _time("at"),
    "ends": _time("ends"),
    "refused_at": _refused_at,
    "lines": _lines,
    "drawn": lambda seen, _: seen["drawn"],
    "pieces_at_most": lambda seen, most: seen["pieces"] <= most,
    "refunded_not": lambda seen, amount: "refunded" in seen and not _equal(seen["refunded"], amount),
    "contains": lambda seen, part: part in seen["text"],
    "content_type": lambda seen, wanted: str(seen["content_type"]).partition(";")[0] == wanted,
}
"""What is not simply the same -> how it is judged."""
