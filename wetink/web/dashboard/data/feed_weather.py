"""Feed weather: the page for weather by places and a unit, for new feeds and old ones, with the weather as read."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.errors import BadContent, WetinkError
from wetink.core.outbound.declaration import feed_of
from wetink.core.outbound.feed import Feed, reached
from wetink.core.outbound.weather import celsius, sky_of
from wetink.web import session
from wetink.web.dashboard.data.feed_form import handle_of, told
from wetink.web.dashboard.data.feeds import path_of
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.request import status_of
from wetink.wiring import Wetink

PROVIDER = "https://api.open-meteo.com/v1/forecast"
"""The default provider, which is free of charge for small senders and needs no key."""
CURRENT = "temperature_2m,weather_code,is_day"
TEMPERATURE, SKY = "current.temperature_2m", "current.weather_code"
PLACES = (
    ("open", "Where the email is opened", "moment"),
    ("address", "The person's address", "person.traits.address"),
    ("traits", "The person's coordinates", "person.traits"),
)
EVERY = (("15m", "15 minutes"), ("30m", "30 minutes"), ("1h", "hour"), ("3h", "3 hours"))
TRY = {"latitude": "53.55", "longitude": "9.99"}
NEW = {
    "title": "Weather",
    "url": PROVIDER,
    "unit": "C",
    "every": "30m",
    "place.open": "on",
    "place.address": "on",
    **TRY,
}


class Weather(msgspec.Struct, frozen=True):
    """The weather as read: degrees Celsius, the sky in one word, and the problem, empty if both are known."""

    warm: float | None = None
    sky: str = ""
    problem: str = ""


async def new(request: Request) -> Response:
    """Show the form for a new feed."""
    return _page(request, None, NEW, {}, None)


async def create(request: Request) -> Response:
    """Fetch the weather at the place to try, and with `do=save` save the feed if it works."""
    return await _answered(request, None, await form_of(request))


async def edit(request: Request, found: Feed) -> Response:
    """Show the form for a feed that it can describe (`given_by`)."""
    given = {**TRY, **given_by(found), "expected": await wetink_of(request).feed_editor.digest(found.name)}
    return _page(request, found, given, {}, None)


async def change(request: Request, found: Feed, form: Mapping[str, str]) -> Response:
    """Do for a feed as `create` does for a new one."""
    return await _answered(request, found, form)


def given_by(feed: Feed) -> dict[str, str]:
    """Return a weather feed as the form sends it; nothing for a feed that needs the form for all feeds."""
    parts, person = urlsplit(feed.url), feed.per_person
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    asked = query.get("current", "").split(",")
    if (
        person is None
        or feed.format != "json"
        or feed.root
        or feed.fields
        or not {TEMPERATURE, SKY} <= {f"current.{each}" for each in asked}
    ):
        return {}
    places = {
        f"place.{name}": "on"
        for name, _, prefix in PLACES
        if f"{prefix}.latitude" in person.parameters.get("latitude", "").replace(" ", "").split("|")
    }
    if dict(person.parameters) != _parameters(places):
        return {}
    own = {name: value for name, value in query.items() if name != "temperature_unit" and value != CURRENT}
    return {
        "title": feed.called,
        "url": urlunsplit(parts._replace(query=urlencode(own, safe=",{}"))),
        "unit": "F" if query.get("temperature_unit") == "fahrenheit" else "C",
        "every": feed.every,
        **places,
    }


async def _answered(request: Request, before: Feed | None, form: Mapping[str, str]) -> Response:
    wetink, given = wetink_of(request), {name: value.strip() for name, value in form.items()}
    errors: dict[str, str] = {}
    feed = _feed(given, errors, before)
    if feed is None:
        return _page(request, before, given, errors, None, 400 if given.get("do") == "save" else 200)
    if before is None and feed.name in wetink.content.feeds:
        errors["title"] = f"there is already a feed called {feed.name}"
    seen = await _weather(wetink, feed, given, fresh=given.get("do") == "sample")
    if given.get("do") != "save":
        return _page(request, before, given, errors, seen)
    if errors or seen.problem:
        return _page(request, before, given, errors, seen, 400)
    expected = given.get("expected", "") if before is not None else ""
    try:
        await wetink.feed_editor.save(feed, {}, by=session.actor(request), expected=expected)
    except WetinkError as error:
        return _page(request, before, given, {"form": told(error)}, seen, status_of(error))
    return RedirectResponse(path_of(feed.name), 303)


def _parameters(given: Mapping[str, str]) -> dict[str, str]:
    """Return where a person's coordinates come from, by the chosen places."""
    prefixes = [prefix for name, _, prefix in PLACES if given.get(f"place.{name}")]
    return {name: " | ".join(f"{each}.{name}" for each in prefixes) for name in ("latitude", "longitude")}


