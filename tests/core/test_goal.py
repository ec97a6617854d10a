"""Goals: what `signals.yaml` may say, and what is refused, with its place."""

from typing import Any

import pytest

from wetink.core.errors import BadContent
from wetink.core.signals.goal import DEFAULT_MODEL, Goal, signals_of


def test_by_default_orders_credit_the_last_click_or_open_within_seven_days() -> None:
    signals = signals_of(None)
    assert (signals.model, signals.all_goals) == (DEFAULT_MODEL, {"order": Goal()})
    assert (Goal().clicks, Goal().opens) == ("7d", "7d")


def test_a_goal_is_named_as_the_shop_names_its_event_in_any_of_the_specs_ways() -> None:
    signals = signals_of({"goals": {"order": {"event": "completed order", "clicks": "30d"}, "quiz": {"event": "Quiz"}}})
    assert {name: goal.event for name, goal in signals.all_goals.items()} == {
        "order": "Order Completed",
        "quiz": "Quiz",
    }


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"model": "last klick"}, "model: there is no model 'last klick'; use one of last-click-else-open, last-click"),
        ({"goals": {"quiz": {"event": "Q", "model": "best"}}}, "goals.quiz.model: there is no model 'best'"),
        ({"goals": {"order": {"clicks": "-7d"}}}, "goals.order.clicks: '-7d' is not a duration; write 30m"),
        ({"goals": {"order": {"opens": "0d"}}}, "goals.order.opens: '0d' is not a duration"),
        ({"goals": {"order": {"event": "Quiz Taken"}}}, "goals.order.event: the goal order is Order Completed"),
        ({"goals": {"quiz": {"event": " "}}}, "goals.quiz.event: name the event"),
        ({"goals": {"quiz": {"evnt": "Q"}}}, "evnt"),
        ({"goal": {}}, "unknown field `goal`"),
        ({"currencies": {"into": "EUR", "rates": {"DOLLARS": 1}}}, "'DOLLARS' is not a currency"),
        ({"currencies": {"into": "EUR", "rates": {"USD": 0}}}, "currencies.rates.USD: 0.0 is not a rate"),
        ({"holdout": {"share": "110%"}}, "holdout.share: '110%' is more than 100%; write 50% or 1/3"),
        ({"holdout": {"share": "0%"}}, "holdout.share: write more than 0% and less than 100%"),
        ({"holdout": {"share": "a few"}}, "holdout.share: 'a few' is not a share"),
        ([], "signals.yaml must be a mapping"),
    ],
)
def test_an_invalid_goal_is_refused_with_its_place(raw: Any, said: str) -> None:
    with pytest.raises(BadContent) as error:
        signals_of(raw)
    assert said in str(error.value)
