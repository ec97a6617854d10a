"""Buy Again: products that the shopper bought so long ago that other shoppers had reordered them by then."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Sample, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, Saying, ShelfSettings, pick, shelf
from wetink.core.profile.person import Moment, Person, Seen
from wetink.core.units.duration import DAY


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    days: Annotated[
        int, Meta(ge=0, le=730, description="Days after the order. 0 uses your shop's repurchase interval.")
    ] = 0
    otherwise_days: Annotated[
        int, Meta(ge=0, le=730, description="Days to use if too few shoppers have reordered. 0 skips the product.")
    ] = 60


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    return [product.key for order in person.orders for product in order.products]


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the most overdue products first. A reordered product counts from its last order."""
    last: dict[str, Seen] = {}
    for order in reversed(person.orders):
        for product in order.products:
            last[product.key] = Seen(product, order.at)
    due = []
    for seen in last.values():
        after = settings.days * DAY or shop.trends.repurchase(seen.product) or settings.otherwise_days * DAY
        late = moment.now - seen.at - after
        if after and late >= 0:
            due.append((-late, seen))
    due.sort(key=lambda each: each[0])
    items = pick(settings.items, ([seen for _, seen in due],), settings.only, person, shop)

    def say(index: int, seen: Seen) -> Saying:
        weeks = max(1, round((moment.now - seen.at) / (7 * DAY)))
        return Saying(note=f"Bought {weeks} week{'s' if weeks > 1 else ''} ago")

    return shelf(
        items,
        head="Time for more?",
        hail="Time for more, NAME?",
        button="Order again",
        why="other shoppers reorder it by then",
        say=say,
    )


APP = App(
    name="buy-again",
    title="Buy Again",
    about="Products that the shopper bought so long ago that other shoppers had reordered them by then.",
    settings=Settings,
    show=show,
    wants=wants,
    template=TEMPLATE,
    sample=Sample({"otherwise_days": 30}),
)
