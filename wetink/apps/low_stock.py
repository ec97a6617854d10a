"""Low Stock: products that the shopper likes and that are almost sold out."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, Saying, ShelfSettings, liked, liked_keys, pick, shelf
from wetink.core.profile.person import Moment, Person, Seen


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    most: Annotated[
        int, Meta(ge=1, le=100, title="Maximum stock", description="Maximum stock of a product that shows.")
    ] = 5


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the lowest stock first. Products whose stock the catalog does not know are left out."""
    scarce = []
    for seen in liked(person):
        stock = shop.products[seen.product.key].stock if seen.product.key in shop.products else None
        if stock is not None and 0 < stock <= settings.most:
            scarce.append((stock, -seen.at, seen))
    scarce.sort(key=lambda each: each[:2])
    items = pick(settings.items, ([seen for *_, seen in scarce],), settings.only, person, shop)

    def say(index: int, seen: Seen) -> Saying:
        left = seen.product.stock or 0
        return Saying(badge=f"Only {left} left", tone="scarce", left=round(100 * left / (settings.most * 2)))

    return shelf(
        items,
        head="Going fast",
        hail="Going fast, NAME",
        button="Secure yours",
        why=f"at most {settings.most} left",
        say=say,
    )


APP = App(
    name="low-stock",
    title="Low Stock",
    about="Products that the shopper likes and that are almost sold out.",
    settings=Settings,
    show=show,
    wants=liked_keys,
    template=TEMPLATE,
)
