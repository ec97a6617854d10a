"""Weather: the weather at the reader's place, with an offer to match."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from wetink.core.app.app import App, Sample, Shop, Shown
from wetink.core.app.setting import Color, closest, link_problem
from wetink.core.outbound.feed import reached
from wetink.core.outbound.weather import celsius, sky_of
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.values import look_up

IN_FAHRENHEIT = frozenset({"US", "BS", "BZ", "KY", "LR", "PW"})
"""Countries that tell the weather in degrees Fahrenheit."""
SAID = {"clear": "Clear", "cloudy": "Cloudy", "fog": "Foggy", "rain": "Rainy", "snow": "Snowy", "storm": "Stormy"}


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    feed: Annotated[str, Meta(description="Name of a feed in feeds/ that is fetched for each person.")] = "weather"
    temperature: Annotated[
        str, Meta(description="Field with the temperature.")
    ] = "current.temperature_2m"  # fmt: skip
    sky: Annotated[
        str, Meta(description="Field with the conditions, as a WMO code or in words.")
    ] = "current.weather_code"  # fmt: skip
    day: Annotated[str, Meta(description="Field that tells day from night.")] = "current.is_day"
    degrees: Annotated[Literal["C", "F"], Meta(description="Unit of the feed's temperature.")] = "C"
    unit: Annotated[
        Literal["auto", "C", "F"], Meta(description="Unit to show. auto uses the reader's country.")
    ] = "auto"  # fmt: skip
    offers: Annotated[
        tuple[str, ...],
        Meta(
            description="One per line: `when; text; link`. The first match shows. When is clear, cloudy, fog, rain, "
            "snow, storm, a temperature such as `below 5` or `above 25` (degrees Celsius), or any."
        ),
    ] = ("above 25; Cool things for warm days", "below 5; Something warm for cold days", "any; Something for today")
    button: Annotated[str, Meta(max_length=30, description="Button text.")] = "Have a look"
    accent: Annotated[Color, Meta(description="Button color.")] = "#3451d1"


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the temperature at the reader's place and the first offer that matches. A click leads to the offer."""
    data = shop.feed(settings.feed)
    item = data.items[0] if data.items else {}
    warm, sky = celsius(reached(item, settings.temperature), settings.degrees), sky_of(reached(item, settings.sky))
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


def _offer(line: str) -> tuple[str, str, str] | None:
    when, *rest = [part.strip() for part in line.split(";", 2)]
    return (when.lower(), rest[0], rest[1] if len(rest) > 1 else "") if rest and rest[0] else None


def check(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what of each offer's line cannot be read."""
    if not settings.offers:
        yield "offers", "enter at least one offer"
    for index, line in enumerate(settings.offers):
        offer = _offer(line)
        if offer is None:
            yield f"offers[{index}]", f"{line!r} has no words; write when; words; link"
            continue
        when, _, link = offer
        if when not in (*SAID, "any") and _bound(when) is None:
            known = [*SAID, "any", "below 5", "above 25"]
            yield (
                f"offers[{index}]",
                f"{when!r} is not a weather condition{closest(when, known) or '; write ' + ', '.join(known)}",
            )
        if why := link_problem(link):
            yield f"offers[{index}]", why


def _bound(when: str) -> float | None:
    """Return the degrees of `below 5` or `above 25`; None for anything else."""
    which, _, degrees = when.partition(" ")
    try:
        bound = float(degrees) if which in ("below", "above") else None
    except ValueError:
        return None
    return bound if bound is not None and isfinite(bound) else None


def _fits(when: str, sky: str, warm: float) -> bool:
    bound = _bound(when)
    if bound is not None:
        return warm < bound if when.startswith("below") else warm > bound
    return when in (sky, "any")


def _place(traits: Mapping[str, Any]) -> str:
    said = look_up(traits, "address.city") or look_up(traits, "city")
    return said.strip()[:60] if isinstance(said, str) else ""


APP = App(
    name="weather",
    title="Weather",
    about="The weather at the reader's place, with an offer to match.",
    settings=Settings,
    show=show,
    feeds=lambda settings: (settings.feed,),
    template="weather.liquid",
    check=check,
    sample=Sample(
        {"offers": ["rain; Rain outside, a warm lamp inside", "any; Something for today"]},
        feeds={"weather": ({"current": {"temperature_2m": 11.3, "weather_code": 61, "is_day": 1}},)},
    ),
)
