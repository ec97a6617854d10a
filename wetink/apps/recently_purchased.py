"""Recently Purchased: the products of the shopper's last order, such as for a review request."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, ShelfSettings, pick, shelf
from wetink.core.profile.person import Moment, Person, Seen
from wetink.core.units.duration import DAY


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    days: Annotated[int, Meta(ge=1, le=365, description="Maximum age of the order, in days.")] = 30
    after_days: Annotated[int, Meta(ge=0, le=90, description="Days after the order before it shows.")] = 0


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    return [product.key for order in person.orders[:5] for product in order.products]


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the newest order's products first."""
    bought = (
        Seen(product, order.at)
        for order in person.orders
        if settings.after_days * DAY <= moment.now - order.at < settings.days * DAY
        for product in order.products
    )
    items = pick(settings.items, (bought,), settings.only, person, shop)
    return shelf(
        items,
        head="How do you like it?",
        hail="How do you like it, NAME?",
        button="Tell us",
        why="bought recently",
    )


APP = App(
    name="recently-purchased",
    title="Recently Purchased",
    about="The products of the last order, such as for a review request.",
    settings=Settings,
    show=show,
    wants=wants,
    template=TEMPLATE,
)
