"""Check: what cannot mean anything is refused, with the place and the reason."""

from typing import Any

import pytest

from wetink.core.rules.check import problems_of
from wetink.core.rules.parse import Unreadable, parse
from wetink.core.signals.audience import audience_of, usable

VIEW = {"done": "Product Viewed"}


def wrong_with(said: Any) -> list[str]:
    try:
        return list(problems_of(parse(said), "", {"there": parse(VIEW)}))
    except Unreadable as error:
        return error.problems


@pytest.mark.parametrize(
    ("rule", "place", "why"),
    [
        ({}, "", "use one of done, not_done, sequence"),
        ("gold", "", "a rule is a mapping"),
        ([VIEW, {"dune": "X"}], "[1]", "did you mean done?"),
        ({"done": "A", "trait": "b"}, "", "use one of done and trait"),
        ({"all": [VIEW, {**VIEW, "within": "-3d"}]}, "all[1].within", "not a duration"),
        ({"all": [VIEW, {**VIEW, "wihtin": "3d"}]}, "all[1].wihtin", "did you mean within?"),
        ({"any": []}, "any", "at least one rule"),
        ({"not": {"any": []}}, "not.any", "at least one rule"),
        ({**VIEW, "exactly": -1}, "exactly", "0 or more"),
        ({**VIEW, "at_least": 0}, "at_least", "exactly: 0"),
        ({**VIEW, "at_least": "two"}, "at_least", "not a whole number"),
        ({**VIEW, "at_least": 3, "at_most": 2}, "at_most", "at least at_least"),
        ({**VIEW, "exactly": 1, "at_most": 2}, "exactly", "do not combine exactly"),
        ({**VIEW, "first_time": True}, "first_time", "add a period"),
        ({**VIEW, "within": "3d", "in": "this visit"}, "in", "within already sets the period"),
        ({**VIEW, "in": "that visit"}, "in", "this visit"),
        ({**VIEW, "between": ["2026-01-02", "2026-01-01"]}, "between", "before the first"),
        ({**VIEW, "between": ["soon", "2026-01-01"]}, "between", "'soon' is not a time"),
        ({**VIEW, "between": "2026-01-01"}, "between", "two dates"),
        ({**VIEW, "where": {"price": {"over": 5}}}, "where.price.over", "unknown operator; did you mean above?"),
        ({**VIEW, "where": {"price": {"abvoe": 5}}}, "where.price.abvoe", "did you mean above?"),
        ({**VIEW, "where": {"price": {"above": "much"}}}, "where.price.above", "'much' is not a number"),
        ({**VIEW, "where": {"price": {"between": [5, 1]}}}, "where.price.between", "less than the first"),
        ({**VIEW, "where": {"name": {"matches": "("}}}, "where.name.matches", "not a regular expression"),
        ({**VIEW, "where": {"name": {"matches": "(?=a)"}}}, "where.name.matches", "look-arounds"),
        ({**VIEW, "where": {"name": {"one_of": []}}}, "where.name.one_of", "a list of values"),
        ({**VIEW, "where": {"name": {"contains": ""}}}, "where.name.contains", "must be text"),
        ({**VIEW, "where": {}}, "where", "must be properties"),
        ({"done": ""}, "done", "choose an event"),
        ({"sequence": [VIEW]}, "sequence", "2 to 10"),
        ({"sequence": [VIEW, {"trait": "x"}]}, "sequence[1]", "must be an event"),
        ({"sequence": [VIEW, VIEW], "within": "long"}, "within", "not a duration"),
        ({"sum": "total", "of": "Order Completed"}, "", "add a comparison"),
        ({"sum": "total", "above": 5}, "of", "choose an event"),
        ({"sum": "total", "of": "X", "contains": "a"}, "contains", "compare a number with one of"),
        ({"trait": "plan"}, "", "add a comparison"),
        ({"trait": "plan", "exists": "yes"}, "exists", "true or false"),
        ({"trait": "born", "anniversary": "this year"}, "anniversary", "not a duration"),
        ({"trait": "born", "before": "the war"}, "before", "is not a time"),
        ({"audience": "nobody"}, "audience", "there is no audience 'nobody'; use one of there"),
        ({"share": "0%"}, "share", "more than 0%"),
        ({"share": "a lot"}, "share", "not a share"),
        ({"share": "60%", "from": "50%"}, "from", "end at 100%"),
        ({"cart": {}}, "cart", "add value"),
        ({"cart": {"age": {"equals": "1d"}}}, "cart.age.equals", "compare a duration with one of"),
        ({"cart": {"weight": 3}}, "cart.weight", "unknown name; use one of value"),
        ({"product": "owned", "low_stock": 1}, "product", "one of viewed, in_cart, wished, any"),
        ({"product": "viewed"}, "", "price_fell, back_in_stock or low_stock"),
        ({"product": "viewed", "price_fell": "100%"}, "price_fell", "less than 100%"),
        ({"lifecycle": "asleep"}, "lifecycle", "use one of new, active, lapsed"),
        ({"lifecycle": "new", "new_for": "ever"}, "new_for", "not a duration"),
        ({"moment": {"mood": "good"}}, "moment.mood", "use one of weekday, hour"),
        ({"moment": {}}, "moment", "add a condition"),
        ({"moment": {"weather": "rain"}}, "moment.weather", "names with values"),
        ({"moment": {"weekday": "xyz"}}, "moment.weekday.equals", "this is never so; it is mon to sun"),
        ({"moment": {"weekday": ["sat", "son"]}}, "moment.weekday.one_of", "mon to sun"),
        ({"moment": {"weekday": {"none_of": ["sat", "son"]}}}, "moment.weekday.none_of", "mon to sun"),
        ({"moment": {"hour": 24}}, "moment.hour.equals", "0 to 23"),
        ({"moment": {"hour": {"above": 23}}}, "moment.hour.above", "0 to 23"),
        ({"moment": {"hour": {"between": [24, 30]}}}, "moment.hour.between", "0 to 23"),
        ({"moment": {"day": 0}}, "moment.day.equals", "1 to 31"),
        ({"moment": {"month": "June"}}, "moment.month.equals", "1 to 12"),
        ({"moment": {"device": ["phone", "tablet"]}}, "moment.device.one_of", "mobile, tablet, desktop"),
        ({"moment": {"scheme": {"not_equals": "black"}}}, "moment.scheme.not_equals", "light or dark"),
        ({"moment": {"weather": {"sky": "sunny"}}}, "moment.weather.sky.equals", "clear, cloudy"),
    ],
)
def test_a_meaningless_rule_is_refused_with_its_place_and_reason(rule: Any, place: str, why: str) -> None:
    wrong = wrong_with(rule)
    assert wrong
    assert wrong[0].startswith(f"{place}: " if place else ""), wrong
    assert why in wrong[0], wrong


