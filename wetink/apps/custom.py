"""Custom App: a Liquid template of one's own, with the person, the moment and the catalog to draw on."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from wetink.apps import App
from wetink.core.person import Moment, Person, Seen


class Settings(Struct, frozen=True):
    """What a marketer can set; anything else stands in the template as `settings.…`."""

    items: Annotated[int, Meta(ge=0, le=12, description="How many recent products to hand over as `items`.")] = 3


def show(person: Person, settings: Settings, moment: Moment) -> Sequence[Seen]:
    """Return the newest views, as a start: the template has the whole person as well."""
    return person.views[: settings.items]


APP = App(name="custom", title="Custom App", settings=Settings, show=show, always=True)
