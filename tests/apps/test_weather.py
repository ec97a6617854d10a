"""Weather: what a forecast says, the offer that goes with it, and nothing at all for what says nothing."""

from typing import Any

import msgspec
import pytest

from wetink.apps import load
from wetink.core.app.app import Shop, Shown
from wetink.core.catalog.catalog import FeedData
from wetink.core.outbound.weather import sky_of
from wetink.core.profile.person import Moment, Person

APP = load()["weather"]
OFFERS = [
    "rain; Umbrellas; https://shop.example/u",
    "above 25; Ice; https://shop.example/i",
    "below 5; Wool",
    "clear; Sun",
]


def run(current: Any, moment: Moment | None = None, traits: Any = None, **settings: Any) -> Shown | None:
    shop = Shop(feeds={"weather": FeedData(({"current": current},), "fresh")})
    chosen = msgspec.convert({"offers": OFFERS, **settings}, APP.settings)
    return APP.show(Person(traits=traits or {}), chosen, moment or Moment(1), shop)


@pytest.mark.parametrize(
    ("warm", "code", "words", "link"),
    [
        (27, 61, "Umbrellas", "https://shop.example/u"),
        (27, 3, "Ice", "https://shop.example/i"),
        (4.9, 3, "Wool", ""),
        (15, 0, "Sun", ""),
        ("15", "0", "Sun", ""),
        (15, "Sunny spells", "Sun", ""),
    ],
    ids=["the first that fits", "warmer than", "colder than", "the sky", "numbers as texts", "a sky in words"],
)
def test_the_first_offer_that_fits_the_weather_is_shown(warm: Any, code: Any, words: str, link: str) -> None:
    shown = run({"temperature_2m": warm, "weather_code": code})
    assert shown is not None
    assert (shown.facts["words"], shown.link) == (words, link)


@pytest.mark.parametrize(
    "current",
    [
        None, {}, {"temperature_2m": 15}, {"weather_code": 0}, {"temperature_2m": 15, "weather_code": 3},
        {"temperature_2m": 15, "weather_code": 12}, {"temperature_2m": "warm", "weather_code": 0},
        {"temperature_2m": 999, "weather_code": 0}, {"temperature_2m": True, "weather_code": 0},
        {"temperature_2m": [15], "weather_code": {"a": 1}}, {"temperature_2m": float("nan"), "weather_code": 0},
    ],
    ids=["no forecast", "an empty one", "no sky", "no temperature", "no offer for it", "an unknown code", "a word",
         "hotter than the earth", "a truth", "other shapes", "no number"],
)  # fmt: skip
def test_an_empty_forecast_shows_nothing(current: Any) -> None:
    assert run(current) is None


@pytest.mark.parametrize(
    ("country", "settings", "degrees"),
    [("DE", {}, "20°"), ("US", {}, "68°F"), ("DE", {"unit": "F"}, "68°F"), ("US", {"unit": "C"}, "20°"),
     ("DE", {"degrees": "F"}, "-7°"), ("US", {"degrees": "F"}, "20°F")],
)  # fmt: skip
def test_temperatures_are_in_the_readers_unit(country: str, settings: dict[str, Any], degrees: str) -> None:
    shown = run({"temperature_2m": 20, "weather_code": 61}, Moment(1, country=country), **settings)
    assert shown is not None
    assert shown.facts["degrees"] == degrees


@pytest.mark.parametrize(
    ("moment", "traits", "place"),
    [
        (Moment(1, city="Oslo"), {"address": {"city": "Rome"}}, "Oslo"),
        (Moment(1), {"address": {"city": "Rome"}}, "Rome"),
        (Moment(1), {"city": " Rome "}, "Rome"),
        (Moment(1), {"city": 7}, ""),
    ],
)
def test_the_weather_is_that_of_the_open_or_else_of_the_address(moment: Moment, traits: Any, place: str) -> None:
    shown = run({"temperature_2m": 20, "weather_code": 61, "is_day": 0}, moment, traits)
    assert shown is not None
    assert (shown.facts["place"], shown.facts["night"]) == (place, True)


@pytest.mark.parametrize(
    ("said", "sky"),
    [(0, "clear"), (3, "cloudy"), (48, "fog"), (55, "rain"), (67, "rain"), (77, "snow"), (82, "rain"), (86, "snow"),
     (95, "storm"), (100, ""), (-1, ""), ("73", "snow"), ("Thundery rain", "storm"), ("Partly cloudy", "cloudy"),
     ("", "")],
)  # fmt: skip
def test_a_weather_code_or_text_becomes_a_sky(said: Any, sky: str) -> None:
    assert sky_of(said) == sky


def test_an_offer_that_cannot_be_read_is_passed_over() -> None:
    offers = ["", "rain", "below cold; x", ";;", "any; At last"]
    shown = run({"temperature_2m": 20, "weather_code": 61}, offers=offers)
    assert shown is not None
    assert shown.facts["words"] == "At last"
