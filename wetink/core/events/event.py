"""Events: a message made uniform, and an event as it stands in the log. Facts that never change once written.

Nothing here can be part of a reference cycle (`gc=False`), so the garbage collector need not look at them.
An open folds all of a person's events and shows a few of their products, so what only some steps of the fold ask for
stays packed (msgpack) in an `Entry` until it is asked for. An entry says whatever its `Event` says, by the same names.
"""

from typing import Any, Literal

import msgspec

MessageType = Literal["track", "identify", "page", "screen", "group", "alias"]
Level = Literal["server", "browser", "verified"]
"""How far what is told is trusted: a server's key, a browser's key, which is public, or a browser's key with the proof
of the user id (see `core.proof`), which is trusted as a server's in who somebody is and what their traits are."""


class Product(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What one event said of one product. Empty string or None: it said nothing.

    Source: Segment Ecommerce spec v2, the product object.
    """

    product_id: str = ""
    sku: str = ""
    name: str = ""
    url: str = ""
    image_url: str = ""
    price: float | None = None
    currency: str = ""
    quantity: int | float = 1
    """Negative: taken away. A fraction: of what is weighed."""
    category: str = ""
    brand: str = ""
    variant: str = ""
    coupon: str = ""
    position: int | None = None
    list_price: float | None = None
    """What it costs when it is not reduced."""
    availability: str = ""
    """`in_stock`, `out_of_stock`, `preorder` or `backorder`, as Google Merchant's products say it."""
    stock: int | None = None

    @property
    def key(self) -> str:
        """The name this product is remembered by: its sku, else its product id."""
        return self.sku or self.product_id

    @property
    def buyable(self) -> bool:
        """Whether nothing says that it cannot be bought right now."""
        return self.availability != "out_of_stock" and self.stock != 0

    def same(self, other: "Product") -> bool:
        """Whether both are the same thing to put in a cart.

        Equal skus decide where both have one; else equal product ids.

        >>> Product(sku="S", product_id="P").same(Product(product_id="P"))
        True
        >>> Product(sku="S", product_id="P").same(Product(sku="T", product_id="P"))
        False
        """
        if self.sku and other.sku:
            return self.sku == other.sku
        if self.product_id and other.product_id:
            return self.product_id == other.product_id
        return False


class Order(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The money side of Checkout Started and the Order events."""

    order_id: str = ""
    checkout_id: str = ""
    affiliation: str = ""
    total: float | None = None
    subtotal: float | None = None
    revenue: float | None = None
    value: float | None = None
    shipping: float | None = None
    tax: float | None = None
    discount: float | None = None
    coupon: str = ""
    currency: str = ""


class Event(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing that happened, in wetink's own words.

    `at` is Unix milliseconds, the client's clock corrected. `name` is the canonical event name of a track
    ("Product Viewed", or the sender's own name for a custom event), the page's name for page and screen, else empty.
    """

    type: MessageType
    at: int
    message_id: str
    source: str
    name: str = ""
    level: Level = "server"
    usable: bool = True
    user: str = ""
    email: str = ""
    anonymous: str = ""
    products: tuple[Product, ...] = ()
    order: Order | None = None
    query: str = ""
    properties: dict[str, Any] = {}
    """What else was sent with a track, page or screen, as it came, without what has a field above."""
    traits: dict[str, Any] = {}
    """Traits of an identify, or of `context.traits`; a None value unsets."""
    zone: str = ""
    """The time zone of where it happened, as `wetink.core.units.zone` names it."""

    @property
    def label(self) -> str:
        """What to call this event in a list: the name of a track, else the message type."""
        return self.name if self.type == "track" and self.name else self.type

    @property
    def product_count(self) -> int:
        """How many products it names."""
        return len(self.products)


NOTHING = msgspec.Raw()

_products = msgspec.msgpack.Decoder(tuple[Product, ...]).decode
_order = msgspec.msgpack.Decoder(Order | None).decode
_properties = msgspec.msgpack.Decoder(dict[str, Any]).decode


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event of the log. The fields are `Event`'s; those that are packed have a property."""

    at: int
    message_id: str
    source: str
    type: str
    name: str = ""
    level: str = "server"
    usable: bool = True
    query: str = ""
    traits: dict[str, Any] | None = None
    zone: str = ""
    packed_products: msgspec.Raw = msgspec.field(default=NOTHING, name="products")
    packed_order: msgspec.Raw = msgspec.field(default=NOTHING, name="order")
    packed_properties: msgspec.Raw = msgspec.field(default=NOTHING, name="properties")

    @property
    def products(self) -> tuple[Product, ...]:
        """The products it names, read anew each time."""
        return _products(self.packed_products) if self.packed_products else ()

    @property
    def product_count(self) -> int:
        """How many products it names, told by the head of the packed list alone."""
        packed = memoryview(self.packed_products)
        if not packed:
            return 0
        if packed[0] < 0xDC:
            return packed[0] & 0x0F
        return int.from_bytes(packed[1 : 3 if packed[0] == 0xDC else 5], "big")

    @property
    def order(self) -> Order | None:
        """The money side, as an Order event has it."""
        return _order(self.packed_order) if self.packed_order else None

    @property
    def properties(self) -> dict[str, Any]:
        """What else was sent with it."""
        return _properties(self.packed_properties) if self.packed_properties else {}
