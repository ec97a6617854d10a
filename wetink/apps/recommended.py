"""Recommended: products that other shoppers viewed and bought together with the shopper's."""

from collections import Counter
from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Sample, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, Fill, Saying, ShelfSettings, candidates, filled, known, pick, shelf
from wetink.core.events.event import Product
from wetink.core.profile.person import Moment, Person

ANCHORS = 8
"""Products of the shopper that recommendations start from."""


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    fill: Fill = ("category", "best_sellers", "viewed")
    seen: Annotated[
        bool, Meta(title="Include viewed products", description="Include products that the shopper has viewed.")
    ] = False


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    return [*_ranked(person, shop), *candidates(settings.fill, person, shop, moment.now)]


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the best matches for the shopper's cart, views and orders, and then the sources in `fill`."""
    anchors = _anchors(person)
    mine = anchors if not settings.seen else [line.product for line in person.cart.lines]
    bought = [product for order in person.orders for product in order.products]
    ranked = known(_ranked(person, shop), shop, moment.now)
    sources = (ranked, *filled(settings.fill, person, shop, moment.now))
    left = (
        [seen for seen in source if not any(seen.product.same(own) for own in (*mine, *bought))] for source in sources
    )
    items = pick(settings.items, left, settings.only, person, shop)
    beside = {seen.product.key for seen in ranked}
    anchor = anchors[0].name if anchors else ""
    why = (
        f"goes with {anchor}" if anchor and any(seen.product.key in beside for seen in items) else "popular in the shop"
    )
    return shelf(
        items,
        head="Picked for you",
        hail="Picked for you, NAME",
        button="See more",
        why=why,
        say=lambda index, seen: Saying(note="Goes with what you like") if seen.product.key in beside else Saying(),
    )


def _anchors(person: Person) -> list[Product]:
    """Return what the shopper likes, the strongest sign first: in the cart, looked at, bought."""
    lines = [line.product for line in reversed(person.cart.lines)]
    bought = [product for order in person.orders[:2] for product in order.products]
    return [*lines, *(seen.product for seen in person.views[:ANCHORS]), *bought][:ANCHORS]


def _ranked(person: Person, shop: Shop) -> list[str]:
    """Return the keys of what goes together with the anchors: bought together counts twice, near the top more."""
    score: Counter[str] = Counter()
    for weight, product in enumerate(_anchors(person)):
        for measure, worth in (("bought", 2.0), ("viewed", 1.0)):
            for rank, key in enumerate(shop.trends.together(product.key, measure)[:30]):  # type: ignore[arg-type]
                score[key] += worth / ((1 + rank) * (1 + weight * 0.5))  # type: ignore[assignment]
    return [key for key, _ in sorted(score.items(), key=lambda each: (-each[1], each[0]))[:120]]


APP = App(
    name="recommended",
    title="Recommended",
    about="Products that others viewed and bought together with this shopper's, or else popular ones.",
    settings=Settings,
    show=show,
    wants=wants,
    template=TEMPLATE,
    sample=Sample({"seen": True}),
)
