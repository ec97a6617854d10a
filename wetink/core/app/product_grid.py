"""Product grid: the settings that most product apps share, and the choice of products for a few places.

The filter is applied before any ranking or limit. If there are too few products, further sources fill the grid in a
declared order: a strict filter leaves places empty only if no source has another match.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from wetink.core.app.app import Shop, Shown
from wetink.core.app.setting import Color
from wetink.core.catalog.trends import DAY
from wetink.core.catalog.trust import refreshed
from wetink.core.events.event import Product
from wetink.core.profile.person import Person, Seen


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The products that may be shown. Empty fields allow any."""

    categories: Annotated[tuple[str, ...], Meta(description="Only these categories.")] = ()
    brands: Annotated[tuple[str, ...], Meta(description="Only these brands.")] = ()
    not_categories: Annotated[tuple[str, ...], Meta(description="None of these categories.")] = ()
    price_from: Annotated[Annotated[float, Meta(ge=0)] | None, Meta(description="Minimum price.")] = None
    price_to: Annotated[Annotated[float, Meta(ge=0)] | None, Meta(description="Maximum price.")] = None
    buyable: Annotated[bool, Meta(description="Only products that are available now.")] = True
    bought: Annotated[bool, Meta(description="Include products that the shopper has bought.")] = True
    skip: Annotated[tuple[str, ...], Meta(description="None of these products.")] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for a price range without prices."""
        if self.price_from is not None and self.price_to is not None and self.price_from > self.price_to:
            raise ValueError(f"price_from is above price_to ({self.price_from:g} and {self.price_to:g})")

    def lets(self, product: Product) -> bool:
        """Return whether a product matches the filter, for any person."""
        if self.buyable and not product.buyable:
            return False
        if product.key in self.skip or _among(product.category, self.not_categories):
            return False
        if (self.categories and not _among(product.category, self.categories)) or (
            self.brands and not _among(product.brand, self.brands)
        ):
            return False
        if self.price_from is None and self.price_to is None:
            return True
        if product.price is None:
            return False
        return (self.price_from or 0) <= product.price and (self.price_to is None or product.price <= self.price_to)


def pick(count: int, sources: Iterable[Iterable[Seen]], only: Filter, person: Person, shop: Shop) -> tuple[Seen, ...]:
    """Return the first `count` different products of the sources, in order, that match the filter.

    Each has its newest data, a name and a URL.
    """
    bought = () if only.bought else tuple(each for order in person.orders for each in order.products)
    picked: list[Seen] = []
    if shop.curation.pinned:
        sources = _pinned_first(sources, shop)
    for source in sources:
        for seen in source:
            if len(picked) == count:
                return tuple(picked)
            product = shop.curation.corrected(refreshed(seen.product, shop.products.get(seen.product.key)))
            if product.key in shop.taken or not (product.name and product.url) or shop.curation.why_hidden(product.key):
                continue
            if not only.lets(product) or any(product.same(each) for each in bought):
                continue
            if not any(product.same(each.product) for each in picked):
                picked.append(replace(seen, product=product))
    return tuple(picked)


def _pinned_first(sources: Iterable[Iterable[Seen]], shop: Shop) -> Iterator[Iterable[Seen]]:
    """Yield the pinned products of all sources, then the sources."""
    whole, pinned = [list(source) for source in sources], shop.curation.pinned
    yield [seen for source in whole for seen in source if seen.product.key in pinned]
    yield from whole


def known(keys: Iterable[str], shop: Shop, at: int = 0) -> Iterable[Seen]:
    """Return the products with these keys that the catalog knows, in order. `at` is Unix ms."""
    return [Seen(shop.products[key], at) for key in keys if key in shop.products]


def _among(value: str, listed: tuple[str, ...]) -> bool:
    """Return whether a category or brand is listed, or below a listed one ("Home" includes "Home > Table")."""
    if not listed:
        return False
    said = _path(value)
    return any(said[: len(wanted)] == wanted for wanted in map(_path, listed))


def _path(value: str) -> list[str]:
    return [part.strip().casefold() for part in value.replace("/", ">").split(">")]


Source = Literal["category", "best_sellers", "viewed", "new"]
"""Popular in the person's favorite categories, best sellers, most viewed, and new products."""
Fill = Annotated[tuple[Source, ...], Meta(description="Sources of more products if there are too few, in this order.")]

CANDIDATES = 240
"""Products taken from each source, so that a strict filter still finds some."""
WINDOW = 30 * DAY


def liked(person: Person) -> list[Seen]:
    """Return the products in a person's cart, wishlist and views."""
    return [*person.cart.lines, *person.wishlist, *person.views]


def liked_keys(person: Person, *_: object) -> list[str]:
    """Return the keys of a person's liked products, as the `wants` of an app that shows some of them."""
    return [seen.product.key for seen in liked(person)]


def bought_since(person: Person, seen: Seen) -> bool:
    """Return whether a person ordered a product after they saw it."""
    for order in person.orders:
        if order.at >= seen.at and any([seen.product.same(each) for each in order.products]):
            return True
    return False


def favorite_categories(person: Person) -> list[str]:
    """Return a person's categories of views, cart and orders, the most liked first: a purchase counts as three views.

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
    """Yield the catalog's products of each source, in order."""
    for source in fill:
        yield known(_keys(source, person, shop, now), shop, now)


def candidates(fill: Sequence[Source], person: Person, shop: Shop, now: int) -> list[str]:
    """Return the keys of all products that `filled` may yield, for an app's `wants`."""
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


TEMPLATE = "shelf.liquid"

Tone = Literal["plain", "sale", "scarce", "fresh"]


class ShelfSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of every product grid."""

    items: Annotated[int, Meta(ge=1, le=6, description="Maximum number of products.")] = 3
    only: Annotated[Filter, Meta(description="Products to include.")] = Filter()
    title: Annotated[str, Meta(max_length=80, description="Headline. Leave empty for the app's default.")] = ""
    accent: Annotated[Color, Meta(description="Accent color.")] = "#3451d1"


class Saying(msgspec.Struct, frozen=True, omit_defaults=True):
    """The words for one product: a badge on its photo, its previous price, a line below, and the level of its bar."""

    badge: str = ""
    tone: Tone = "plain"
    was: float | None = None
    note: str = ""
    left: Annotated[int, Meta(ge=0, le=100)] | None = None
    """Percent; None: no bar."""


def shelf(
    items: Sequence[Seen],
    *,
    head: str,
    button: str,
    why: str,
    hail: str = "",
    say: Callable[[int, Seen], Saying] = lambda index, seen: Saying(),
) -> Shown | None:
    """Return a grid of these products; None without any.

    `head` is the headline, or `hail` with NAME replaced if the first name is known, unless the marketer set a title.
    """
    if not items:
        return None
    says = [msgspec.to_builtins(say(index, seen)) for index, seen in enumerate(items)]
    return Shown(tuple(items), {"head": head, "hail": hail, "button": button, "says": says}, why)
