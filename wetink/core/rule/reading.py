"""Reading: the words that rules are made of: names, numbers, windows, what is asked of values. Notes what is wrong."""

from collections.abc import Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from wetink.core.aliases import canonical
from wetink.core.rule.operators import BY_NAME
from wetink.core.rule.tree import Property, Step, Test, Where, Window

LAST_ORDER = "last order"
ORDER = "Order Completed"
WINDOWS = ("within", "between", "since", "in")
_ALL = f"there are {', '.join(BY_NAME)}"
Said = Mapping[Any, Any]


class Words:
    """Reads what stands in a rule. Notes all that is wrong with it."""

    def __init__(self) -> None:
        """Begin with nothing wrong."""
        self.problems: list[str] = []

    def wrong(self, place: str, why: str) -> None:
        """Note what is wrong at a place."""
        self.problems.append(f"{place}: {why}" if place else why)

    def known(self, said: Mapping[Any, Any], names: tuple[str, ...], place: str) -> None:
        """Note each name that does not belong here."""
        for name in said:
            if name not in names:
                near = get_close_matches(str(name), names, 1)
                self.wrong(
                    at(place, name),
                    f"there is no such thing; do you mean {near[0]}?"
                    if near
                    else f"there is no such thing; there are {', '.join(names)}",
                )

    def text(self, said: Mapping[Any, Any], name: str, place: str, otherwise: str = "") -> str:
        """Read a text; a number is its digits."""
        value = plain(said.get(name, otherwise))
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.wrong(at(place, name), "a text belongs here")
            return otherwise
        return str(value)

    def event(self, said: Mapping[Any, Any], name: str, place: str) -> str:
        """Read the name of an event."""
        text = self.text(said, name, place).strip()
        if not text:
            self.wrong(at(place, name), "the name of an event belongs here")
        return canonical(text) or text

    def whole(self, said: Mapping[Any, Any], name: str, place: str) -> int | None:
        """Read a whole number, None when there is none."""
        value = said.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.wrong(at(place, name), f"{value!r} is no whole number")
        return None

    def switch(self, said: Mapping[Any, Any], name: str, place: str) -> bool:
        """Read whether something is so."""
        value = said.get(name, False)
        if not isinstance(value, bool):
            self.wrong(at(place, name), "true or false belongs here")
        return value is True

    def percent(self, said: Mapping[Any, Any], name: str, place: str) -> float:
        """Read a share of a hundred, with or without its sign."""
        value = said.get(name, 0)
        try:
            if isinstance(value, bool):
                raise ValueError
            return float(value.strip().removesuffix("%")) if isinstance(value, str) else float(value)
        except (TypeError, ValueError):
            self.wrong(at(place, name), f"{value!r} is no share; write 20%")
            return 0.0

    def window(self, said: Mapping[Any, Any], place: str) -> Window:
        """Read when."""
        asked = [name for name in WINDOWS if name in said]
        if len(asked) > 1:
            self.wrong(at(place, asked[1]), f"{asked[0]} says when already")
        if "within" in said:
            return Window(within=self.text(said, "within", place))
        if "between" in said:
            ends = plain(said["between"])
            if not isinstance(ends, tuple) or len(ends) != 2:
                self.wrong(at(place, "between"), "two dates belong here, such as [2026-01-01, 2026-02-01]")
                return Window()
            return Window(between=(str(ends[0]), str(ends[1])))
        if "since" in said:
            text = self.text(said, "since", place).strip()
            name = ORDER if text in (LAST_ORDER, "order") else text.removeprefix("last ").strip()
            return Window(since=canonical(name) or name)
        if "in" in said:
            if said["in"] != "this visit":
                self.wrong(at(place, "in"), "only `this visit` can stand here")
            return Window(visit=True)
        return Window()

    def tests(self, said: Any, place: str) -> tuple[Test, ...]:
        """Read what is asked of a value: the value itself, a list of values, or operators."""
        said = plain(said)
        if isinstance(said, tuple):
            return (Test("one_of", said),)
        if not isinstance(said, Mapping):
            return (Test("equals", said),)
        if not said:
            self.wrong(place, "say what is asked of it")
        return self.operators(said, place)

    def operators(self, said: Mapping[Any, Any], place: str) -> tuple[Test, ...]:
        """Read operators with what they compare with."""
        found = []
        for name, value in said.items():
            if name in BY_NAME:
                found.append(Test(name, plain(value)))
                continue
            near = get_close_matches(str(name), BY_NAME, 1)
            self.wrong(at(place, name), f"there is no such operator; {f'do you mean {near[0]}?' if near else _ALL}")
        return tuple(found)

    def where(self, said: Any, place: str) -> Where:
        """Read what is asked of properties."""
        if said is None:
            return ()
        if not isinstance(said, Mapping) or not said:
            self.wrong(place, "properties belong here, such as {category: Shoes}")
            return ()
        return tuple(Property(str(name), self.tests(value, at(place, name))) for name, value in said.items())

    def step(self, said: Any, place: str) -> Step | None:
        """Read an event of a sequence."""
        if not isinstance(said, Mapping) or "done" not in said:
            self.wrong(place, "an event belongs here, such as {done: Product Added}")
            return None
        self.known(said, ("done", "where"), place)
        return Step(self.event(said, "done", place), self.where(said.get("where"), at(place, "where")))


def at(place: str, name: object) -> str:
    """Return the place of a name within a place."""
    return f"{place}.{name}" if place else str(name)


def plain(value: Any) -> Any:
    """Return what YAML has read as the tree keeps it: lists as tuples, dates as they are written.

    >>> plain([date(2026, 1, 1)])
    ('2026-01-01',)
    """
    if isinstance(value, list | tuple):
        return tuple(plain(each) for each in value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value.isoformat() if isinstance(value, date) else value
