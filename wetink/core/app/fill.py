"""Fill: where products come from when what an app itself knows of is not enough, in an order the marketer declares."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from wetink.core.app.app_inputs import Shop
from wetink.core.app.pick import known
from wetink.core.catalog.trends import DAY
from wetink.core.profile.person import Person, Seen

Source = Literal["category", "best_sellers", "viewed", "new"]
"""Popular in the person's favorite categories; what sells best; what is looked at most; what is new."""

CANDIDATES = 240
"""Products that are looked at from each source, so that a strict filter still finds some."""
WINDOW = 30 * DAY


def favorite_categories(person: Person) -> list[str]:
    """Return the categories somebody looked at and bought from, the most liked first: a purchase counts three views.

    >>> from wetink.core.events.event import Product
    >>> favorite_categories(Person(views=(Seen(Product(sku="A", category="Lamps"), 1),)))
    ['Lamps']
    """
    liked: Counter[str] = Counter()
    for rank, seen in enumerate(person.views):
        liked[seen.product.category] += 20 if rank < 5 else 10
    for line in person.cart.lines:
        liked[line.product.category] += 20
    for order in person.orders:
        for product in order.products:
            liked[product.category] += 30
    return [category for category, _ in liked.most_common() if category]


def filled(fill: Sequence[Source], person: Person, shop: Shop, now: int) -> Iterator[Iterable[Seen]]:
    """Yield the products of each source in turn, as the catalog knows them."""
    for source in fill:
        yield known(_keys(source, person, shop, now), shop, now)


def candidates(fill: Sequence[Source], person: Person, shop: Shop, now: int) -> list[str]:
    """Return the keys of all that `filled` may yield: what an app is to want."""
    return [key for source in fill for key in _keys(source, person, shop, now)]


def _keys(source: Source, person: Person, shop: Shop, now: int) -> list[str]:
    trends = shop.trends
    if source == "category":
        return [
            ranked.key
            for category in favorite_categories(person)[:3]
            for ranked in trends.popular("viewed", WINDOW, now, category=category)[: CANDIDATES // 3]
        ]
    if source == "new":
        return [
            key
            for category in favorite_categories(person)[:3]
            for key in trends.arrivals(category, now - WINDOW)[: CANDIDATES // 3]
        ]
    measure: Literal["bought", "viewed"] = "bought" if source == "best_sellers" else "viewed"
    return [ranked.key for ranked in trends.popular(measure, WINDOW, now)[:CANDIDATES]]
