"""Back in Stock: products that the shopper wanted while they were sold out, and that are available again."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, Saying, ShelfSettings, liked_keys, pick, shelf
from wetink.core.catalog.catalog import returned_at
from wetink.core.profile.person import Moment, Person
from wetink.core.units.duration import DAY


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    days: Annotated[int, Meta(ge=1, le=90, description="Maximum days since the product came back.")] = 7


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the products that came back last first."""
    since = moment.now - settings.days * DAY
    returned = []
    for seen in (*person.wishlist, *person.cart.lines, *person.views):
        at = returned_at(seen, shop.history.get(seen.product.key, ()))
        if shop.newest(seen.product).buyable and at is not None and at >= since:
            returned.append((at, seen))
    returned.sort(key=lambda each: -each[0])
    items = pick(settings.items, ([seen for _, seen in returned],), settings.only, person, shop)
    return shelf(
        items,
        head="Back in stock",
        button="Get it this time",
        why="was sold out when the shopper wanted it",
        say=lambda index, seen: Saying(badge="It is back", tone="fresh"),
    )


APP = App(
    name="back-in-stock",
    title="Back in Stock",
    about="Products that the shopper wanted while they were sold out, and that are available again.",
    settings=Settings,
    show=show,
    wants=liked_keys,
    history=True,
    template=TEMPLATE,
)
