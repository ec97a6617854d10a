"""Events: a message made uniform, and an event as it stands in the log. Facts that never change once written.

Nothing here can be part of a reference cycle (`gc=False`), so the garbage collector need not look at them.
An open folds all of a person's events and shows a few of their products, so what only some steps of the fold ask for
stays packed (msgpack) in an `Entry` until it is asked for. An entry says whatever its `Event` says, by the same names.
Beside them stand the verdicts on messages, and the closed list of problems, each with its remedy.
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


Verdict = Literal["usable", "unusable", "parked"]
"""`usable`: stored, in the profile, can be targeted. `unusable`: stored and in the profile, but lacks what Signals
needs. `parked`: kept and readable, in no profile."""

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
    # These change nothing about the verdict, unless what cannot be read is needed.
    "unreadable_time": "`{property}` cannot be read as a time{detail}; send ISO 8601, such as 2026-11-23T18:00:00Z",
    "unlikely_time": "`{property}` is before the year 2000 or later than now{detail}; check the sender's clock",
    "not_an_email": "`{property}` must be one email address, such as jane@shop.example",
    "unknown_zone": "`{property}` must be a time zone such as Europe/Berlin, or an offset such as +02:00",
    "not_a_url": "`{property}` must be the URL of a page or a photo, such as https://shop.example/mug",
    "not_products": '`{property}` must be a list of products: [{{"sku": "S-1"}}]',
    "not_a_product": '`{property}` must be a product object: {{"sku": "S-1"}}',
    "not_an_availability": "`{property}` must be in_stock, out_of_stock, preorder or backorder",
    "page_alias": "a browser key cannot join users; send this alias with a server key if `{property}` was a user id",
    "placeholder": "`{property}` is {detail}, a placeholder: send the real value, or leave it out",
    "message_id_too_long": "a `messageId` has at most 100 characters; this one was replaced by its hash",
}
"""Every problem code with its remedy. `detail` and `property` are filled in by `problem`."""


LONGEST_TOLD = 80
"""Characters of a value that a problem tells."""


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a message. `property` is the path that is missing or wrong, as the sender would write it.

    Paths of a track's properties start inside of `properties`: `url`, `products[1].price`.
    """

    code: str
    property: str
    hint: str


def problem(code: str, property: str = "", detail: str = "") -> Problem:
    """Return the problem of this code. Raises KeyError for a code that is not on the list.

    >>> problem("missing_property", "url", "`url`, the product's page").hint
    "send `url`, the product's page"
    """
    return Problem(code, property, HINTS[code].format(property=property, detail=detail))


def placeholder(path: str, value: Any) -> Problem:
    """Return the problem of a value that names nobody and nothing.

    >>> placeholder("userId", "(null)").hint
    "`userId` is '(null)', a placeholder: send the real value, or leave it out"
    """
    return problem("placeholder", path, repr(value)[:LONGEST_TOLD])
