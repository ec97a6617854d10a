"""Parse: a rule as people write it in YAML or JSON, read into the tree it stands for; `format` goes back.

when:
  - done: Product Viewed
    where: {category: Shoes, price: {above: 50}}
    within: 3d
  - not: {trait: plan, equals: gold}
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from wetink.core.errors import BadContent
from wetink.core.rule.operators import BY_NAME
from wetink.core.rule.reading import WINDOWS, Said, Words, at
from wetink.core.rule.tree import (
    Aggregate,
    All,
    AnyOf,
    CartIs,
    Did,
    Figure,
    Interest,
    Lifecycle,
    Member,
    MomentIs,
    Not,
    ProductIs,
    Property,
    Rule,
    Sequence,
    Share,
    Stage,
    Test,
    Trait,
    Window,
)

DEEPEST, MOST = 32, 500
"""How deep rules may be nested, and how many nodes one may have."""

FIGURES: tuple[Figure, ...] = get_args(Figure)


class Unreadable(BadContent):
    """A rule that cannot be read. `problems` has all that is wrong, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        """Take what is wrong."""
        super().__init__("; ".join(problems[:3]), hint="docs/rules.md has the language")
        self.problems = problems


def parse(said: Any, place: str = "") -> Rule:
    """Return the rule that somebody has spelled; a list is all of its parts. Raises Unreadable.

    >>> parse({"done": "Viewed Product", "within": "7d"}) == Did("Product Viewed", window=Window(within="7d"))
    True
    """
    reading = Reading()
    rule = reading.rule(said, place)
    if reading.problems or rule is None:
        raise Unreadable(reading.problems)
    return rule


def parse_all(said: Any, place: str) -> tuple[tuple[Rule, ...], list[str]]:
    """Return the rules of a list as far as they can be read, and what is wrong with the others."""
    reading = Reading()
    found = reading.rules(said, place)
    return found, reading.problems


class Reading(Words):
    """Reads rules."""

    def __init__(self) -> None:
        """Begin with nothing wrong."""
        super().__init__()
        self._nodes = self._depth = 0

    def rules(self, said: Any, place: str) -> tuple[Rule, ...]:
        """Read a list of rules."""
        if not isinstance(said, list | tuple):
            self.wrong(place, "a list of rules belongs here")
            return ()
        read = [self.rule(each, f"{place}[{index}]") for index, each in enumerate(said)]
        return tuple(each for each in read if each is not None)

    def rule(self, said: Any, place: str) -> Rule | None:
        """Read one rule; None when it cannot be read."""
        if isinstance(said, list | tuple):
            return All(self.rules(said, place))
        if not isinstance(said, Mapping):
            self.wrong(place, "a rule is a mapping, such as {done: Product Viewed}")
            return None
        kinds = [kind for kind in KINDS if kind in said]
        if len(kinds) != 1:
            self._no_kind(said, kinds, place)
            return None
        self._nodes += 1
        if self._nodes > MOST or self._depth > DEEPEST:
            if self._nodes == MOST + 1 or self._depth > DEEPEST:
                self.wrong(place, f"more than {MOST} rules in one, or nested deeper than {DEEPEST}")
            return None
        self._depth += 1
        fields, read = KINDS[kinds[0]]
        self.known(said, (kinds[0], *fields), place)
        made = read(self, said, place)
        self._depth -= 1
        return made

    def _no_kind(self, said: Mapping[Any, Any], kinds: list[str], place: str) -> None:
        if kinds:
            self.wrong(place, f"say one of {' and '.join(kinds)} here, and the other in a rule of its own")
            return
        key = next(iter(map(str, said)), "")
        near = get_close_matches(key, KINDS, 1)
        hint = f", do you mean {near[0]}?" if near else ""
        self.wrong(place, f"{f'{key!r} is no rule{hint} ' if key else ''}say one of {', '.join(KINDS)}")


def _done(reading: Reading, said: Said, place: str) -> Rule:
    negated = "not_done" in said
    exactly = reading.whole(said, "exactly", place)
    at_least, at_most = reading.whole(said, "at_least", place), reading.whole(said, "at_most", place)
    if exactly is not None and (at_least is not None or at_most is not None):
        reading.wrong(at(place, "exactly"), "at_least and at_most do not go with exactly")
    if exactly is not None:
        at_least = at_most = exactly
    if at_least is None:
        at_least = 1 if at_most is None else 0
    return Did(
        reading.event(said, "not_done" if negated else "done", place),
        reading.where(said.get("where"), at(place, "where")),
        reading.window(said, place),
        at_least,
        at_most,
        reading.switch(said, "first_time", place),
        negated,
    )


def _sequence(reading: Reading, said: Said, place: str) -> Rule:
    listed = said["sequence"]
    if not isinstance(listed, list | tuple):
        reading.wrong(at(place, "sequence"), "a list of events belongs here")
        listed = ()
    steps = [reading.step(each, f"{at(place, 'sequence')}[{index}]") for index, each in enumerate(listed)]
    without = reading.step(said["without"], at(place, "without")) if "without" in said else None
    completed = said.get("completed")
    window = Window()
    if isinstance(completed, Mapping):
        reading.known(completed, WINDOWS, at(place, "completed"))
        window = reading.window(completed, at(place, "completed"))
    elif completed is not None:
        reading.wrong(at(place, "completed"), "when it was completed belongs here, such as {within: 30d}")
    return Sequence(tuple(each for each in steps if each), reading.text(said, "within", place), without, window)