@pytest.mark.parametrize(
    "moment",
    [
        {"weekday": ["Monday", "TUE", "sun"]}, {"weekday": {"not_equals": "fri"}}, {"hour": "9"}, {"hour": [0, 23]},
        {"hour": {"at_least": 23}}, {"day": 31, "month": "12"}, {"device": "Mobile"}, {"scheme": {"exists": True}},
        {"device": {"starts_with": "mob"}}, {"weather": {"sky": ["Rain", "snow"]}}, {"country": "anything"},
    ],
)  # fmt: skip
def test_a_moment_that_may_be_is_not_refused(moment: Any) -> None:
    assert wrong_with({"moment": moment}) == []


def test_a_property_nobody_has_sent_yet_is_fine() -> None:
    assert wrong_with({**VIEW, "where": {"no.such.thing": {"above": 1}}}) == []


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert len(wrong_with({"any": [{"dune": "x"}, {"done": "y", "at_least": "z"}, {"share": "?"}]})) == 3


def test_a_rule_cannot_be_endless() -> None:
    deep: Any = VIEW
    for _ in range(100):
        deep = {"not": deep}
    assert "nested at most 32 deep" in wrong_with(deep)[0]
    assert "at most 500" in wrong_with([VIEW] * 600)[0]


def test_audiences_that_lead_in_a_circle_are_refused_and_whoever_names_them() -> None:
    said = {"a": {"audience": "b"}, "b": {"not": {"audience": "c"}}, "c": [{"audience": "a"}], "d": {"audience": "a"},
            "fine": VIEW, "too": {"rule": {"audience": "fine"}, "title": "Too"}}  # fmt: skip
    good, wrong = usable({name: audience_of(name, rule) for name, rule in said.items()})
    assert sorted(good) == ["fine", "too"]
    assert good["too"].title == "Too"
    assert "refer to each other in a circle: a → b → c → a" in wrong["d"][0]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"rule": VIEW, "tilte": "x"}, "tilte: unknown name"),
        ({"rule": {"any": []}, "title": "x"}, "rule.any: add at least one"),
        ({"rule": [VIEW, {"trait": "", "exists": True}]}, "rule[1].trait: choose a trait"),
        ({"rule": [VIEW, {"all": [{"trait": "", "exists": True}]}]}, "rule[1].all[0].trait: choose a trait"),
        ({"rule": []}, "rule: add at least one"),
        ([VIEW, {"trait": "", "exists": True}], "[1].trait: choose a trait"),
        ({"rule": VIEW, "title": 5}, "title: this must be text"),
    ],
)
def test_the_file_of_an_audience_is_checked_with_its_places(said: Any, why: str) -> None:
    with pytest.raises(Unreadable) as raised:
        audience_of("x", said)
    assert why in raised.value.problems[0]
