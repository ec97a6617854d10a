"""Abandoned Cart: products in the shopper's cart that they have not bought."""

from typing import Annotated

from msgspec import Meta, Struct

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.setting import Color
from wetink.core.profile.person import Moment, Person
from wetink.core.units.duration import DAY, MINUTE


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    days: Annotated[int, Meta(ge=1, le=365, description="Maximum age of the cart, in days.")] = 30
    items: Annotated[int, Meta(ge=1, le=6, description="Maximum number of products.")] = 3
    idle_minutes: Annotated[int, Meta(ge=0, description="Minutes since the cart changed before it shows.")] = 0
    title: Annotated[str, Meta(max_length=80, description="Headline. Leave empty to greet the shopper by name.")] = ""
    accent: Annotated[Color, Meta(description="Button color.")] = "#3451d1"


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the newest cart lines first."""
    resting = moment.now - person.cart.changed_at
    if not settings.idle_minutes * MINUTE <= resting < settings.days * DAY:
        return None
    items = person.cart.lines[-settings.items :][::-1]
    return Shown(items) if items else None


APP = App(
    name="abandoned-cart",
    title="Abandoned Cart",
    about="Products in the cart that the shopper has not bought.",
    settings=Settings,
    show=show,
    template="abandoned_cart.liquid",
)
