"""Context: the circumstances of an open: what time it is there, on what it is read, where, and in what weather."""

from collections.abc import Callable, Mapping
from typing import Any

from wetink.core.outbound.feed import reached
from wetink.core.outbound.weather import celsius, sky_of
from wetink.core.rules.operators import passes
from wetink.core.rules.subject import Leaf, Subject
from wetink.core.rules.tree import MomentIs
from wetink.core.rules.values import shown

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _weather(path: str, read: Callable[[Any], Any]) -> Callable[[Subject, str], Any]:
    def get(subject: Subject, feed: str) -> Any:
        items = subject.feeds[feed].items if feed in subject.feeds else ()
        return read(reached(items[0], path)) if items else None

    return get


FIELDS: Mapping[str, tuple[Callable[[Subject, str], Any], str]] = {
    "weekday": (lambda subject, feed: DAYS[subject.local.weekday()], "mon to sun, in the person's time zone"),
    "hour": (lambda subject, feed: subject.local.hour, "0 to 23, in the person's time zone: 17 lasts until 17:59"),
    "day": (lambda subject, feed: subject.local.day, "1 to 31, the day of the month"),
    "month": (lambda subject, feed: subject.local.month, "1 to 12"),
    "date": (
        lambda subject, feed: subject.local.date().isoformat(),
        "such as 2026-11-20; compared with before and after",
    ),
    "device": (lambda subject, feed: subject.moment.device, "mobile, tablet, desktop, proxy or prefetch"),
    "client": (lambda subject, feed: subject.moment.facts.client, "the mail program, such as apple-mail or outlook"),
    "scheme": (lambda subject, feed: subject.moment.scheme, "light or dark"),
    "country": (lambda subject, feed: subject.moment.country, "such as DE"),
    "region": (lambda subject, feed: subject.moment.region, "as the GeoIP file has it"),
    "city": (lambda subject, feed: subject.moment.city, "as the GeoIP file has it"),
    "language": (lambda subject, feed: subject.moment.language, "such as de or pt-BR"),
    "currency": (lambda subject, feed: subject.moment.currency, "such as EUR"),
    "campaign": (lambda subject, feed: subject.moment.campaign, "`?c=` of the picture's URL"),
    "weather.sky": (_weather("current.weather_code", sky_of), "clear, cloudy, fog, rain, snow or storm"),
    "weather.temperature": (_weather("current.temperature_2m", celsius), "degrees Celsius"),
}
"""Name -> how it is found, and what it is."""


def moment(rule: MomentIs) -> Leaf:
    """Return what the circumstances are, as far as they are asked for, and whether all pass."""
    asked = [(each.name, _get(each.name), passes(each.tests)) for each in rule.where]

    def see(subject: Subject) -> tuple[dict[str, Any], bool]:
        facts = {
            name: get(subject, rule.feed) or None if name != "hour" else get(subject, rule.feed)
            for name, get, _ in asked
        }
        return facts, all(test(facts[name], subject.today) for name, _, test in asked)

    def say(seen: tuple[dict[str, Any], bool]) -> str:
        return ", ".join(f"{name} is {shown(value)}" for name, value in seen[0].items())

    return Leaf(see, lambda seen: seen[1], say)


def _get(name: str) -> Callable[[Subject, str], Any]:
    if name in FIELDS:
        return FIELDS[name][0]
    key = name.partition(".")[2]
    return lambda subject, feed: subject.moment.parameters.get(key)
