"""Custom App: your own Liquid template, which can use the person, the moment and the catalog."""

from typing import Annotated

from msgspec import Meta, Struct

from wetink.core.app.app import App, Shop, Shown
from wetink.core.profile.person import Moment, Person


class Settings(Struct, frozen=True):
    """The settings that wetink reads. The template sees all others as `settings.…`."""

    feeds: Annotated[tuple[str, ...], Meta(description="Feeds for the template, as `facts.feeds.NAME`.")] = ()
    entries: Annotated[int, Meta(ge=1, le=50, description="Maximum items of each feed.")] = 20
    items: Annotated[int, Meta(ge=0, le=12, description="Recently viewed products for the template, as `items`.")] = 3


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown:
    """Pass the newest views to the template, which can use the whole person."""
    items = tuple(person.views[: settings.items])
    if not settings.feeds:
        return Shown(items)
    given = {name: shop.feed(name) for name in settings.feeds}
    why = "; ".join(f"feed {name} is {data.state}" for name, data in given.items())
    return Shown(items, {"feeds": {name: list(data.items[: settings.entries]) for name, data in given.items()}}, why)


APP = App(
    name="custom",
    title="Custom App",
    about="Your own template, which can use the person, the moment and the catalog.",
    settings=Settings,
    show=show,
    feeds=lambda settings: settings.feeds,
)
