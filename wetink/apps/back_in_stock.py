"""Back in Stock: what the shopper wanted while it was sold out, and can be bought again."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app import App, Shown
from wetink.core.person import Moment, Person, Seen
from wetink.core.pick import pick
from wetink.core.shelf import TEMPLATE, Saying, ShelfSettings, shelf
from wetink.core.shop import Shop

DAY = 86_400_000


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a marketer can set."""

    days: Annotated[int, Meta(ge=1, le=90, description="For how long it is news.")] = 7


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    """Want today's stock."""
    return [seen.product.key for seen in _liked(person)]


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show what returned last first."""
    since = moment.now - settings.days * DAY
    returned = []
    for seen in _liked(person):
        at = _returned_at(seen, shop)
        if shop.newest(seen.product).buyable and at is not None and at >= since:
            returned.append((at, seen))
    returned.sort(key=lambda each: -each[0])
    items = pick(settings.items, ([seen for _, seen in returned],), settings.only, person, shop)
    return shelf(
        items,
        head="Back in stock",
        button="Get it this time",
        why="was sold out when it was wanted",
        say=lambda index, seen: Saying(badge="It is back", tone="fresh"),
    )


def _liked(person: Person) -> list[Seen]:
    return [*person.wishlist, *person.cart.lines, *person.views]


def _returned_at(seen: Seen, shop: Shop) -> int | None:
    """Return when a product could be bought again after it was wanted in vain (Unix ms), None if it never was.

    Wanted in vain: sold out when it was seen, or at any time since.
    """
    out, returned = not seen.product.buyable, None
    changes = shop.history.get(seen.product.key, ())
    before = [change for change in changes if change.at <= seen.at][-1:]
    for change in (*before, *(change for change in changes if change.at > seen.at)):
        if not change.buyable:
            out, returned = True, None
        elif out and returned is None and change.at > seen.at:
            returned = change.at
    return returned


APP = App(
    name="back-in-stock",
    title="Back in Stock",
    about="What was wanted while it was sold out, and can be bought again.",
    settings=Settings,
    show=show,
    wants=wants,
    history=True,
    template=TEMPLATE,
)