def _feed(given: Mapping[str, str], errors: dict[str, str], before: Feed | None) -> Feed | None:
    """Return the feed that a form describes; None with the errors by field. All else stays as `before`."""
    title = given.get("title", "")
    if not title:
        errors["title"] = "enter a name"
    parameters = _parameters(given)
    if not parameters["latitude"]:
        errors["place"] = "choose at least one"
    raw: dict[str, Any] = msgspec.to_builtins(before) if before is not None else {}
    raw |= {
        "title": title[:80],
        "url": _address(given.get("url", ""), given.get("unit", "C")),
        "format": "json",
        "every": given.get("every", "30m"),
        "per_person": {**raw.get("per_person", {}), "parameters": parameters},
    }
    if errors:
        return None
    try:
        return feed_of(raw.pop("name", handle_of(title)), raw)
    except BadContent as error:
        field, _, why = str(error).partition("; ")[0].partition(": ")
        errors[field if field in ("url", "title", "every") else "form"] = why or str(error)
        return None


def _address(url: str, unit: str) -> str:
    """Return a provider's URL that asks for the current weather in a unit.

    >>> _address("https://weather.example/v1?apikey=k", "F")
    'https://weather.example/v1?apikey=k&current=temperature_2m,weather_code,is_day&temperature_unit=fahrenheit'
    """
    parts = urlsplit(url)
    query = {"current": CURRENT} | dict(parse_qsl(parts.query))
    query = {name: value for name, value in query.items() if name != "temperature_unit"}
    query = {**{name: query[name] for name in query if name != "current"}, "current": query["current"]}
    if unit == "F":
        query["temperature_unit"] = "fahrenheit"
    return urlunsplit(parts._replace(query=urlencode(query, safe=",{}")))


async def _weather(wetink: Wetink, feed: Feed, given: Mapping[str, str], *, fresh: bool) -> Weather:
    place = {name: given.get(name, "") for name in ("latitude", "longitude")}
    sample = await wetink.feeds.sample(feed, parameters=place, fresh=fresh)
    if sample.problem or not sample.read:
        return Weather(problem=sample.problem or "the answer has no weather")
    item = sample.read[0]
    warm, sky = celsius(reached(item, TEMPERATURE), given.get("unit", "C")), sky_of(reached(item, SKY))
    if warm is None or not sky:
        names = ", ".join(list(item)[:8])
        return Weather(warm, sky, f"the answer has no {TEMPERATURE} and {SKY}; it has {names}")
    return Weather(warm, sky)


def _page(
    request: Request,
    before: Feed | None,
    given: Mapping[str, str],
    errors: Mapping[str, str],
    seen: Weather | None,
    status: int = 200,
) -> Response:
    every = given.get("every", "")
    return page(
        request,
        "data/feed_weather.html",
        status=status,
        before=before,
        given=given,
        errors=errors,
        seen=seen,
        places=PLACES,
        schedules=EVERY if every in dict(EVERY) else [*EVERY, (every, every)],
    )
