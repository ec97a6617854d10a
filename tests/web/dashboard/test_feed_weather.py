"""Weather feeds have a form of their own, and whatever it does not show stays in the file."""

import pytest

from wetink.core.outbound.declaration import feed_of
from wetink.web.dashboard.data.feed_weather import given_by

URL = "https://weather.example/v1?apikey=k"
CURRENT = "current=temperature_2m,weather_code,is_day"
PLACES = {
    "latitude": "moment.latitude | person.traits.address.latitude",
    "longitude": "moment.longitude | person.traits.address.longitude",
}


def test_a_feed_is_shown_as_it_was_entered() -> None:
    raw = {"format": "json", "every": "45m", "per_person": {"parameters": PLACES}, "title": "Sky"}
    shown = given_by(feed_of("weather", {**raw, "url": f"{URL}&{CURRENT}&temperature_unit=fahrenheit"}))
    assert shown == {
        "title": "Sky", "url": URL, "unit": "F", "every": "45m", "place.open": "on", "place.address": "on",
    }  # fmt: skip


def test_more_values_that_a_feed_asks_for_stay_in_its_address() -> None:
    url = f"{URL}&{CURRENT},rain"
    shown = given_by(feed_of("weather", {"format": "json", "url": url, "per_person": {"parameters": PLACES}}))
    assert shown["url"] == url
    assert shown["title"] == "weather"


@pytest.mark.parametrize(
    "raw",
    [
        {"url": URL},
        {"fields": {"warm": "current.temperature_2m"}},
        {"root": "current"},
        {"per_person": {"parameters": {**PLACES, "language": "person.traits.language"}}},
        {"per_person": {"parameters": {"latitude": "moment.latitude", "longitude": "person.traits.longitude"}}},
        {"per_person": {"parameters": {"latitude": "person.traits.lat", "longitude": "person.traits.lon"}}},
    ],
    ids=["other values", "fields", "root", "parameter", "mixed places", "other places"],
)
def test_a_feed_that_the_form_cannot_say_is_left_to_the_form_for_all(raw: dict[str, object]) -> None:
    usual = {"format": "json", "url": f"{URL}&{CURRENT}", "per_person": {"parameters": PLACES}}
    assert given_by(feed_of("weather", {**usual, **raw})) == {}
