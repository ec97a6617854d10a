"""Locale: the language, currency and time zone somebody is used to, when the moment itself does not say."""

import re

from msgspec.structs import replace

from wetink.core.profile.person import Moment, Person
from wetink.core.rules.values import look_up
from wetink.core.units.zone import TRAITS as ZONE_TRAITS
from wetink.core.units.zone import named

TRAITS = {
    "language": ("language", "locale", "lang"),
    "currency": ("currency",),
    "time_zone": (*ZONE_TRAITS, "address.timeZone"),
}
"""Field of a moment -> the traits that tell it, as shops name them."""
_NAMES = frozenset(name.partition(".")[0] for names in TRAITS.values() for name in names) | frozenset(
    name for names in TRAITS.values() for name in names
)
LONGEST = 64
_SHAPES = {  # of a page's words nothing else is believed to be one
    "language": re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?"),
    "currency": re.compile(r"[A-Za-z]{3}"),
}


def at_home(moment: Moment, person: Person) -> Moment:
    """Return the moment with what the person's traits say of it where nothing else has.

    >>> at_home(Moment(0), Person(traits={"timezone": "Europe/Paris", "locale": "fr-FR"})).time_zone
    'Europe/Paris'
    """
    if _NAMES.isdisjoint(person.traits) and not moment.local_zone and not person.zone:
        return moment
    said = {field: _told(field, names, person) for field, names in TRAITS.items() if not getattr(moment, field)}
    told = {field: value for field, value in said.items() if value}
    if not moment.time_zone and (zone := person.zone or moment.local_zone):
        told = {"time_zone": zone, **told}
    return replace(moment, **told) if told else moment


def _told(field: str, names: tuple[str, ...], person: Person) -> str:
    traits = person.traits
    for name in names:
        if name not in traits and "." not in name:
            continue
        value = look_up(traits, name)
        if field == "time_zone":
            if found := named(value):
                return found
            continue
        if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST:
            continue
        value = value.strip()
        if name not in person.page_traits or _SHAPES[field].fullmatch(value) is not None:
            return value
    return ""
