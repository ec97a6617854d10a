"""Context: what time it is in the person's time zone, on what they read, where, and in what weather."""

from typing import Any

import pytest

from tests.core.rules.asking import NOW, asked
from wetink.core.catalog.catalog import FeedData
from wetink.core.client_classification import Facts
from wetink.core.profile.person import Moment, Person

HERE = Moment(
    NOW, device="mobile", scheme="dark", campaign="spring", language="de", currency="EUR", country="DE", region="BW",
    city="Ulm", facts=Facts(client="apple-mail"), parameters={"utm_source": "News", "empty": ""},
)  # fmt: skip
RAIN = {"weather": FeedData(({"current": {"temperature_2m": 3.5, "weather_code": 61}},))}


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ({"weekday": "fri"}, True),
        ({"weekday": ["Saturday", "Sunday"]}, False),
        ({"weekday": ["Friday"], "hour": {"between": [9, 17]}}, True),
        ({"hour": 12}, True),
        ({"hour": {"below": 12}}, False),
        ({"day": 4, "month": 10}, True),
        ({"date": {"after": "2024-10-04", "before": "2024-10-05"}}, True),
        ({"date": {"after": "2024-10-05"}}, False),
        ({"device": ["mobile", "tablet"]}, True),
        ({"client": "apple-mail", "scheme": "dark"}, True),
        ({"client": "outlook"}, False),
        ({"country": ["DE", "AT"], "region": "BW", "city": "ulm"}, True),
        ({"country": {"not_equals": "DE"}}, False),
        ({"campaign": {"starts_with": "spr"}, "language": "de", "currency": "eur"}, True),
        ({"parameter": {"utm_source": "news"}}, True),
        ({"parameter": {"utm_medium": {"exists": False}, "empty": {"exists": False}}}, True),
        ({"parameter": {"utm_medium": "mail"}}, False),
        ({"weather": {"sky": ["rain", "snow"], "temperature": {"below": 5}}}, True),
        ({"weather": {"temperature": {"above": 3.5}}}, False),
        ({"weather": {"feed": "other", "sky": "rain"}}, False),
    ],
)
def test_a_rule_asks_for_time_device_place_and_weather_of_an_open(of: dict[str, Any], expected: bool) -> None:
    assert asked({"moment": of}, Person(), moment=HERE, feeds=RAIN).holds is expected


def test_the_hour_is_that_of_where_the_person_is() -> None:
    auckland = Moment(NOW, time_zone="Pacific/Auckland")
    assert asked({"moment": {"weekday": "sat", "hour": 1}}, Person(), moment=auckland).holds
    assert asked({"moment": {"weekday": "fri", "hour": 12}}, Person(), moment=Moment(NOW, time_zone="no/where")).holds


def test_an_hour_of_0_means_midnight() -> None:
    assert asked({"moment": {"hour": 0}}, Person(), moment=Moment(NOW - 12 * 3_600_000)).holds


@pytest.mark.parametrize(("degrees", "expected"), [(0, True), (0.0, True), ("0", True), (-0.0, True), (None, False)])
def test_a_temperature_of_0_is_one(degrees: Any, expected: bool) -> None:
    feeds = {"weather": FeedData(({"current": {"temperature_2m": degrees, "weather_code": 0}},))}
    for rule in ({"below": 5}, {"equals": 0}, {"exists": True}):
        found = asked({"moment": {"weather": {"temperature": rule, "sky": "clear"}}}, Person(), feeds=feeds)
        assert found.holds is expected


def test_an_unknown_context_field_is_not_set() -> None:
    found = asked({"moment": {"country": "DE", "weather": {"sky": "rain"}}}, Person())
    assert (found.holds, found.saw) == (False, {"country": None, "weather.sky": None})
    assert asked({"moment": {"device": {"exists": False}}}, Person()).holds
