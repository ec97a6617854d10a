"""Wishlist: products on the shopper's wishlist that they have not bought."""

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, ShelfSettings, pick, shelf
from wetink.core.profile.person import Moment, Person


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a marketer can set."""


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    """Want the newest facts of what was wished for."""
    return [seen.product.key for seen in person.wishlist]


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the newest wishes first."""
    wished = (
        seen
        for seen in person.wishlist
        if not any(
            order.at >= seen.at and any(seen.product.same(each) for each in order.products) for order in person.orders
        )
    )
    items = pick(settings.items, (wished,), settings.only, person, shop)
    return shelf(items, head="Your wishes", hail="Your wishes, NAME", button="Open my list", why="on the wishlist")


APP = App(
    name="wishlist",
    title="Wishlist",
    about="Products on the wishlist that the shopper has not bought.",
    settings=Settings,
    show=show,
    wants=wants,
    template=TEMPLATE,
)
