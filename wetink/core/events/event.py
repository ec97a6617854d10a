"""Events: a normalized message, and an event as stored in the log. They never change once written.

Nothing here can be part of a reference cycle (`gc=False`), so the garbage collector skips these objects. An open folds
all events of a person and shows a few of their products. Parts that only some steps of the fold need therefore stay
packed (msgpack) in an `Entry` until they are used. An `Entry` has the fields of its `Event` by the same names. This
module also has the verdicts on messages, and the closed list of problems, each with its remedy.
"""

from typing import Any, Literal

import msgspec

MessageType = Literal["track", "identify", "page", "screen", "group", "alias"]
Level = Literal["server", "browser", "verified"]
"""The trust in an event, by its key: a server's key, a browser's key, which is public, or a browser's key with a proof
of the user id (see `core.identity.user_hash`). That proof gives a server's trust in identity and traits."""


class Product(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One product in one event. An empty string or None means that the event has no such value.

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
    """Negative for removed pieces. A fraction for goods sold by weight."""
    category: str = ""
    brand: str = ""
    variant: str = ""
    coupon: str = ""
    position: int | None = None
    list_price: float | None = None
    """The price without a reduction."""
    availability: str = ""
    """`in_stock`, `out_of_stock`, `preorder` or `backorder`, as in Google Merchant's product data."""
    stock: int | None = None

    @property
    def key(self) -> str:
        """The product's identifier: its sku, else its product id."""
        return self.sku or self.product_id

    @property
    def buyable(self) -> bool:
        """Whether the product can be bought, as far as known."""
        return self.availability != "out_of_stock" and self.stock != 0

    def same(self, other: "Product") -> bool:
        """Return whether both are the same thing to put in a cart.

        If both have a sku, it decides; otherwise the product ids must be equal.

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
    """The order's ids and amounts, in Checkout Started and the Order events."""

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
    """One event, normalized.

    `at` is Unix milliseconds by the corrected client clock. `name` is the canonical event name of a track ("Product
    Viewed", or the sender's own name for a custom event), the page's name for page and screen, else empty.
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
    """Other properties of a track, page or screen, as received."""
    traits: dict[str, Any] = {}
    """Traits of an identify, or of `context.traits`. None unsets a trait."""
    zone: str = ""
    """The time zone of the event, as `wetink.core.units.zone` names it."""

    @property
    def label(self) -> str:
        """The event's name in a list: that of a track, else the message type."""
        return self.name if self.type == "track" and self.name else self.type

    @property
    def product_count(self) -> int:
        """The number of products."""
        return len(self.products)


NOTHING = msgspec.Raw()

_products = msgspec.msgpack.Decoder(tuple[Product, ...]).decode
_order = msgspec.msgpack.Decoder(Order | None).decode
_properties = msgspec.msgpack.Decoder(dict[str, Any]).decode


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event of the log. It has the fields of `Event`; packed ones are properties."""

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
        """The products, decoded on each access."""
        return _products(self.packed_products) if self.packed_products else ()

    @property
    def product_count(self) -> int:
        """The number of products, read from the header of the packed list."""
        packed = memoryview(self.packed_products)
        if not packed:
            return 0
        if packed[0] < 0xDC:
            return packed[0] & 0x0F
        return int.from_bytes(packed[1 : 3 if packed[0] == 0xDC else 5], "big")

    @property
    def order(self) -> Order | None:
        """The order's ids and amounts, as in `Event`."""
        return _order(self.packed_order) if self.packed_order else None

    @property
    def properties(self) -> dict[str, Any]:
        """Other properties, as in `Event`."""
        return _properties(self.packed_properties) if self.packed_properties else {}


Verdict = Literal["usable", "unusable", "parked"]
"""`usable`: stored, in the profile, can be targeted. `unusable`: stored and in the profile, but without data that
Signals needs. `parked`: stored and readable, in no profile."""

HINTS: dict[str, str] = {
    # These park a message.
    "not_an_object": 'a message is a JSON object: {{"type": "track", …}}',
    "unreadable": "this message's JSON cannot be read: {detail}",
    "too_deep": "nest objects and arrays at most {detail} deep",
    "too_large": "a message may have {detail} bytes; send less in it",
    "too_many": "a request may carry {detail} messages; split the batch",
    "shared_too_large": "a batch's `context` is copied into each message, {detail} bytes in all; send less in it",
    "unknown_type": "`type` is one of track, identify, page, screen, group, alias",
    "no_identifier": "send a `userId` or an `anonymousId` that names somebody{detail}",
    "not_meant_for_here": "`integrations` switches wetink off{detail}; leave it out or send `true` to have it used",
    "no_event_name": "a track needs its name in `event`, a string that is not empty",
    # These leave it in the profile, but unusable.
    "missing_property": "send {detail}",
    "wrong_user_hash": (
        "`{property}` is not the HMAC-SHA256 of `userId` with this source's secret; this message identifies nobody"
    ),
    "no_user_hash": ("this source identifies nobody without `{property}`, the HMAC-SHA256 of `userId` with its secret"),
    "not_a_number": "`{property}` must be a number such as 9.5, without words",
    "ambiguous_number": "`{property}` can be read in two ways; send a number such as 1299 or 1.299, or a `currency`",
    "other_currency": "`{property}` names another currency than the `currency` beside it; send both in one currency",
    # These do not affect the verdict, unless the unreadable value is needed.
    "unreadable_time": "`{property}` cannot be read as a time{detail}; send ISO 8601, such as 2026-11-23T18:00:00Z",
    "unlikely_time": "`{property}` is before the year 2000 or later than now{detail}; check the sender's clock",
    "not_an_email": "`{property}` must be one email address, such as jane@shop.example",
    "unknown_zone": "`{property}` must be a time zone such as Europe/Berlin, or an offset such as +02:00",
    "not_a_url": "`{property}` must be the URL of a page or a photo, such as https://shop.example/mug",
    "not_products": '`{property}` must be a list of products: [{{"sku": "S-1"}}]',
    "not_a_product": '`{property}` must be a product object: {{"sku": "S-1"}}',
    "not_a_text": "`{property}` must be a number, or a text of up to 4,096 characters",
    "not_an_availability": "`{property}` must be in_stock, out_of_stock, preorder or backorder",
    "page_alias": "a browser key cannot join users; send this alias with a server key if `{property}` was a user id",
    "placeholder": "`{property}` is {detail}, a placeholder: send the real value, or leave it out",
    "message_id_too_long": "a `messageId` has at most 100 characters; this one was replaced by its hash",
}
"""The remedy for each problem code. `problem` fills in `detail` and `property`."""


LONGEST_TOLD = 80
"""Characters of a value that a problem quotes."""


class Problem(msgspec.Struct, frozen=True):
    """One problem of a message. `property` is the path of the missing or wrong value, as the sender would write it.

    Paths of a track's properties start inside of `properties`: `url`, `products[1].price`.
    """

    code: str
    property: str
    hint: str


def problem(code: str, property: str = "", detail: str = "") -> Problem:
    """Return the problem of this code. Raises KeyError for an unknown code.

    >>> problem("missing_property", "url", "`url`, the product's page").hint
    "send `url`, the product's page"
    """
    return Problem(code, property, HINTS[code].format(property=property, detail=detail))


def placeholder(path: str, value: Any) -> Problem:
    """Return the problem of a placeholder value.

    >>> placeholder("userId", "(null)").hint
    "`userId` is '(null)', a placeholder: send the real value, or leave it out"
    """
    return problem("placeholder", path, repr(value)[:LONGEST_TOLD])
