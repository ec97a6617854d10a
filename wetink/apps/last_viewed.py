"""Last Viewed: the products that the shopper viewed last and has not bought since."""

from typing import Annotated

from msgspec import Meta, Struct

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import bought_since
from wetink.core.app.setting import Color
from wetink.core.profile.person import Moment, Person, Seen
from wetink.core.units.duration import DAY


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    days: Annotated[int, Meta(ge=1, le=365, description="Maximum age of a view, in days.")] = 30
    items: Annotated[int, Meta(ge=1, le=6, description="Maximum number of products.")] = 3
    bought: Annotated[
        bool,
        Meta(
            title="Include bought products", description="Include products that the shopper ordered after viewing them."
        ),
    ] = False
    title: Annotated[str, Meta(max_length=80, description="Headline. Leave empty to greet the shopper by name.")] = ""
    accent: Annotated[Color, Meta(description="Button color.")] = "#3451d1"


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the newest views first."""
    since = moment.now - settings.days * DAY
    items: list[Seen] = []
    for seen in person.views:
        if seen.at <= since or (shop.taken and seen.product.key in shop.taken):
            continue
        if settings.bought or not person.orders or not bought_since(person, seen):
            items.append(seen)
            if len(items) == settings.items:
                break
    return Shown(tuple(items)) if items else None


APP = App(
    name="last-viewed",
    title="Last Viewed",
    about="The products that the shopper viewed last.",
    settings=Settings,
    show=show,
    template="last_viewed.liquid",
)
