"""Price Drop: products from the shopper's views, wishlist and cart that have become cheaper."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, Saying, ShelfSettings, liked, liked_keys, pick, shelf
from wetink.core.catalog.catalog import price_then
from wetink.core.profile.person import Moment, Person, Seen
from wetink.core.units.duration import DAY


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    days: Annotated[int, Meta(ge=1, le=365, description="Maximum age of a view, in days.")] = 60
    percent: Annotated[int, Meta(ge=1, le=99, description="Minimum drop in percent.")] = 5


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the largest drops first."""
    before: dict[str, float] = {}
    dropped = []
    for seen in liked(person):
        now, then = shop.newest(seen.product).price, price_then(seen, shop.history.get(seen.product.key, ()))
        if now is None or then is None or moment.now - seen.at > settings.days * DAY:
            continue
        if now <= then * (1 - settings.percent / 100):
            before[seen.product.key] = then
            dropped.append((now / then, seen))
    dropped.sort(key=lambda each: (each[0], -each[1].at))
    items = pick(settings.items, ([seen for _, seen in dropped],), settings.only, person, shop)

    def say(index: int, seen: Seen) -> Saying:
        was, now = before[seen.product.key], seen.product.price or 0.0
        return Saying(badge=f"\u2212{round((1 - now / was) * 100)}%", tone="sale", was=was)

    return shelf(items, head="Now for less", button="Get it for less", why="cheaper than when last seen", say=say)


APP = App(
    name="price-drop",
    title="Price Drop",
    about="Products from views, wishlist and cart that have become cheaper.",
    settings=Settings,
    show=show,
    wants=liked_keys,
    history=True,
    template=TEMPLATE,
)
