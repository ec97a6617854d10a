"""Recently Searched: products that match the shopper's last search."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from wetink.core.app.app import App, Shop, Shown
from wetink.core.app.product_grid import TEMPLATE, Fill, ShelfSettings, candidates, filled, pick, shelf
from wetink.core.profile.person import Moment, Person, Search, Seen
from wetink.core.units.duration import DAY


class Settings(ShelfSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    days: Annotated[int, Meta(ge=1, le=365, description="Maximum age of a search, in days.")] = 14
    fill: Fill = ("category", "best_sellers", "viewed")


def queries(person: Person, settings: Settings, moment: Moment) -> list[str]:
    """Ask the catalog for the last searches."""
    return [search.query for search in _fresh(person, settings, moment)]


def wants(person: Person, settings: Settings, moment: Moment, shop: Shop) -> list[str]:
    return candidates(settings.fill, person, shop, moment.now)


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the products that match the newest search with results."""
    for search in _fresh(person, settings, moment):
        answers = [Seen(product, search.at) for product in shop.found.get(search.query, ())]
        if not pick(1, (answers,), settings.only, person, shop):
            continue
        sources = (answers, *filled(settings.fill, person, shop, moment.now))
        items = pick(settings.items, sources, settings.only, person, shop)
        head = f"Found: {search.query[:40]}"
        return shelf(items, head=head, button="See all results", why=f"searched for {search.query!r}")
    return None


def _fresh(person: Person, settings: Settings, moment: Moment) -> Iterator[Search]:
    return (search for search in person.searches[:3] if moment.now - search.at < settings.days * DAY)


APP = App(
    name="recently-searched",
    title="Recently Searched",
    about="Products that match the shopper's last search.",
    settings=Settings,
    show=show,
    wants=wants,
    queries=queries,
    template=TEMPLATE,
)
