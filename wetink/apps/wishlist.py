"""Wishlist: products on the shopper's wishlist that they have not bought."""

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, ShelfSettings, bought_since, pick, shelf
from wetink.core.profile.person import Moment, Person


def wants(person: Person, settings: ShelfSettings, moment: Moment, shop: Shop) -> list[str]:
    return [seen.product.key for seen in person.wishlist]


def show(person: Person, settings: ShelfSettings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the newest wishes first."""
    wished = (seen for seen in person.wishlist if not bought_since(person, seen))
    items = pick(settings.items, (wished,), settings.only, person, shop)
    return shelf(items, head="Your wishes", hail="Your wishes, NAME", button="Open my list", why="on the wishlist")


APP = App(
    name="wishlist",
    title="Wishlist",
    about="Products on the wishlist that the shopper has not bought.",
    settings=ShelfSettings,
    show=show,
    wants=wants,
    template=TEMPLATE,
)
