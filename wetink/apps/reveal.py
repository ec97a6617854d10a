"""Reveal: a surprise under a cover that goes away after some time, some opens, or a click."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.setting import Color
from wetink.core.profile.person import Moment, Person
from wetink.core.units.duration import parse


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    by: Annotated[
        Literal["wait", "opens", "click"],
        Meta(
            title="Reveal after",
            description="What removes the cover: time since the first open, a number of opens, or a click.",
        ),
    ] = "wait"
    opens: Annotated[
        int, Meta(ge=2, le=20, title="Opens to reveal", description="Opens until the cover goes, with `by: opens`.")
    ] = 2
    wait: Annotated[
        str,
        Meta(
            pattern=r"^[1-9]\d{0,3}[smhdw]$",
            description="Time from the first open until the cover goes, such as 5m or 1d.",
        ),
    ] = "5m"
    cover: Annotated[str, Meta(max_length=60, description="Text on the cover.")] = "A surprise for you"
    hint: Annotated[str, Meta(max_length=80, description="How to reveal it.")] = "Open this email again to see it"
    prize: Annotated[str, Meta(max_length=60, description="Text under the cover.")] = "15% off your next order"
    code: Annotated[str, Meta(max_length=24, description="Code below it. Leave empty for none.")] = ""
    button: Annotated[str, Meta(max_length=30, description="Button text.")] = "Use it now"
    promise: Annotated[
        str,
        Meta(
            max_length=40,
            title="Name",
            description="Name of this surprise. It stays revealed; a new name covers it again.",
        ),
    ] = "first"
    accent: Annotated[Color, Meta(description="Color of the cover and the button.")] = "#3451d1"


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the cover first, and then the surprise, as `by` says.

    Opens count once a minute. Opens by machines do not count.
    """
    first = shop.promised.get(settings.promise)
    first = first if isinstance(first, int) else moment.now
    if settings.by == "wait":
        revealed = moment.now - first >= parse(settings.wait)
        because = f"first opened {(moment.now - first) // 1000} s ago"
    elif settings.by == "opens":
        revealed = shop.opened + 1 >= settings.opens
        because = f"open number {shop.opened + 1}"
    else:
        revealed = shop.clicked > 0
        because = f"clicked {shop.clicked} times"
    why = f"{because}: {'revealed' if revealed else 'covered'}"
    return Shown(facts={"revealed": revealed}, why=why, promise={settings.promise: first})


APP = App(
    name="reveal",
    title="Reveal",
    about="A surprise under a cover that goes when the reader opens the email again.",
    settings=Settings,
    show=show,
    template="reveal.liquid",
    promises=True,
    contacts=True,
)
