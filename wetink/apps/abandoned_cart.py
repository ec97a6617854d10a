"""Abandoned Cart: what the shopper put in the cart and has not bought."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from wetink.apps import App
from wetink.core.person import Moment, Person, Seen

DAY, MINUTE = 86_400_000, 60_000


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a marketer can set."""

    days: Annotated[int, Meta(ge=1, le=365, description="An older cart counts as given up.")] = 30
    items: Annotated[int, Meta(ge=1, le=6, description="Products the picture has room for.")] = 3
    idle_minutes: Annotated[int, Meta(ge=0, description="How long the cart must rest before it is shown.")] = 0
    title: Annotated[str, Meta(max_length=80, description="The words above; empty: some with their name.")] = ""
    accent: Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$", description="The color of the button.")] = "#3451d1"


def show(person: Person, settings: Settings, moment: Moment) -> Sequence[Seen]:
    """Return the newest cart lines first."""
    resting = moment.now - person.cart.changed_at
    if not settings.idle_minutes * MINUTE <= resting < settings.days * DAY:
        return ()
    return person.cart.lines[-settings.items :][::-1]


APP = App(name="abandoned-cart", title="Abandoned Cart", settings=Settings, show=show, template="abandoned_cart.liquid")
