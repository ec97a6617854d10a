"""Cart: a line is a product and its variant. Small and Large of the same tee are two lines of the cart.

A sender that leaves the variant out does not say which: it means the line without one, else the newest of the product.
"""

from collections.abc import Iterable, Sequence

from wetink.core.event import Product
from wetink.core.person import Seen


def line_of(lines: Sequence[Seen], product: Product) -> int | None:
    """Return the place of the line that this product means, lines being oldest first; None when there is none.

    >>> lines = [Seen(Product(sku="TEE", variant=variant), 0) for variant in ("Small", "Large")]
    >>> [line_of(lines, Product(sku="TEE", variant=variant)) for variant in ("small", "Large", "", "Medium")]
    [0, 1, 1, None]
    """
    places = [place for place, line in enumerate(lines) if line.product.same(product)]
    if not places:
        return None
    for place in reversed(places):
        if named(lines[place].product) == named(product):
            return place
    if not product.variant:
        return places[-1]
    return next((place for place in reversed(places) if not lines[place].product.variant), None)


def left_of(lines: Sequence[Seen], bought: Iterable[Product]) -> list[Seen]:
    """Return the lines that an order of these products leaves in the cart.

    An order takes the variants it names. Where it names none of those in the cart, the shop writes them in another way
    there or the shopper has chosen anew: the product was bought, so all its lines go.
    """
    left = []
    bought = tuple(bought)
    for line in lines:
        same = {named(each) for each in bought if each.same(line.product)}
        there = {named(each.product) for each in lines if each.product.same(line.product)}
        if not same or ("" not in same and line.product.variant and named(line.product) not in same and same & there):
            left.append(line)
    return left


def named(product: Product) -> str:
    """Return the variant of a product as variants are compared."""
    return " ".join(product.variant.split()).casefold()
