"""Pick: which of many products fill the few places of a picture.

A filter is applied before anything is ranked or cut off, and what then is missing is filled up from further sources in
a declared order: a strict filter never leaves a grid half empty while there is anything left that it lets through.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from wetink.core.app.app_inputs import Shop
from wetink.core.catalog.trust import refreshed
from wetink.core.events.event import Product
from wetink.core.profile.person import Person, Seen


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which products may be shown. Empty: any."""

    categories: Annotated[tuple[str, ...], Meta(description="Only these categories.")] = ()
    brands: Annotated[tuple[str, ...], Meta(description="Only these brands.")] = ()
    not_categories: Annotated[tuple[str, ...], Meta(description="None of these categories.")] = ()
    price_from: Annotated[Annotated[float, Meta(ge=0)] | None, Meta(description="Minimum price.")] = None
    price_to: Annotated[Annotated[float, Meta(ge=0)] | None, Meta(description="Maximum price.")] = None
    buyable: Annotated[bool, Meta(description="Only products that are available now.")] = True
    bought: Annotated[bool, Meta(description="Include products that the shopper has bought.")] = True
    skip: Annotated[tuple[str, ...], Meta(description="None of these products.")] = ()

    def __post_init__(self) -> None:
        """Refuse prices that nothing can have."""
        if self.price_from is not None and self.price_to is not None and self.price_from > self.price_to:
            raise ValueError(f"price_from is above price_to ({self.price_from:g} and {self.price_to:g})")

    def lets(self, product: Product) -> bool:
        """Whether a product may be shown, whoever looks."""
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


def pick(
    count: int, sources: Iterable[Iterable[Seen]], only: Filter, person: Person, shop: Shop, *, showable: bool = True
) -> tuple[Seen, ...]:
    """Return the first `count` products of the sources, in order, that the filter lets through; none of them twice.

    Each stands with its newest facts. With `showable` a product needs a name and an address to be picked.
    """
    bought = () if only.bought else tuple(each for order in person.orders for each in order.products)
    picked: list[Seen] = []
    for source in sources:
        for seen in source:
            if len(picked) == count:
                return tuple(picked)
            product = refreshed(seen.product, shop.products.get(seen.product.key))
            if product.key in shop.taken or (showable and not (product.name and product.url)):
                continue
            if not only.lets(product) or any(product.same(each) for each in bought):
                continue
            if not any(product.same(each.product) for each in picked):
                picked.append(replace(seen, product=product))
    return tuple(picked)


def known(keys: Iterable[str], shop: Shop, at: int = 0) -> Iterable[Seen]:
    """Return the products of these keys that the catalog knows, in order. `at` is Unix ms."""
    return [Seen(shop.products[key], at) for key in keys if key in shop.products]


def _among(value: str, listed: tuple[str, ...]) -> bool:
    """Whether a category or brand is one of those listed, or below one of them ("Home" has "Home > Table")."""
    if not listed:
        return False
    said = _path(value)
    return any(said[: len(wanted)] == wanted for wanted in map(_path, listed))


def _path(value: str) -> list[str]:
    return [part.strip().casefold() for part in value.replace("/", ">").split(">")]
