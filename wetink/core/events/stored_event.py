"""Entry: an event as it stands in the log, read as far as a fold looks at every one of them.

An open folds all of a person's events and shows a few of their products, so what only some steps of the fold ask for
stays packed (msgpack) until it is asked for. An entry says whatever its `Event` says, under the same names.
"""

from typing import Any

import msgspec

from wetink.core.events.event import Order, Product

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
