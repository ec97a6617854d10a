"""Custom App: a Liquid template of one's own, with the person, the moment and the catalog to draw on."""

from typing import Annotated

from msgspec import Meta, Struct

from wetink.core.app.app import App, Shown
from wetink.core.app.app_inputs import Shop
from wetink.core.profile.person import Moment, Person


class Settings(Struct, frozen=True):
    """What a marketer can set; anything else stands in the template as `settings.…`."""

    feeds: Annotated[tuple[str, ...], Meta(description="Feeds to hand over as `facts.feeds.NAME`.")] = ()
    entries: Annotated[int, Meta(ge=1, le=50, description="How many items of each feed.")] = 20
    items: Annotated[int, Meta(ge=0, le=12, description="How many recent products to hand over as `items`.")] = 3


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown:
    """Show the newest views, as a start: the template has the whole person as well."""
    items = tuple(person.views[: settings.items])
    if not settings.feeds:
        return Shown(items)
    given = {name: shop.feed(name) for name in settings.feeds}
    why = "; ".join(f"feed {name} is {data.state}" for name, data in given.items())
    return Shown(items, {"feeds": {name: list(data.items[: settings.entries]) for name, data in given.items()}}, why)


APP = App(
    name="custom",
    title="Custom App",
    about="A template of your own, with the person, the moment and the catalog to draw on.",
    settings=Settings,
    show=show,
    feeds=lambda settings: settings.feeds,
)
