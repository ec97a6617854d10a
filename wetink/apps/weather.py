"""Weather: what it is like where the reader is, with an offer that goes with it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from wetink.core.app import App, Sample, Shown
from wetink.core.feed import reached
from wetink.core.person import Moment, Person
from wetink.core.rule import look_up
from wetink.core.shop import Shop

IN_FAHRENHEIT = frozenset({"US", "BS", "BZ", "KY", "LR", "PW"})
"""Countries that tell the weather in degrees Fahrenheit."""
SKIES = {
    "clear": (0, 1), "cloudy": (2, 3), "fog": (45, 48), "rain": (*range(51, 68), 80, 81, 82),
    "snow": (*range(71, 78), 85, 86), "storm": (95, 96, 99),
}  # fmt: skip
"""The sky by weather codes of the World Meteorological Organization (its code table 4677, as forecasts thin it out)."""
WORDS = {
    "storm": ("thunder", "storm"), "snow": ("snow", "sleet", "blizzard", "ice"),
    "rain": ("rain", "drizzle", "shower"), "fog": ("fog", "mist", "haze"), "cloudy": ("cloud", "overcast"),
    "clear": ("clear", "sun", "fair"),
}  # fmt: skip
"""The sky by words in what a forecast says, where it says no code."""
SAID = {"clear": "Clear", "cloudy": "Cloudy", "fog": "Foggy", "rain": "Rainy", "snow": "Snowy", "storm": "Stormy"}
COLDEST, HOTTEST = -90.0, 60.0
"""In degrees Celsius: what is beyond was measured by nobody on earth."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a marketer can set."""

    feed: Annotated[str, Meta(description="The feed that is asked for each person, by its file's name.")] = "weather"
    temperature: Annotated[
        str, Meta(description="Where it says how warm it is.")
    ] = "current.temperature_2m"  # fmt: skip
    sky: Annotated[
        str, Meta(description="Where it says what the sky is like: a code of the WMO, or words.")
    ] = "current.weather_code"  # fmt: skip
    day: Annotated[str, Meta(description="Where it says whether the sun is up.")] = "current.is_day"
    degrees: Annotated[Literal["C", "F"], Meta(description="What the feed measures in.")] = "C"
    unit: Annotated[
        Literal["auto", "C", "F"], Meta(description="What is shown; auto: by the reader's country.")
    ] = "auto"  # fmt: skip
    offers: Annotated[
        tuple[str, ...],
        Meta(
            description="Each as `when; words; link`, the first that fits is shown. When is clear, cloudy, fog, rain, "
            "snow, storm, a temperature such as `below 5` or `above 25` (degrees Celsius), or any."
        ),
    ] = ("above 25; Cool things for warm days", "below 5; Something warm for cold days", "any; Something for today")
    button: Annotated[str, Meta(max_length=30, description="The words on the button.")] = "Have a look"
    accent: Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$", description="The color of the button.")] = "#3451d1"


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show how warm it is where the reader is, and the first offer that goes with it. A click leads to the offer."""
    data = shop.feed(settings.feed)
    item = data.items[0] if data.items else {}
    warm, sky = _celsius(reached(item, settings.temperature), settings), sky_of(reached(item, settings.sky))
    if warm is None or not sky:
        return None
    offer = next((offer for offer in map(_offer, settings.offers) if offer and _fits(offer[0], sky, warm)), None)
    if offer is None:
        return None
    fahrenheit = settings.unit == "F" or (settings.unit == "auto" and moment.country.upper() in IN_FAHRENHEIT)
    facts = {
        "place": moment.city or _place(person.traits),
        "degrees": f"{round(warm * 1.8 + 32) if fahrenheit else round(warm)}°{'F' if fahrenheit else ''}",
        "sky": sky,
        "said": SAID[sky],
        "night": reached(item, settings.day) in (0, False, "0", "no"),
        "words": offer[1],
    }
    return Shown(facts=facts, why=f"{warm:.0f} °C and {sky}; {settings.feed} is {data.state}", link=offer[2])


def sky_of(said: object) -> str:
    """Return what the sky is like, empty for what says nothing.

    >>> sky_of(61), sky_of("Light rain shower"), sky_of(4), sky_of(None)
    ('rain', 'rain', '', '')
    """
    if isinstance(said, str):
        words = said.lower()
        if not words.strip().isdecimal():
            return next((sky for sky, signs in WORDS.items() if any(sign in words for sign in signs)), "")
        said = int(words) if len(words) < 4 else -1
    if isinstance(said, bool) or not isinstance(said, int | float):
        return ""
    return next((sky for sky, codes in SKIES.items() if said in codes), "")


def _celsius(said: object, settings: Settings) -> float | None:
    try:
        degrees = float(said) if isinstance(said, int | float | str) and not isinstance(said, bool) else None
    except ValueError:
        return None
    if degrees is not None and settings.degrees == "F":
        degrees = (degrees - 32) / 1.8
    return degrees if degrees is not None and COLDEST <= degrees <= HOTTEST else None


def _offer(line: str) -> tuple[str, str, str] | None:
    when, *rest = [part.strip() for part in line.split(";", 2)]
    return (when.lower(), rest[0], rest[1] if len(rest) > 1 else "") if rest and rest[0] else None


def _fits(when: str, sky: str, warm: float) -> bool:
    which, _, degrees = when.partition(" ")
    if which in ("below", "above"):
        try:
            bound = float(degrees)
        except ValueError:
            return False
        return warm < bound if which == "below" else warm > bound
    return when in (sky, "any")


def _place(traits: Mapping[str, Any]) -> str:
    said = look_up(traits, "address.city") or look_up(traits, "city")
    return said.strip()[:60] if isinstance(said, str) else ""


APP = App(
    name="weather",
    title="Weather",
    about="What it is like where the reader is, with an offer that goes with it.",
    settings=Settings,
    show=show,
    feeds=lambda settings: (settings.feed,),
    template="weather.liquid",
    sample=Sample(
        {"offers": ["rain; Rain outside, a warm lamp inside", "any; Something for today"]},
        feeds={"weather": ({"current": {"temperature_2m": 11.3, "weather_code": 61, "is_day": 1}},)},
    ),
)