def _aggregate(reading: Reading, said: Said, place: str) -> Rule:
    figure = next(each for each in FIGURES if each in said)
    inline = {name: value for name, value in said.items() if name in BY_NAME and name not in WINDOWS}
    more = said.get("is")
    tests = reading.operators(inline, place)
    if more is not None:
        tests += reading.tests(more, at(place, "is"))
    if "of" not in said:
        reading.wrong(at(place, "of"), "say of which event")
    return Aggregate(
        figure,
        reading.text(said, figure, place),
        reading.event(said, "of", place) if "of" in said else "",
        tests,
        reading.where(said.get("where"), at(place, "where")),
        reading.window(said, place),
    )


def _trait(reading: Reading, said: Said, place: str) -> Rule:
    tests = reading.operators({name: value for name, value in said.items() if name in BY_NAME}, place)
    return Trait(reading.text(said, "trait", place), tests)


def _cart(reading: Reading, said: Said, place: str) -> Rule:
    asked, place = said["cart"], at(place, "cart")
    if not isinstance(asked, Mapping):
        reading.wrong(place, "say what of it: value, items, age or contains")
        return CartIs()
    reading.known(asked, ("value", "items", "age", "contains"), place)
    value, items, age = (
        reading.tests(asked[name], at(place, name)) if name in asked else () for name in ("value", "items", "age")
    )
    return CartIs(value, items, age, reading.where(asked.get("contains"), at(place, "contains")))


def _product(reading: Reading, said: Said, place: str) -> Rule:
    interest: Interest = reading.text(said, "product", place)  # type: ignore[assignment]  # `check` looks at it
    return ProductIs(
        interest,
        reading.where(said.get("where"), at(place, "where")),
        reading.text(said, "within", place),
        reading.percent(said, "price_fell", place) if "price_fell" in said else None,
        reading.switch(said, "back_in_stock", place) if "back_in_stock" in said else None,
        reading.whole(said, "low_stock", place),
    )


def _lifecycle(reading: Reading, said: Said, place: str) -> Rule:
    stage: Stage = reading.text(said, "lifecycle", place)  # type: ignore[assignment]  # `check` looks at it
    new_for, lapsed_after = (
        reading.text(said, "new_for", place, "30d"),
        reading.text(said, "lapsed_after", place, "90d"),
    )
    return Lifecycle(stage, new_for, lapsed_after)


NESTED = ("parameter", "weather")
"""What of a moment has names of its own."""


def _moment(reading: Reading, said: Said, place: str) -> Rule:
    asked, place = said["moment"], at(place, "moment")
    if not isinstance(asked, Mapping) or not asked:
        reading.wrong(place, "say what of it, such as {weekday: [sat, sun]}")
        return MomentIs(())
    found: list[Property] = []
    feed = "weather"
    for name, value in asked.items():
        if name not in NESTED:
            found.append(Property(str(name), _days(reading.tests(value, at(place, name)), name)))
            continue
        if not isinstance(value, Mapping):
            reading.wrong(at(place, name), "names with values belong here")
            continue
        inner = dict(value)
        if name == "weather" and "feed" in inner:
            feed = reading.text({"feed": inner.pop("feed")}, "feed", at(place, name))
        found += [Property(f"{name}.{each.name}", each.tests) for each in reading.where(inner or None, at(place, name))]
    return MomentIs(tuple(found), feed)


def _days(tests: tuple[Test, ...], name: object) -> tuple[Test, ...]:
    """Return tests of a weekday with each day by its first three letters."""
    if name != "weekday":
        return tests
    return tuple(
        Test(each.operator, tuple(map(_day, each.value)) if isinstance(each.value, tuple) else _day(each.value))
        for each in tests
    )


def _day(value: Any) -> Any:
    return value.strip().lower()[:3] if isinstance(value, str) else value


_COUNTS = ("at_least", "at_most", "exactly", "first_time")
_FIGURE_FIELDS = ("of", "where", "is", *WINDOWS, *(name for name in BY_NAME if name not in WINDOWS))

KINDS: dict[str, tuple[tuple[str, ...], Callable[[Reading, Said, str], Rule]]] = {
    "done": (("where", *WINDOWS, *_COUNTS), _done),
    "not_done": (("where", *WINDOWS, *_COUNTS), _done),
    "sequence": (("within", "without", "completed"), _sequence),
    **{figure: (_FIGURE_FIELDS, _aggregate) for figure in FIGURES},
    "trait": (tuple(BY_NAME), _trait),
    "audience": ((), lambda reading, said, place: Member(reading.text(said, "audience", place))),
    "share": (
        ("from", "seed"),
        lambda reading, said, place: Share(
            reading.percent(said, "share", place),
            reading.percent(said, "from", place),
            reading.text(said, "seed", place),
        ),
    ),
    "cart": ((), _cart),
    "product": (("where", "within", "price_fell", "back_in_stock", "low_stock"), _product),
    "lifecycle": (("new_for", "lapsed_after"), _lifecycle),
    "moment": ((), _moment),
    "all": ((), lambda reading, said, place: All(reading.rules(said["all"], at(place, "all")))),
    "any": ((), lambda reading, said, place: AnyOf(reading.rules(said["any"], at(place, "any")))),
    "not": ((), lambda reading, said, place: Not(reading.rule(said["not"], at(place, "not")) or All(()))),
}
"""The word that says what kind of rule it is -> what else may stand beside it, and how it is read."""
