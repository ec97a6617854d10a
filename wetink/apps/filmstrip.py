"""Filmstrip: an animated picture that shows one product after another."""

from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import Filter, ShelfSettings, Source, candidates, filled, pick
from wetink.core.profile.person import Moment, Person


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    items: Annotated[int, Meta(ge=2, le=8, description="Number of products.")] = 5
    seconds: Annotated[float, Meta(ge=0.5, le=10, description="Seconds for each product.")] = 1.8
    loop: Annotated[bool, Meta(description="Repeat. Otherwise the animation stops at the last product.")] = True
    only: Annotated[Filter, Meta(description="Products to include.")] = Filter()
    fill: Annotated[tuple[Source, ...], Meta(description="Sources of products, in this order.")] = (
        "new", "category", "best_sellers",
    )  # fmt: skip


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    return candidates(settings.fill, person, shop, moment.now)


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show each product for a while. A still picture shows the first, with small pictures of the others below.

    A click leads to the first.
    """
    items = pick(settings.items, filled(settings.fill, person, shop, moment.now), settings.only, person, shop)
    if len(items) < 2:
        return None
    facts = {
        "head": settings.title or "Just in",
        "frames": len(items),
        "frame_ms": round(settings.seconds * 1000),
        "loop": settings.loop,
    }
    return Shown(items, facts, f"{len(items)} products from {', '.join(settings.fill)}")


APP = App(
    name="filmstrip",
    title="Filmstrip",
    about="An animated picture that shows one product after another.",
    settings=Settings,
    show=show,
    wants=wants,
    template="filmstrip.liquid",
    moves="film",
)
