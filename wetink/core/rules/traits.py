"""Traits: rules about who somebody is, what they want, and the circumstances of the open."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from wetink.core.catalog.catalog import price_then, returned_at
from wetink.core.events.ecommerce import product_field
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.feed import reached
from wetink.core.outbound.weather import celsius, sky_of
from wetink.core.profile.person import Cart, Person, Seen
from wetink.core.rules.format import words
from wetink.core.rules.matching import fields
from wetink.core.rules.operators import Passes, passes
from wetink.core.rules.tree import (
    CartIs,
    Leaf,
    Lifecycle,
    MomentIs,
    ProductIs,
    Share,
    Subject,
    Test,
    Trait,
    Where,
    interests,
)
from wetink.core.rules.values import look_up, shown
from wetink.core.units.duration import UNITS
from wetink.core.units.duration import parse as span_of


def trait(rule: Trait) -> Leaf:
    """Return the leaf of a trait: its value, and whether it matches."""
    name, test = rule.name, passes(rule.tests)

    def see(subject: Subject) -> tuple[Any, bool]:
        found = look_up(subject.person.traits, name)
        return found, test(found, subject)

    return Leaf(see, lambda seen: seen[1], lambda seen: f"trait {name} is {shown(seen[0])}")


def lifecycle(rule: Lifecycle) -> Leaf:
    """Return the leaf of a lifecycle stage. A stranger has none."""
    new_for, lapsed_after = span_of(rule.new_for), span_of(rule.lapsed_after)

    def see(subject: Subject) -> str:
        person = subject.person
        if not person.known:
            return "unknown"
        if subject.now - person.last_seen > lapsed_after:
            return "lapsed"
        return "new" if subject.now - person.first_seen <= new_for else "active"

    return Leaf(see, lambda stage: stage == rule.stage, lambda stage: f"is {stage}")


def share(rule: Share) -> Leaf:
    """Return the leaf of a random share: a person's position, 0 up to 100; None for nobody."""

    def see(subject: Subject) -> float | None:
        return share_position(subject.root, rule.seed) if subject.root is not None else None

    def judge(place: float | None) -> bool:
        return place is not None and rule.start <= place < rule.start + rule.percent

    def describe(place: float | None) -> str:
        if place is None:
            return "the person is unknown"
        return f"is at {place:.2f}% of all people, {'' if judge(place) else 'not '}in the {rule.percent:g}%"

    return Leaf(see, judge, describe)


