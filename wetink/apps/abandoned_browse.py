"""Abandoned Browse: what the shopper looked at last, and neither bought nor put in the cart."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Shown
from wetink.core.app.app_inputs import Shop
from wetink.core.app.pick import pick
from wetink.core.app.product_grid import TEMPLATE, ShelfSettings, shelf
from wetink.core.profile.person import Moment, Person

DAY, MINUTE = 86_400_000, 60_000


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a marketer can set."""

    days: Annotated[int, Meta(ge=1, le=365, description="How far back views count.")] = 14
    idle_minutes: Annotated[int, Meta(ge=0, description="How long nothing was looked at before it is shown.")] = 30


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    """Want the newest facts of what was looked at."""
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
        and not any(
            order.at >= seen.at and any(seen.product.same(each) for each in order.products) for order in person.orders
        )
    )
    items = pick(settings.items, (open_views,), settings.only, person, shop)
    return shelf(
        items,
        head="Still thinking it over?",
        hail="Still thinking it over, NAME?",
        button="Take another look",
        why="looked at, not bought",
    )


APP = App(
    name="abandoned-browse",
    title="Abandoned Browse",
    about="What was looked at on the last visit, and neither bought nor put in the cart.",
    settings=Settings,
    show=show,
    wants=wants,
    template=TEMPLATE,
)
