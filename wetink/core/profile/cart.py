"""Cart: a line is a product and its variant. Small and Large of the same tee are two lines of the cart.

A sender that leaves the variant out does not say which: it means the line without one, else the newest of the product.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from wetink.core.events.event import Product
from wetink.core.profile.person import Seen


def line_of(lines: Sequence[Seen], product: Product) -> int | None:
    """Return the place of the line that this product means, lines being oldest first; None when there is none.

    >>> lines = [Seen(Product(sku="TEE", variant=variant), 0) for variant in ("Small", "Large")]
    >>> [line_of(lines, Product(sku="TEE", variant=variant)) for variant in ("small", "Large", "", "Medium")]
    [0, 1, 1, None]
    """
    sku, product_id = product.sku, product.product_id
    places = []
    for place, line in enumerate(lines):  # `Product.same`, without a call for each line
        its = line.product
        if sku == its.sku if sku and its.sku else product_id and product_id == its.product_id:
            places.append(place)
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
    taken, there = _Variants(bought), _Variants(line.product for line in lines)
    left = []
    for line in lines:
        product = line.product
        same = taken.of(product)
        if not same or (
            product.variant and "" not in same and named(product) not in same and not same.isdisjoint(there.of(product))
        ):
            left.append(line)
    return left


class _Variants:
    """The variants of products, found by whatever is the same product: an order may name as many as a cart has."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._by_sku: dict[str, set[str]] = {}
        self._by_id: dict[str, set[str]] = {}
        self._by_id_alone: dict[str, set[str]] = {}  # of those without a sku
        self._found: dict[tuple[str, str], AbstractSet[str]] = {}
        for each in products:
            variant = named(each)
            if each.sku:
                self._by_sku.setdefault(each.sku, set()).add(variant)
            elif each.product_id:
                self._by_id_alone.setdefault(each.product_id, set()).add(variant)
            if each.product_id:
                self._by_id.setdefault(each.product_id, set()).add(variant)

    def of(self, product: Product) -> AbstractSet[str]:
        """Return the variants of those that are the same as this one."""
        thing = product.sku, product.product_id
        found = self._found.get(thing)
        if found is None:
            if not product.sku:
                found = self._by_id.get(product.product_id, _NONE)
            else:
                found = self._by_sku.get(product.sku, _NONE) | self._by_id_alone.get(product.product_id, _NONE)
            self._found[thing] = found
        return found


_NONE: frozenset[str] = frozenset()


def named(product: Product) -> str:
    """Return the variant of a product as variants are compared."""
    return " ".join(product.variant.split()).casefold()
