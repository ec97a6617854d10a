"""Abandoned Browse: products from the shopper's last visit that they did not buy or add to the cart."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, ShelfSettings, bought_since, pick, shelf
from wetink.core.profile.person import Moment, Person
from wetink.core.units.duration import DAY, MINUTE


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    days: Annotated[int, Meta(ge=1, le=365, description="Maximum age of a view, in days.")] = 14
    idle_minutes: Annotated[int, Meta(ge=0, description="Minutes since the last view before it shows.")] = 30


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    return [seen.product.key for seen in person.views[: settings.items * 4]]


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the newest views first, once the visit is over."""
    if not person.views or moment.now - person.views[0].at < settings.idle_minutes * MINUTE:
        return None
    kept = [line.product for line in person.cart.lines]
    open_views = (
        seen
        for seen in person.views
        if moment.now - seen.at < settings.days * DAY
        and not any(seen.product.same(product) for product in kept)
        and not bought_since(person, seen)
    )
    items = pick(settings.items, (open_views,), settings.only, person, shop)
    return shelf(
        items,
        head="Still thinking it over?",
        hail="Still thinking it over, NAME?",
        button="Take another look",
        why="viewed, not bought",
    )


APP = App(
    name="abandoned-browse",
    title="Abandoned Browse",
    about="Products from the last visit that the shopper did not buy or add to the cart.",
    settings=Settings,
    show=show,
    wants=wants,
    template=TEMPLATE,
)
