"""Social Proof: how many people viewed, added or bought the products that this shopper likes."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Sample, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, Saying, ShelfSettings, pick, shelf
from wetink.core.catalog.trends import Measure
from wetink.core.profile.person import Moment, Person, Seen
from wetink.core.units.duration import parse

SAID = {"viewed": "looked at this", "added": "put this in their cart", "bought": "bought this"}


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    measure: Annotated[Measure, Meta(description="Action to count: viewed, added or bought.")] = "bought"
    window: Annotated[str, Meta(pattern=r"^[1-9]\d{0,3}[mhdw]$", description="Period, such as 24h or 7d.")] = "24h"
    least: Annotated[int, Meta(ge=2, title="Minimum people", description="Minimum people for a product to show.")] = 5


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    return [seen.product.key for seen in _liked(person)]


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the most popular products of the shopper's cart, wishlist and views first."""
    since = moment.now - parse(settings.window)
    people = {
        seen.product.key: shop.trends.people(seen.product.key, settings.measure, since, moment.now)
        for seen in _liked(person)
    }
    proven = [seen for seen in _liked(person) if people[seen.product.key] >= settings.least]
    proven.sort(key=lambda seen: -people[seen.product.key])
    items = pick(settings.items, (proven,), settings.only, person, shop)
    when = "today" if settings.window in ("24h", "1d") else f"in {settings.window}"

    def say(index: int, seen: Seen) -> Saying:
        return Saying(badge=f"{people[seen.product.key]} {SAID[settings.measure]} {when}" if len(items) == 1 else "",
                      note=f"{people[seen.product.key]} {SAID[settings.measure]} {when}")  # fmt: skip

    return shelf(items, head="Others love these, too", button="Join them", why=f"{settings.measure} by many", say=say)


def _liked(person: Person) -> list[Seen]:
    return [*person.cart.lines, *person.wishlist, *person.views[:20]]


APP = App(
    name="social-proof",
    title="Social Proof",
    about="How many people viewed, added or bought the products that this shopper likes.",
    settings=Settings,
    show=show,
    wants=wants,
    template=TEMPLATE,
    sample=Sample({"measure": "viewed", "window": "7d"}),
)
