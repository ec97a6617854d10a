"""Time zones as browsers, devices and shops name them, and the days of people by their own calendar."""

import zoneinfo
from datetime import UTC, date, datetime
from typing import Any

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_normalize import NOW, normal
from wetink.core.blocks.decide import with_locale
from wetink.core.events.event import Event
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.operators import passes
from wetink.core.rules.tree import Test as Check
from wetink.core.rules.tree import Today
from wetink.core.units.zone import named, zone

IANA = sorted(zoneinfo.available_timezones() - {"localtime", "Factory", "build/etc/localtime"})


@pytest.mark.parametrize(
    "spelling", [str, str.lower, str.upper, lambda name: f" {name} ", lambda name: name.replace("_", " ")]
)
def test_every_zone_of_iana_is_known_in_any_case(spelling: Any) -> None:
    for name in IANA:
        if "/" not in name and spelling in (str.lower, str.upper) and name.lower() in ("est", "mst", "hst"):
            continue
        if name == "America/Coyhaique":
            continue  # younger than the list: known as it is written alone
        found = named(spelling(name))
        assert found, name
        at = datetime(2026, 11, 29, 12, tzinfo=UTC)
        if found != name:
            assert zone(found).utcoffset(at) == zoneinfo.ZoneInfo(name).utcoffset(at), (name, found)


def test_every_zone_of_windows_is_known() -> None:
    for name, iana in get_global("windows_zone_mapping").items():
        assert named(name), (name, iana)


