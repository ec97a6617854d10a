"""Shelf: products side by side, and what an app says of each. The form that most product apps share."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wetink.core.app.app import Shown
from wetink.core.app.pick import Filter
from wetink.core.app.setting import Color
from wetink.core.profile.person import Seen

TEMPLATE = "shelf.liquid"

Tone = Literal["plain", "sale", "scarce", "fresh"]


class ShelfSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What can be set of every shelf."""

    items: Annotated[int, Meta(ge=1, le=6, description="Maximum number of products.")] = 3
    only: Annotated[Filter, Meta(description="Products to include.")] = Filter()
    title: Annotated[str, Meta(max_length=80, description="Headline. Leave empty for the app's default.")] = ""
    accent: Annotated[Color, Meta(description="Accent color.")] = "#3451d1"


class Saying(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is said of one product: a badge on its photo, its price before, a line below, and how full its bar is."""

    badge: str = ""
    tone: Tone = "plain"
    was: float | None = None
    note: str = ""
    left: Annotated[int, Meta(ge=0, le=100)] | None = None
    """Percent; None: there is no bar."""


def shelf(
    items: Sequence[Seen],
    *,
    head: str,
    button: str,
    why: str,
    hail: str = "",
    say: Callable[[int, Seen], Saying] = lambda index, seen: Saying(),
) -> Shown | None:
    """Return a shelf of these products, None without any.

    `head` stands above, or `hail` with NAME replaced where a first name is known, unless the marketer set a title.
    """
    if not items:
        return None
    says = [msgspec.to_builtins(say(index, seen)) for index, seen in enumerate(items)]
    return Shown(tuple(items), {"head": head, "hail": hail, "button": button, "says": says}, why)