def share_position(root: Identifier, seed: str) -> float:
    """Return a profile's position among all people under a seed: always the same, from 0 up to 100.

    >>> share_position(Identifier("user", "jane"), "spring") == share_position(Identifier("user", "jane"), "spring")
    True
    """
    digest = blake2b(f"{seed}\0{root}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 * 100


def cart(rule: CartIs) -> Leaf:
    """Return the leaf of the cart: its value, pieces and age (ms, None if empty), and what matches."""
    compared: dict[str, Passes] = {}
    if rule.value:
        compared["worth"] = passes(rule.value)
    if rule.items:
        compared["items"] = passes(rule.items)
    if rule.age:
        compared["age"] = passes([Test(test.operator, span_of(test.value)) for test in rule.age])
    contains = _products(rule.contains)

    def see(subject: Subject) -> tuple[dict[str, Any], bool]:
        cart = subject.person.cart
        facts = facts_of(cart, subject.now)
        held = all([test(facts[name], subject) for name, test in compared.items()])
        if rule.contains:
            facts["matching"] = sum(contains(line.product, subject) for line in cart.lines)
            held = held and facts["matching"] > 0
        return facts, held

    return Leaf(see, lambda seen: seen[1], lambda seen: _cart_words(seen[0]))


def facts_of(cart: Cart, now: int) -> dict[str, Any]:
    """Return a cart's value, its pieces, and how long ago it changed (ms)."""
    if not cart.lines:
        return {"worth": 0, "items": 0, "age": None}
    worth = sum([(line.product.price or 0.0) * line.product.quantity for line in cart.lines])
    pieces = sum([line.product.quantity for line in cart.lines])
    return {"worth": round(worth, 6), "items": round(pieces, 6), "age": now - cart.changed_at}


def _cart_words(facts: dict[str, Any]) -> str:
    if not facts["items"] and facts["age"] is None:
        return "the cart is empty"
    old = f", changed {in_words(facts['age'])} ago" if facts["age"] is not None else ""
    match = f", {facts['matching']} of them match" if "matching" in facts else ""
    return f"the cart has {facts['items']} items worth {facts['worth']:g}{old}{match}"


def in_words(ms: int) -> str:
    """Return a duration (ms) roughly, in its largest unit.

    >>> in_words(7_300_000), in_words(5)
    ('2h', '0s')
    """
    unit = next((unit for unit in ("d", "h", "m") if ms >= UNITS[unit]), "s")
    return f"{ms // UNITS[unit]}{unit}"


def _products(where: Where) -> Callable[[Product, Subject], bool]:
    match = fields([(product_field(each.name), each.tests) for each in where])
    return lambda product, subject: match(product, subject)


_LISTS: dict[str, Callable[[Person], list[Seen]]] = {
    "viewed": lambda person: list(person.views),
    "in_cart": lambda person: list(person.cart.lines),
    "wished": lambda person: list(person.wishlist),
    "any": interests,
}


def product(rule: ProductIs) -> Leaf:
    """Return the leaf of a person's products: the keys of those that match, by the catalog's current data."""
    listed, where = _LISTS[rule.interest], _products(rule.where)
    span = span_of(rule.within) if rule.within else None

    def became(seen: Seen, subject: Subject) -> bool:
        key = seen.product.key
        now, changes = subject.products.get(key), subject.changes.get(key, ())
        if rule.price_fell is not None:
            price, then = (now or seen.product).price, price_then(seen, changes)
            if price is None or then is None or price > then * (1 - rule.price_fell / 100):
                return False
        if rule.back_in_stock is not None:
            back = (now or seen.product).buyable and returned_at(seen, changes) is not None
            if back is not rule.back_in_stock:
                return False
        if rule.low_stock is not None:
            stock = now.stock if now is not None else None
            return stock is not None and 0 < stock <= rule.low_stock
        return True

    def see(subject: Subject) -> list[str]:
        found = [
            seen.product.key
            for seen in listed(subject.person)
            if (span is None or seen.at >= subject.now - span)
            and where(seen.product, subject)
            and became(seen, subject)
        ]
        return list(dict.fromkeys(found))

    what = words(ProductIs(rule.interest, rule.where)).rstrip()

    def describe(keys: list[str]) -> str:
        more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
        return f"{what}: {', '.join(keys[:3])}{more}" if keys else f"there is no such {what.removeprefix('a ')}"

    return Leaf(see, bool, describe)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _weather(path: str, read: Callable[[Any], Any]) -> Callable[[Subject, str], Any]:
    def get(subject: Subject, feed: str) -> Any:
        items = subject.feeds[feed].items if feed in subject.feeds else ()
        return read(reached(items[0], path)) if items else None

    return get


MOMENT_FIELDS: Mapping[str, tuple[Callable[[Subject, str], Any], str]] = {
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
"""Name -> how its value is found, and its description."""


POSSIBLE: Mapping[str, Sequence[Any]] = {
    "weekday": DAYS,
    "hour": range(24),
    "day": range(1, 32),
    "month": range(1, 13),
    "device": ("mobile", "tablet", "desktop", "proxy", "prefetch", "scanner"),
    "scheme": ("light", "dark"),
    "weather.sky": ("clear", "cloudy", "fog", "rain", "snow", "storm"),
}
"""All values of the names that have few."""


def moment(rule: MomentIs) -> Leaf:
    """Return the leaf of a moment: the values that the rule names, and whether all match."""
    named = [(each.name, _get(each.name), passes(each.tests)) for each in rule.where]

    def see(subject: Subject) -> tuple[dict[str, Any], bool]:
        facts = {name: None if (value := get(subject, rule.feed)) == "" else value for name, get, _ in named}
        return facts, all(test(facts[name], subject) for name, _, test in named)

    def describe(seen: tuple[dict[str, Any], bool]) -> str:
        return ", ".join(f"{name} is {shown(value)}" for name, value in seen[0].items())

    return Leaf(see, lambda seen: seen[1], describe)


def _get(name: str) -> Callable[[Subject, str], Any]:
    if name in MOMENT_FIELDS:
        return MOMENT_FIELDS[name][0]
    key = name.partition(".")[2]
    return lambda subject, feed: subject.moment.parameters.get(key)
