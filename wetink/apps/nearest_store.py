"""Nearest Store: the store nearest to the reader, with its distance and opening hours."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from wetink.core.app.app import App, Sample, Shop, Shown
from wetink.core.app.setting import Color, Zone, link_problem, zone_problem
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.values import look_up
from wetink.core.units.zone import zone

RADIUS = 6371.0
"""Of the earth, in kilometers (its mean)."""
MILE = 1.609344
"""In kilometers."""
IN_MILES = frozenset({"US", "GB", "LR", "MM"})
"""Countries whose road signs have miles."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HOURS = re.compile(r"([a-z]{3})(?:\s*-\s*([a-z]{3}))?\s+(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")

Place = tuple[float, float]


class Store(Struct, frozen=True):
    """A store. `hours` are empty if unknown."""

    name: str
    place: Place
    address: str = ""
    hours: str = ""
    url: str = ""
    zone: str = ""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    stores: Annotated[
        tuple[str, ...],
        Meta(
            description="One per line: `name; latitude longitude; address; hours; link; time zone`. Everything after "
            "the coordinates is optional. Hours: `mon-fri 10:00-20:00 / sat 10:00-18:00`."
        ),
    ] = ()
    feed: Annotated[
        str,
        Meta(
            description="Feed of more stores: name, latitude, longitude, and optionally address, hours, link and zone. "
            "Leave empty for none."
        ),
    ] = ""
    within_km: Annotated[float, Meta(gt=0, le=20_000, description="Maximum distance in kilometers.")] = 100.0
    unit: Annotated[
        Literal["auto", "km", "mi"], Meta(description="Unit of distances. auto uses the reader's country.")
    ] = "auto"
    zone: Annotated[Zone, Meta(description="Time zone of stores that name none. Leave empty for the reader's.")] = ""
    title: Annotated[str, Meta(max_length=80, description="Headline.")] = "Your nearest store"
    button: Annotated[str, Meta(max_length=30, description="Button text.")] = "Plan your visit"
    accent: Annotated[Color, Meta(description="Color of the pin and the button.")] = "#3451d1"


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the store nearest to the place of the open, or else to the shopper's address."""
    here, whose = _here(person, moment)
    found = [(distance(here, store.place), store) for store in _stores(settings, shop)] if here is not None else []
    if not found:
        return None
    km, store = min(found, key=lambda each: each[0])
    if km > settings.within_km:
        return None
    miles = settings.unit == "mi" or (settings.unit == "auto" and moment.country.upper() in IN_MILES)
    said = f"{km / MILE:.1f} mi" if miles else f"{km:.1f} km" if km >= 1 else f"{max(50, round(km * 20) * 50)} m"
    now = datetime.fromtimestamp(moment.now / 1000, zone(store.zone or settings.zone or moment.time_zone))
    is_open, hours = opening(store.hours, now)
    facts = {"name": store.name, "address": store.address, "distance": said, "open": is_open, "hours": hours}
    return Shown(facts=facts, why=f"{store.name} is {said} from {whose}", link=store.url)


def distance(one: Place, other: Place) -> float:
    """Return the kilometers between two places (latitude and longitude in degrees), as the crow flies: haversine.

    >>> round(distance((53.5511, 9.9937), (52.52, 13.405)))
    255
    """
    up, along = radians(other[0] - one[0]) / 2, radians(other[1] - one[1]) / 2
    part = sin(up) ** 2 + cos(radians(one[0])) * cos(radians(other[0])) * sin(along) ** 2
    return 2 * RADIUS * asin(sqrt(min(1.0, part)))


def opening(hours: str, now: datetime) -> tuple[bool, str]:
    """Return whether a store is open at `now`, in its own zone, and the words for it, empty if unknown."""
    coming: list[datetime] = []
    until: list[datetime] = []
    for begin, end in _spans(hours, now):
        if begin <= now < end:
            until.append(end)
        elif begin > now:
            coming.append(begin)
    if until:
        return True, f"Open until {max(until):%H:%M}"
    if not coming:
        return False, ""
    begin = min(coming)
    days = (begin.date() - now.date()).days
    day = "" if days == 0 else " tomorrow" if days == 1 else f" {NAMES[begin.weekday()]}"
    return False, f"Opens{day} at {begin:%H:%M}"


def _spans(hours: str, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield when it opens and closes, from yesterday, whose night may go on, for eight days."""
    for first, last, *clock in _HOURS.findall(hours.lower()):
        opens, opens_past, closes, closes_past = map(int, clock)
        if (
            first not in DAYS
            or (last and last not in DAYS)
            or max(opens, closes) > 24
            or max(clock[1], clock[3]) > "59"
        ):
            continue
        start = DAYS.index(first)
        open_days = {(start + step) % 7 for step in range((DAYS.index(last or first) - start) % 7 + 1)}
        for ahead in range(-1, 8):
            midnight = datetime.combine(now.date() + timedelta(days=ahead), datetime.min.time(), now.tzinfo)
            if midnight.weekday() not in open_days:
                continue
            # On the clock on the wall, so that a day on which it is put forward or back has its usual hours.
            begin = midnight + timedelta(hours=opens, minutes=opens_past)
            end = midnight + timedelta(hours=closes, minutes=closes_past)
            yield begin, end if end > begin else end + timedelta(days=1)


def _here(person: Person, moment: Moment) -> tuple[Place | None, str]:
    """Return where the reader is, as far as anything tells, and by what."""
    if (there := _place(moment.latitude, moment.longitude)) is not None:
        return there, "where the email was opened"
    for prefix in ("address.", ""):
        latitude, longitude = (look_up(person.traits, f"{prefix}{name}") for name in ("latitude", "longitude"))
        if (there := _place(latitude, longitude)) is not None:
            return there, "the shopper's address"
    return None, ""


def _stores(settings: Settings, shop: Shop) -> Iterator[Store]:
    """Yield the stores whose place can be read."""
    for item in shop.feed(settings.feed).items if settings.feed else ():
        if (there := _place(item.get("latitude"), item.get("longitude"))) is not None and item.get("name"):
            said = [str(item.get(field) or "") for field in ("name", "address", "hours", "link", "zone")]
            yield Store(said[0], there, *said[1:])
    for line in settings.stores:
        name, place, *more = [part.strip() for part in line.split(";")] + [""]
        degrees = place.replace(",", " ").split()
        if name and len(degrees) == 2 and (there := _place(*degrees)) is not None:
            yield Store(name, there, *more[:4])


def _place(latitude: Any, longitude: Any) -> Place | None:
    try:
        there = float(latitude), float(longitude)
    except (TypeError, ValueError, OverflowError):
        return None
    known = not isinstance(latitude, bool | Mapping) and abs(there[0]) <= 90 and abs(there[1]) <= 180
    return there if known else None


def check(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what of each store's line cannot be read."""
    if not settings.stores and not settings.feed:
        yield "stores", "enter at least one store, or a feed of stores"
    for index, line in enumerate(settings.stores):
        name, place, *more = [part.strip() for part in line.split(";")] + [""]
        _, hours, link, zone, *rest = [*more[:5], *("",) * 4]
        degrees = place.replace(",", " ").split()
        if not name:
            yield f"stores[{index}]", "a store needs a name"
        if len(degrees) != 2 or _place(*degrees) is None:
            yield f"stores[{index}]", f"{place!r} is not a latitude and a longitude; write 53.5503 10.0007"
        if any(rest):
            yield f"stores[{index}]", "write name; latitude longitude; address; hours; link; time zone"
        blank = f"{link!r} has a blank in it; is a `;` missing?" if " " in link else ""
        if why := hours_problem(hours) or blank or link_problem(link) or zone_problem(zone):
            yield f"stores[{index}]", why


def hours_problem(hours: str) -> str:
    """Return why opening hours cannot be read; empty if they can."""
    for part in filter(None, (part.strip() for part in hours.split("/"))):
        found = _HOURS.fullmatch(part.lower())
        days = [day for day in (found[1], found[2]) if day] if found is not None else []
        if found is None or any(day not in DAYS for day in days):
            return f"{part!r} are not opening hours; write mon-fri 10:00-20:00 / sat 10:00-18:00"
        if max(int(found[3]), int(found[5])) > 24 or max(found[4], found[6]) > "59":
            return f"{part!r} has a time that is not on the clock"
    return ""


APP = App(
    name="nearest-store",
    title="Nearest Store",
    about="The store nearest to the reader, with its distance and opening hours.",
    settings=Settings,
    show=show,
    feeds=lambda settings: (settings.feed,) if settings.feed else (),
    template="nearest_store.liquid",
    check=check,
    sample=Sample(
        {
            "stores": [
                "Tidewick Hamburg; 53.5503 10.0007; Neuer Wall 12; mon-sat 10:00-20:00; ; Europe/Berlin",
                "Tidewick Berlin; 52.5200 13.4050; Torstrasse 88; mon-sat 10:00-20:00; ; Europe/Berlin",
            ]
        }
    ),
)
