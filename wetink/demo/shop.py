"""Shop: Tidewick, an invented brand, and everything it sells."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

BRAND = "Tidewick"
CLAIM = "Quiet things for home and weather"
CURRENCY = "USD"


class Item(msgspec.Struct, frozen=True):
    """A product; `price` is in dollars. A search finds it by its `kind`, which its name need not mention."""

    sku: str
    name: str
    price: float
    category: str
    kind: str
    text: str

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"/demo/shop/products/{self.sku}"

    @property
    def photo(self) -> str:
        """Where its picture is."""
        return f"/demo/photos/{self.sku}.jpg"


CATEGORIES: Mapping[str, str] = {
    "table": "Table",
    "light": "Light",
    "rest": "Rest",
    "cloth": "Cloth",
    "green": "Green",
    "trail": "Trail",
}
"""Categories by the word in their address, in the order of the shop's menu."""

ITEMS: tuple[Item, ...] = (
    # Table
    Item("TW-101", "Harbor Mug", 24.0, "table", "mug", "Stoneware, dipped by hand."),
    Item("TW-102", "Ember Mug", 24.0, "table", "mug", "Warm terracotta, 12 oz."),
    Item("TW-103", "Low Tide Teapot", 68.0, "table", "teapot", "Brews for four."),
    Item("TW-104", "Kiln Teapot", 72.0, "table", "teapot", "Matte black, oak lid."),
    Item("TW-105", "Shoal Bowl", 32.0, "table", "bowl", "For soup, or for keys."),
    Item("TW-106", "Dune Bowl", 32.0, "table", "bowl", "Sand glaze, deep and wide."),
    Item("TW-107", "Rill Carafe", 46.0, "table", "carafe", "Recycled glass and cork."),
    # Light
    Item("TW-201", "Moth Table Lamp", 129.0, "light", "lamp", "Linen over ash."),
    Item("TW-202", "Dusk Table Lamp", 139.0, "light", "lamp", "Glows like late sun."),
    Item("TW-203", "Bell Pendant", 158.0, "light", "pendant", "Spun steel, brass within."),
    Item("TW-204", "Chalk Pendant", 148.0, "light", "pendant", "Plaster white, softly lit."),
    Item("TW-205", "Keeper Lantern", 84.0, "light", "lantern", "Burns for 40 hours."),
    Item("TW-206", "Fir Candle", 28.0, "light", "candle", "Fir, smoke, orange peel."),
    Item("TW-207", "Salt Candle", 28.0, "light", "candle", "Sea salt and driftwood."),
    # Rest
    Item("TW-301", "Wren Chair", 289.0, "rest", "chair", "Solid ash, paper-cord seat."),
    Item("TW-302", "Ink Wren Chair", 299.0, "rest", "chair", "The same, stained ink."),
    Item("TW-303", "Heron Armchair", 749.0, "rest", "armchair", "Wool bouclé, deep seat."),
    Item("TW-304", "Fox Armchair", 749.0, "rest", "armchair", "Rust wool, walnut feet."),
    Item("TW-305", "Milking Stool", 119.0, "rest", "stool", "Three legs never wobble."),
    Item("TW-306", "Pond Stool", 124.0, "rest", "stool", "A painted seat on oak."),
    # Cloth
    Item("TW-401", "Fog Blanket", 118.0, "cloth", "blanket", "Lambswool, made to last."),
    Item("TW-402", "Rowan Blanket", 118.0, "cloth", "blanket", "Lambswool in berry red."),
    Item("TW-403", "Moss Blanket", 124.0, "cloth", "blanket", "A picnic's best friend."),
    Item("TW-404", "Drift Cushion", 48.0, "cloth", "cushion", "Washed linen, down fill."),
    Item("TW-405", "Saffron Cushion", 48.0, "cloth", "cushion", "One bright thing."),
    Item("TW-406", "Plum Cushion", 52.0, "cloth", "cushion", "Velvet on one side."),
    # Green
    Item("TW-501", "Fig in Clay", 64.0, "green", "plant", "A young fiddle-leaf fig."),
    Item("TW-502", "Snake Plant", 42.0, "green", "sansevieria", "Thrives on neglect."),
    Item("TW-503", "Pothos, Hanging", 38.0, "green", "hanging", "Trails by the window."),
    Item("TW-504", "Reed Vase", 54.0, "green", "vase", "With a bunch of dried reed."),
    Item("TW-505", "Inkwell Vase", 58.0, "green", "vase", "Blue-black and narrow."),
    Item("TW-506", "Garden Can", 56.0, "green", "can", "Holds two liters, pours one drop."),
    Item("TW-507", "Copper Can", 72.0, "green", "can", "Grows more handsome."),
    # Trail
    Item("TW-601", "Ridge Backpack", 148.0, "trail", "backpack", "22 liters, waxed canvas."),
    Item("TW-602", "Ochre Backpack", 148.0, "trail", "backpack", "Seen from across a moor."),
    Item("TW-603", "Tarn Bottle", 34.0, "trail", "bottle", "Cold for a day, hot for half."),
    Item("TW-604", "Clay Bottle", 34.0, "trail", "bottle", "The same in red clay."),
    Item("TW-605", "Market Tote", 39.0, "trail", "tote", "Heavy canvas, long straps."),
    Item("TW-606", "Lee Tent", 389.0, "trail", "tent", "Two sleepers, one storm."),
    Item("TW-607", "Camp Enamel Mug", 19.0, "trail", "enamel", "Chips with dignity."),
)

BY_SKU: Mapping[str, Item] = {item.sku: item for item in ITEMS}


def product(item: Item, base_url: str, quantity: int = 1) -> dict[str, Any]:
    """Return the product object of the Segment ecommerce spec for an item of the shop at `base_url`."""
    return {
        "product_id": item.sku,
        "sku": item.sku,
        "name": item.name,
        "brand": BRAND,
        "category": CATEGORIES[item.category],
        "price": item.price,
        "currency": CURRENCY,
        "quantity": quantity,
        "url": base_url + item.path,
        "image_url": base_url + item.photo,
    }


def found(query: str) -> list[Item]:
    """Return the items that have every word of `query` in their name, text, category or kind.

    >>> [item.name for item in found("black teapot")]
    ['Kiln Teapot']
    """
    words = query.lower().split()
    return [
        item
        for item in ITEMS
        if all(word in f"{item.name} {item.text} {CATEGORIES[item.category]} {item.kind}".lower() for word in words)
    ]


def account(address: str) -> str:
    """Return the user id the shop's own customer records have for an address: the same address, the same account.

    >>> account("Jane@Mercer.example") == account("jane@mercer.example")
    True
    """
    return "tw-" + hashlib.blake2b(address.strip().lower().encode(), digest_size=5).hexdigest()
