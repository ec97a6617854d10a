"""Credit: which opens and clicks brought a conversion, by which rule, and why the others did not."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from wetink.core.conversion import Conversion
from wetink.core.goal import DEFAULT_MODEL, Goal
from wetink.core.span import parse
from wetink.core.touch import Touch


class Credit(msgspec.Struct, frozen=True):
    """A touch that gets a part of a conversion (1 for all of it), and the rule that gives it."""

    touch: Touch
    part: float
    why: str


class Loss(msgspec.Struct, frozen=True):
    """A touch that gets nothing, and why."""

    touch: Touch
    why: str


class Attribution(msgspec.Struct, frozen=True):
    """A conversion with who is credited for it, under a model; nobody is for what came of itself."""

    conversion: Conversion
    model: str
    credits: tuple[Credit, ...] = ()
    losses: tuple[Loss, ...] = ()


Chosen = tuple[list[tuple[Touch, str]], Callable[[Touch], str]]
"""Who gets it, each with the rule, and why any other does not."""


def attribute(conversion: Conversion, touches: Iterable[Touch], goal: Goal, model: str) -> Attribution:
    """Return who is credited for a conversion among these touches of its person, in whatever order they come.

    Nothing after it, nothing a machine did and nothing older than the goal's windows ever gets any.
    """
    windows = {"click": (parse(goal.clicks), goal.clicks), "open": (parse(goal.opens), goal.opens)}
    losses: list[Loss] = []
    able: list[Touch] = []
    for touch in sorted(touches, key=_order):
        why = _barred(touch, conversion.at, windows)
        if why:
            losses.append(Loss(touch, why))
        else:
            able.append(touch)
    chosen, why_not = RULES[model](able)
    credits = tuple(Credit(touch, 1 / len(chosen), why) for touch, why in chosen)
    taken = {id(touch) for touch, _ in chosen}
    losses += [Loss(touch, why_not(touch)) for touch in able if id(touch) not in taken]
    return Attribution(conversion, model, credits, tuple(sorted(losses, key=lambda loss: _order(loss.touch))))


def _order(touch: Touch) -> tuple[int, bool, str, str]:
    return touch.at, touch.kind == "click", touch.block, touch.campaign


def _barred(touch: Touch, at: int, windows: dict[str, tuple[int, str]]) -> str:
    if touch.at > at:
        return "it came after the conversion"
    if not touch.human:
        return f"taken for a {touch.taken_for}: nobody looked"
    span, said = windows[touch.kind]
    if touch.at < at - span:
        return f"{_a(touch.kind)} counts for {said}"
    return ""


def _a(kind: str) -> str:
    return "a click" if kind == "click" else "an open"


def _last_click_else_open(able: Sequence[Touch]) -> Chosen:
    clicks = [touch for touch in able if touch.kind == "click"]
    if clicks:
        last = clicks[-1]
        return [
            (last, "the last click before it")
        ], lambda touch: "a later click counts" if touch.kind == "click" else "a click counts before any open"
    if able:
        return [(able[-1], "no click; the last open before it")], lambda _: "a later open counts"
    return [], _never


def _last(kind: str) -> Callable[[Sequence[Touch]], Chosen]:
    def rule(able: Sequence[Touch]) -> Chosen:
        mine = [touch for touch in able if touch.kind == kind]
        plural = "clicks" if kind == "click" else "opens"

        def why_not(touch: Touch) -> str:
            return f"a later {kind} counts" if touch.kind == kind else f"only {plural} count in this model"

        return [(touch, f"the last {kind} before it") for touch in mine[-1:]], why_not

    return rule


def _first(able: Sequence[Touch]) -> Chosen:
    return [(touch, "the first open or click before it") for touch in able[:1]], lambda _: "an earlier one counts"


def _linear(able: Sequence[Touch]) -> Chosen:
    """Each email counts once for each block, by its last click, else its last open: looking twice is no more."""
    best: dict[tuple[str, str], Touch] = {}
    for touch in able:
        other = best.get((touch.block, touch.campaign))
        if other is None or touch.kind == "click" or other.kind == "open":
            best[touch.block, touch.campaign] = touch
    why = "one of 1" if len(best) == 1 else f"one of {len(best)}, in equal parts"
    return [(touch, why) for touch in sorted(best.values(), key=_order)], (
        lambda _: "the same block of the same campaign counts once"
    )


def _never(touch: Touch) -> str:
    raise AssertionError(f"{touch} is able")


RULES: dict[str, Callable[[Sequence[Touch]], Chosen]] = {
    DEFAULT_MODEL: _last_click_else_open,
    "last-click": _last("click"),
    "last-open": _last("open"),
    "first": _first,
    "linear": _linear,
}
"""How each of `goal.MODELS` chooses among the touches that may get credit, the oldest first."""
