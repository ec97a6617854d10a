"""Nearest Store: which store is shown, how far it is said to be, and whether it is open."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from wetink.apps import load
from wetink.apps.nearest_store import opening
from wetink.core.app.app import Shop, Shown
from wetink.core.catalog.catalog import FeedData
from wetink.core.events.clock import parse
from wetink.core.profile.person import Moment, Person

APP = load()["nearest-store"]
HAMBURG, BERLIN = (53.5511, 9.9937), (52.5200, 13.4050)
STORES = [
    "Elbe; 53.5503 10.0007; Neuer Wall 12; mon-sat 10:00-20:00; https://shop.example/elbe; Europe/Berlin",
    "Spree; 52.5200 13.4050; Torstrasse 88",
]
NOON = parse("2026-11-24T12:00:00Z")
"""A Tuesday."""


def run(
    settings: dict[str, Any], here: tuple[float, float] | None = None, traits: dict[str, Any] | None = None, **more: Any
) -> Shown | None:
    latitude, longitude = here or (None, None)
    moment = Moment(**{"now": NOON, "latitude": latitude, "longitude": longitude, **more})
    chosen = msgspec.convert({"stores": STORES, **settings}, APP.settings)
    return APP.show(Person(traits=traits or {}), chosen, moment, Shop())


@pytest.mark.parametrize(
    ("here", "traits", "settings", "expected"),
    [
        (HAMBURG, {}, {}, "Elbe"),
        (BERLIN, {}, {}, "Spree"),
        (None, {"address": {"latitude": 52.5, "longitude": 13.4}}, {}, "Spree"),
        (None, {"latitude": "53.5", "longitude": "10"}, {}, "Elbe"),
        (BERLIN, {"address": {"latitude": 53.5, "longitude": 10}}, {}, "Spree"),
        (None, {}, {}, None),
        (None, {"address": {"latitude": True, "longitude": 10}}, {}, None),
        (None, {"address": {"latitude": 910, "longitude": 10}}, {}, None),
        (None, {"address": {"latitude": "nan", "longitude": 10}}, {}, None),
        ((48.1, 11.6), {}, {}, None),
        ((48.1, 11.6), {}, {"within_km": 1000}, "Spree"),
        (HAMBURG, {}, {"stores": []}, None),
        (HAMBURG, {}, {"stores": ["", ";", "No place", "Far off; north pole", "Fine; 53.5 10"]}, "Fine"),
    ],
    ids=["here", "there", "by the address", "by traits written as text", "the moment goes first", "nobody knows where",
         "no number", "not on earth", "not a number", "too far", "not too far", "no stores", "lines that say nothing"],
)  # fmt: skip
def test_the_nearest_store_is_shown(here: Any, traits: dict[str, Any], settings: dict[str, Any], expected: Any) -> None:
    shown = run(settings, here, traits)
    assert (shown.facts["name"] if shown is not None else None) == expected


@pytest.mark.parametrize(
    ("here", "settings", "country", "said"),
    [
        (BERLIN, {}, "DE", "50 m"),
        (HAMBURG, {}, "DE", "450 m"),
        ((53.6, 10.0), {}, "", "5.5 km"),
        ((53.6, 10.0), {}, "GB", "3.4 mi"),
        ((53.6, 10.0), {"unit": "km"}, "GB", "5.5 km"),
        ((53.6, 10.0), {"unit": "mi"}, "DE", "3.4 mi"),
    ],
)
def test_distances_are_told_as_the_reader_is_used_to(
    here: tuple[float, float], settings: dict[str, Any], country: str, said: str
) -> None:
    shown = run(settings, here, country=country)
    assert shown is not None
    assert shown.facts["distance"] == said


def test_a_click_leads_to_the_store_and_hours_are_those_of_its_own_zone() -> None:
    shown = run({}, HAMBURG, now=parse("2026-11-24T18:59:00Z"), time_zone="America/New_York")
    assert shown is not None
    assert shown.link == "https://shop.example/elbe"
    assert (shown.facts["open"], shown.facts["hours"]) == (True, "Open until 20:00")
    later = run({}, HAMBURG, now=parse("2026-11-24T19:00:00Z"), time_zone="America/New_York")
    assert later is not None
    assert (later.facts["open"], later.facts["hours"]) == (False, "Opens tomorrow at 10:00")


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        ("mon-fri 10:00-20:00", "2026-11-24T09:59", (False, "Opens at 10:00")),
        ("mon-fri 10:00-20:00", "2026-11-24T10:00", (True, "Open until 20:00")),
        ("mon-fri 10:00-20:00", "2026-11-27T20:00", (False, "Opens Monday at 10:00")),
        ("mon-fri 10:00-20:00 / sat 11:00-16:00", "2026-11-28T12:00", (True, "Open until 16:00")),
        ("mon-fri 9:00-12:00 / mon-fri 14:00-18:00", "2026-11-24T13:00", (False, "Opens at 14:00")),
        ("sat-sun 18:00-02:00", "2026-11-30T01:00", (True, "Open until 02:00")),
        ("sun-mon 10:00-12:00", "2026-11-30T11:00", (True, "Open until 12:00")),
        ("tue 10:00-20:00", "2026-11-24T21:00", (False, "Opens Tuesday at 10:00")),
        ("mon-sun 00:00-24:00", "2026-11-24T23:59", (True, "Open until 00:00")),
        ("sun 01:00-10:00", "2026-03-29T09:30", (True, "Open until 10:00")),
        ("MON-FRI 10:00 - 20:00", "2026-11-24T10:00", (True, "Open until 20:00")),
        ("", "2026-11-24T10:00", (False, "")),
        ("always", "2026-11-24T10:00", (False, "")),
        ("foo-bar 10:00-20:00", "2026-11-24T10:00", (False, "")),
        ("mon-fri 10:00-99:00", "2026-11-24T10:00", (False, "")),
    ],
)
def test_opening_hours_say_whether_a_store_is_open_and_until_when(
    hours: str, at: str, expected: tuple[bool, str]
) -> None:
    assert opening(hours, datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("Europe/Berlin"))) == expected


def test_stores_of_a_feed_count_as_those_of_the_settings() -> None:
    rows = (
        {"name": "Alster", "latitude": "53.56", "longitude": 10, "address": "Jungfernstieg 1", "link": "https://shop.example/a"},
        {"name": "", "latitude": 53.5511, "longitude": 9.9937},
        {"name": "Nowhere", "latitude": None, "longitude": 9},
    )  # fmt: skip
    shop = Shop(feeds={"stores": FeedData(rows, "fresh")})
    chosen = msgspec.convert({"stores": STORES[1:], "feed": "stores"}, APP.settings)
    moment = Moment(NOON, latitude=HAMBURG[0], longitude=HAMBURG[1])
    shown = APP.show(Person(), chosen, moment, shop)
    assert shown is not None
    assert (shown.facts["name"], shown.facts["address"], shown.link) == (
        "Alster",
        "Jungfernstieg 1",
        "https://shop.example/a",
    )
    assert APP.feeds is not None
    assert list(APP.feeds(chosen)) == ["stores"]
