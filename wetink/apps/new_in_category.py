"""New in Favorite Category: new products in the categories that the shopper likes."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import (
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
from wetink.core.profile.person import Moment, Person
from wetink.core.units.duration import DAY


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    days: Annotated[int, Meta(ge=1, le=180, description="Maximum days since the product was added.")] = 30
    categories: Annotated[int, Meta(ge=1, le=5, description="Number of favorite categories.")] = 2
    fill: Fill = ("new", "category")


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    return [*_arrived(person, settings, moment, shop), *candidates(settings.fill, person, shop, moment.now)]


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the newest products of the favorite category first. Products that the shopper has viewed are left out."""
    arrived = _arrived(person, settings, moment, shop)
    seen = [view.product for view in person.views]
    new = [each for each in known(arrived, shop) if not any(each.product.same(one) for one in seen)]
    if not new:
        return None
    sources = (new, *filled(settings.fill, person, shop, moment.now))
    items = pick(settings.items, sources, settings.only, person, shop)
    category = next(iter(favorite_categories(person)), "")
    return shelf(
        items,
        head=f"New in {category}" if category else "New arrivals",
        button="See what is new",
        why=f"new within {settings.days}d",
        say=lambda index, each: Saying(badge="New", tone="fresh") if each.product.key in arrived else Saying(),
    )


def _arrived(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    liked = favorite_categories(person)[: settings.categories]
    since = moment.now - settings.days * DAY
    return [key for category in liked for key in shop.trends.arrivals(category, since)[:80]]


APP = App(
    name="new-in-category",
    title="New in Favorite Category",
    about="New products in the categories that the shopper likes.",
    settings=Settings,
    show=show,
    wants=wants,
    template=TEMPLATE,
)
