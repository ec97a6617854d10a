"""Live Feed: the newest entries of a feed, such as a blog's, with their pictures."""

from typing import Annotated

from msgspec import Meta, Struct

from wetink.core.app.app import App, Sample, Shop, Shown
from wetink.core.app.setting import Color
from wetink.core.outbound.feed import reached
from wetink.core.profile.person import Moment, Person
from wetink.core.text.url import read

LONGEST = 200


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    feed: Annotated[str, Meta(description="Name of the feed's file in feeds/.")] = "news"
    items: Annotated[int, Meta(ge=1, le=4, description="Maximum number of entries.")] = 3
    heading: Annotated[str, Meta(max_length=80, description="Headline.")] = "From our journal"
    title: Annotated[str, Meta(description="Field with an entry's title.")] = "title"
    link: Annotated[str, Meta(description="Field with an entry's link.")] = "link"
    image: Annotated[str, Meta(description="Field with an entry's picture.")] = "image"
    note: Annotated[str, Meta(description="Field with a line below the title, such as the author.")] = "author"
    accent: Annotated[Color, Meta(description="Accent color.")] = "#3451d1"


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the first entries that have a title. A click leads to the first one."""
    data = shop.feed(settings.feed)
    entries = []
    for item in data.items:
        said = {name: _text(reached(item, getattr(settings, name))) for name in ("title", "link", "image", "note")}
        said["link"], said["image"] = read(said["link"]), read(said["image"])
        if said["title"]:
            entries.append(said)
        if len(entries) == settings.items:
            break
    if not entries:
        return None
    photos = [entry["image"] for entry in entries if entry["image"]]
    facts = {"entries": entries, "heading": settings.heading, "photos": photos}
    return Shown(facts=facts, why=f"feed {settings.feed} is {data.state}", link=entries[0]["link"])


def _text(value: object) -> str:
    return str(value).strip()[:LONGEST] if isinstance(value, str | int | float) else ""


APP = App(
    name="live-feed",
    title="Live Feed",
    about="The newest entries of a feed, such as a blog's, with their pictures.",
    settings=Settings,
    show=show,
    feeds=lambda settings: (settings.feed,),
    template="live_feed.liquid",
    sample=Sample(
        feeds={
            "news": (
                {"title": "How a teapot learns to pour", "author": "Mara, potter", "link": "https://shop.sample.invalid/journal/1",
                 "image": "https://photos.sample.invalid/TW-103.jpg"},
                {"title": "Five evenings by lantern light", "author": "Jonas, on the road", "link": "https://shop.sample.invalid/journal/2",
                 "image": "https://photos.sample.invalid/TW-205.jpg"},
                {"title": "A chair that outlives its maker", "author": "Ida, joiner", "link": "https://shop.sample.invalid/journal/3",
                 "image": "https://photos.sample.invalid/TW-301.jpg"},
            )
        }
    ),
)  # fmt: skip
