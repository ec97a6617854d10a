"""Trending: the shop's most popular products right now, by category, region and period."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import (
    CANDIDATES,
    TEMPLATE,
    Fill,
    Saying,
    ShelfSettings,
    candidates,
    favorite_categories,
    filled,
    known,
    pick,
    shelf,
)
from wetink.core.catalog.trends import Measure, Ranked
from wetink.core.profile.person import Moment, Person
from wetink.core.units.duration import parse

VERBS = {"viewed": "looked at it", "added": "added it", "bought": "bought it"}


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    measure: Annotated[Measure, Meta(description="Action to count: viewed, added or bought.")] = "bought"
    window: Annotated[str, Meta(pattern=r"^[1-9]\d{0,3}[mhdw]$", description="Period, such as 24h or 7d.")] = "24h"
    category: Annotated[str, Meta(description="Category. own is the shopper's favorite. Leave empty for all.")] = ""
    region: Annotated[str, Meta(description="Country or region. own is the reader's. Leave empty for all.")] = ""
    least: Annotated[int, Meta(ge=1, title="Minimum people", description="Minimum people for a product to show.")] = 3
    fill: Fill = ("best_sellers", "viewed")


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    return [
        *(ranked.key for ranked in _ranked(person, settings, moment, shop)),
        *candidates(settings.fill, person, shop, moment.now),
    ]


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the most popular products first, numbered, with the number of people."""
    people = {ranked.key: ranked.people for ranked in _ranked(person, settings, moment, shop)}
    sources = (known(people, shop, moment.now), *filled(settings.fill, person, shop, moment.now))
    items = pick(settings.items, sources, settings.only, person, shop)

    def say(index: int, seen: Saying | object) -> Saying:
        count = people.get(items[index].product.key, 0)
        if not count:
            return Saying()
        who = "1 person" if count == 1 else f"{count} people"
        return Saying(badge=f"No. {index + 1}", note=f"{who} {VERBS[settings.measure]}")

    return shelf(
        items,
        head="Best sellers" if settings.measure == "bought" else "Trending now",
        button="See what is hot",
        why=f"most {settings.measure} within {settings.window}",
        say=say,
    )


def _ranked(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[Ranked]:
    category, region = settings.category, settings.region
    if category == "own":
        category = next(iter(favorite_categories(person)), "")
    if region == "own":
        region = moment.region or moment.country
    ranked = shop.trends.popular(
        settings.measure, parse(settings.window), moment.now, category=category, region=region, least=settings.least
    )
    return list(ranked[:CANDIDATES])


APP = App(
    name="trending",
    title="Trending",
    about="The shop's most popular products right now, by category, region and period.",
    settings=Settings,
    show=show,
    wants=wants,
    template=TEMPLATE,
)