WRITTEN = [
    ("UTC", "UTC"),
    ("utc", "UTC"),
    ("GMT", "UTC"),
    ("Z", "UTC"),
    ("Etc/UTC", "UTC"),
    ("+00:00", "UTC"),
    ("UTC+0", "UTC"),
    ("+02:00", "+02:00"),
    ("+0200", "+02:00"),
    ("+2", "+02:00"),
    ("+02", "+02:00"),
    ("-05:00", "-05:00"),
    ("-5", "-05:00"),
    ("UTC+2", "+02:00"),
    ("UTC+02:00", "+02:00"),
    ("UTC +2", "+02:00"),
    ("utc-3", "-03:00"),
    ("GMT+0530", "+05:30"),
    ("GMT+5:30", "+05:30"),
    ("GMT-03:30", "-03:30"),
    ("+05:45", "+05:45"),
    ("+14:00", "+14:00"),
    ("\u221205:00", "-05:00"),
    ("GMT+02:00:00", "+02:00"),
    (0, "UTC"),
    (2, "+02:00"),
    (-5, "-05:00"),
    (5.5, "+05:30"),
    (-120, "+02:00"),
    (300, "-05:00"),
    (-330, "+05:30"),
    (-345, "+05:45"),
    (-60, "+01:00"),
    (7200, "+02:00"),
    (-18000, "-05:00"),
    ("-120", "+02:00"),
    ("300", "-05:00"),
    ("2", "+02:00"),
    ("5.5", "+05:30"),
    ("Europe / Berlin", "Europe/Berlin"),
    ("'Europe/Berlin'", "Europe/Berlin"),
    ("(GMT+01:00) Europe/Berlin", "Europe/Berlin"),
    ("(UTC-05:00) America/New_York", "America/New_York"),
    ("(GMT+01:00)", "+01:00"),
    ("Asia/Calcutta", "Asia/Calcutta"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("CEST", "Europe/Berlin"),
    ("JST", "Asia/Tokyo"),
    ("europe/berlin", "Europe/Berlin"),
    ("AMERICA/PORT_AU_PRINCE", "America/Port-au-Prince"),
]
NOTHING = (
    "",
    " ",
    "Europe/Berln",
    "Europ/Berlin",
    "Berlin",
    "IST",
    "CST",
    "nowhere",
    "+25:00",
    "+02:75",
    "UTC+99",
    999,
    15.3,
    10**9,
    float("nan"),
    float("inf"),
    True,
    None,
    [],
    {},
    "x" * 100,
    "../../etc/passwd",
    "/etc/localtime",
    "Europe/../Berlin",
    "{{ zone }}",
)


@pytest.mark.parametrize(("value", "meant"), WRITTEN)
def test_a_zone_is_read_however_it_is_written(value: Any, meant: str) -> None:
    assert named(value) == meant
    assert named(meant) == meant


@pytest.mark.parametrize("value", NOTHING)
def test_an_unknown_time_zone_is_reported_at_its_path(value: Any) -> None:
    assert named(value) == ""
    if value is None or value != value or value in ("", float("inf")):
        return
    for place, more in (
        ("context.timezone", {"context": {"timezone": value}}),
        ("timezone", {"timezone": value}),
        ("traits.timezone", {"traits": {"timezone": value}}),
    ):
        found = normal({"type": "identify", "userId": "u", **more})
        assert [(each.code, each.property) for each in found.problems] == [("unknown_zone", place)]
        assert found.verdict == "usable"


@given(st.text(max_size=40))
def test_any_text_is_a_zone_or_none(text: str) -> None:
    found = named(text)
    assert found == "" or named(found) == found
    zone(text)


def person(**message: Any) -> Person:
    event = normal({"type": "track", "userId": "u", "event": "X", **message}).event
    assert isinstance(event, Event)
    return fold([event], NOW + 1)


@pytest.mark.parametrize(
    ("message", "moment", "meant"),
    [
        ({"context": {"timezone": "Europe/Berlin"}}, Moment(0), "Europe/Berlin"),
        ({"context": {"timezone": "europe/berlin"}}, Moment(0), "Europe/Berlin"),
        ({"context": {"timezone": "+02:00"}}, Moment(0), "+02:00"),
        ({"context": {"timezone": -120}}, Moment(0), "+02:00"),
        ({"timezone": "UTC+2"}, Moment(0), "+02:00"),
        ({"timezone": "UTC+2", "context": {"timezone": "Europe/Berlin"}}, Moment(0), "Europe/Berlin"),
        ({"timezone": "UTC+2", "context": {"timezone": "nowhere"}}, Moment(0), "+02:00"),
        ({"context": {"timezone": "Europe/Berlin"}}, Moment(0, local_zone="Asia/Tokyo"), "Europe/Berlin"),
        ({"context": {"timezone": "Europe/Berlin"}}, Moment(0, time_zone="Asia/Tokyo"), "Asia/Tokyo"),
        ({"context": {"timezone": "Europe/Berlin", "traits": {"timezone": "Asia/Tokyo"}}}, Moment(0), "Asia/Tokyo"),
        ({"context": {"timezone": "Europe/Berlin", "traits": {"timezone": "nowhere"}}}, Moment(0), "Europe/Berlin"),
        ({"context": {"traits": {"timezone": "nowhere", "time_zone": "+03:00"}}}, Moment(0), "+03:00"),
        ({"context": {"traits": {"timezoneOffset": -120}}}, Moment(0), "+02:00"),
        ({"context": {"timezone": "nowhere"}}, Moment(0, local_zone="Asia/Tokyo"), "Asia/Tokyo"),
        ({}, Moment(0), ""),
    ],
)  # fmt: skip
def test_the_reader_is_in_the_zone_that_was_told_last(message: dict[str, Any], moment: Moment, meant: str) -> None:
    assert with_locale(moment, person(**message)).time_zone == meant


def test_the_newest_device_counts() -> None:
    events = [
        Event("track", at, f"m{at}", "s", "X", zone=zone) for at, zone in ((1, "Asia/Tokyo"), (3, ""), (2, "UTC"))
    ]
    assert fold(events, 9).zone == "UTC"


BORN = [
    ("1990-12-24T00:00:00+02:00", (12, 24)),
    ("1990-12-24T23:30:00-08:00", (12, 24)),
    ("1990-12-24T00:00:00Z", (12, 24)),
    ("1990-12-24T00:00:00.000+0200", (12, 24)),
    ("1990-12-24", (12, 24)),
    ("1990-12-24 00:00:00", (12, 24)),
    ("1990-12-24T00:00:00+05:45", (12, 24)),
    ("1990-12-31T23:00:00-11:00", (12, 31)),
    ("1991-01-01T00:00:00+14:00", (1, 1)),
    ("1990-2-3", (2, 3)),
    (662_000_000, (12, 24)),
    (662_000_000_000, (12, 24)),
    ("662000000", (12, 24)),
    ("Mon, 24 Dec 1990 00:00:00 +0200", (12, 24)),
    ("2000-02-29T00:00:00+01:00", (2, 29)),
    (-86_400, (12, 31)),
]


@pytest.mark.parametrize(("value", "day"), BORN)
def test_a_birthday_is_on_the_day_that_is_written(value: Any, day: tuple[int, int]) -> None:
    is_today = passes([Check("anniversary", "today")])
    assert is_today(value, Today(0, date(2028, *day)))
    before, after = date(2028, *day).toordinal() - 1, date(2028, *day).toordinal() + 1
    assert not any(is_today(value, Today(0, date.fromordinal(each))) for each in (before, after))
