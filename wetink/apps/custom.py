"""Custom App: a Liquid template of one's own, with the person, the moment and the catalog to draw on."""

from typing import Annotated

from msgspec import Meta, Struct

from wetink.core.app import App, Shown
from wetink.core.person import Moment, Person
from wetink.core.shop import Shop


class Settings(Struct, frozen=True):
    """What a marketer can set; anything else stands in the template as `settings.…`."""

    items: Annotated[int, Meta(ge=0, le=12, description="How many recent products to hand over as `items`.")] = 3


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown:
    """Show the newest views, as a start: the template has the whole person as well."""
    return Shown(tuple(person.views[: settings.items]))


APP = App(
    name="custom",
    title="Custom App",
    about="A template of your own, with the person, the moment and the catalog to draw on.",
    settings=Settings,
    show=show,
)
