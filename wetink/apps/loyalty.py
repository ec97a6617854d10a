"""Loyalty: a shopper's progress to their next reward, from a trait."""

from collections.abc import Iterator
from math import isfinite
from typing import Annotated

from msgspec import Meta, Struct

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.setting import Color
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.values import look_up
from wetink.core.units.money import number


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    trait: Annotated[str, Meta(min_length=1, description="Trait with the balance, such as points.")] = "points"
    goals: Annotated[tuple[float, ...], Meta(min_length=1, description="Balances that earn a reward.")] = (
        500,
        1000,
        2500,
    )
    rewards: Annotated[tuple[str, ...], Meta(description="Rewards, in the same order.")] = (
        "free shipping", "a €20 voucher", "early access",
    )  # fmt: skip
    unit: Annotated[str, Meta(max_length=20, description="Unit of the balance.")] = "points"
    title: Annotated[str, Meta(max_length=80, description="Headline. Leave empty to greet the shopper by name.")] = ""
    accent: Annotated[Color, Meta(description="Color of the bar.")] = "#3451d1"


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the balance and the rest to the next reward. A shopper without the trait sees nothing."""
    counted = number(look_up(person.traits, settings.trait))
    if counted is None or counted < 0:
        return None
    have = int(counted) if counted.is_integer() else counted
    goals = sorted(goal for goal in settings.goals if goal > 0)
    goal = next((goal for goal in goals if goal > have), goals[-1] if goals else 0)
    if not goal:
        return None
    at = settings.goals.index(goal)
    facts = {
        "have": have,
        "goal": goal,
        "left": max(0, goal - have),
        "percent": min(100, round(100 * have / goal)),
        "reward": settings.rewards[at] if at < len(settings.rewards) else "",
        "unit": settings.unit,
    }
    return Shown(facts=facts, why=f"trait {settings.trait} is {have:g} of {goal:g}")


def check(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield goals that nobody reaches, and rewards without a goal."""
    for index, goal in enumerate(settings.goals):
        if goal <= 0 or not isfinite(goal):
            yield f"goals[{index}]", "a goal is more than 0"
        elif settings.goals.index(goal) != index:
            yield f"goals[{index}]", f"{goal:g} is there twice"
    for index in range(len(settings.goals), len(settings.rewards)):
        yield f"rewards[{index}]", "there is no goal for this reward"


APP = App(
    name="loyalty",
    title="Loyalty",
    about="A shopper's progress to their next reward, from a trait.",
    settings=Settings,
    show=show,
    template="loyalty.liquid",
    check=check,
)
