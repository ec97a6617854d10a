"""Shop: Tidewick, an invented brand, and everything it sells."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

BRAND = "Tidewick"
CLAIM = "Quiet things for home and weather"
CURRENCY = "USD"


class Item(msgspec.Struct, frozen=True):
    """A product. `shape` and `colors` (main, accent, backdrop) say how its picture is drawn; `price` is in dollars."""

    sku: str
    name: str
    price: float
    category: str
    shape: str
    colors: str
    text: str

    @property
    def palette(self) -> tuple[str, str, str]:
        """The colors, as Pillow writes them."""
        main, accent, backdrop = (f"#{color}" for color in self.colors.split())
        return main, accent, backdrop

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
    Item("TW-101", "Harbor Mug", 24.0, "table", "mug", "2f5d62 e8dccb dfe6e0", "Stoneware, dipped by hand."),
    Item("TW-102", "Ember Mug", 24.0, "table", "mug", "c4623f f3e3d0 f0dfd2", "Warm terracotta, 12 oz."),
    Item("TW-103", "Low Tide Teapot", 68.0, "table", "teapot", "7d8f83 c9a66b e6e4d9", "Brews for four."),
    Item("TW-104", "Kiln Teapot", 72.0, "table", "teapot", "3a3f47 c78f5a d9d4cc", "Matte black, oak lid."),
    Item("TW-105", "Shoal Bowl", 32.0, "table", "bowl", "e9e1d1 6c8794 cfdadd", "For soup, or for keys."),
    Item("TW-106", "Dune Bowl", 32.0, "table", "bowl", "d8a873 f7efe2 efe3d3", "Sand glaze, deep and wide."),
    Item("TW-107", "Rill Carafe", 46.0, "table", "carafe", "8fb3b5 c9986a e3ebe9", "Recycled glass and cork."),
    # Light
    Item("TW-201", "Moth Table Lamp", 129.0, "light", "lamp", "e9dcc4 8a5f3c d6cfc4", "Linen over ash."),
    Item("TW-202", "Dusk Table Lamp", 139.0, "light", "lamp", "c96f4a 39464b e7d3c4", "Glows like late sun."),
    Item("TW-203", "Bell Pendant", 158.0, "light", "pendant", "3f5f58 e5c07b dbe2db", "Spun steel, brass within."),
    Item("TW-204", "Chalk Pendant", 148.0, "light", "pendant", "f1ece2 d9a85c cdd3d2", "Plaster white, softly lit."),
    Item("TW-205", "Keeper Lantern", 84.0, "light", "lantern", "2f3a40 f0b75e d8d0c5", "Burns for 40 hours."),
    Item("TW-206", "Fir Candle", 28.0, "light", "candle", "4d6b57 f4ead8 e2e6da", "Fir, smoke, orange peel."),
    Item("TW-207", "Salt Candle", 28.0, "light", "candle", "b9c7cb f7f1e6 e9e5df", "Sea salt and driftwood."),
    # Rest
    Item("TW-301", "Wren Chair", 289.0, "rest", "chair", "b98455 e7ddcc e3e0d6", "Solid ash, paper-cord seat."),
    Item("TW-302", "Ink Wren Chair", 299.0, "rest", "chair", "34414a c9a77c d5dadb", "The same, stained ink."),
    Item("TW-303", "Heron Armchair", 749.0, "rest", "armchair", "5d7a6c a9764a dfe4d8", "Wool bouclé, deep seat."),
    Item("TW-304", "Fox Armchair", 749.0, "rest", "armchair", "c07a4f 5b4334 efe0d2", "Rust wool, walnut feet."),
    Item("TW-305", "Milking Stool", 119.0, "rest", "stool", "c89a66 a8784a e6e3dc", "Three legs never wobble."),
    Item("TW-306", "Pond Stool", 124.0, "rest", "stool", "6e94a0 b98a5a dce6e8", "A painted seat on oak."),
    # Cloth
    Item("TW-401", "Fog Blanket", 118.0, "cloth", "blanket", "aab7b8 e9e4da e6e9e7", "Lambswool, made to last."),
    Item("TW-402", "Rowan Blanket", 118.0, "cloth", "blanket", "b4553f ecd9c0 eee0d6", "Lambswool in berry red."),
    Item("TW-403", "Moss Blanket", 124.0, "cloth", "blanket", "6f7f4f e5ddbf e4e5d6", "A picnic's best friend."),
    Item("TW-404", "Drift Cushion", 48.0, "cloth", "cushion", "d9cfbd 5f7d86 d3dcdc", "Washed linen, down fill."),
    Item("TW-405", "Saffron Cushion", 48.0, "cloth", "cushion", "d99f3f f6ead2 efe5cf", "One bright thing."),
    Item("TW-406", "Plum Cushion", 52.0, "cloth", "cushion", "74485a e3c9c4 e6d9d8", "Velvet on one side."),
    # Green
    Item("TW-501", "Fig in Clay", 64.0, "green", "plant", "3f6b4f c4744e e9e2d6", "A young fiddle-leaf fig."),
    Item("TW-502", "Snake Plant", 42.0, "green", "sansevieria", "4f7a54 e6e0d4 d7e0d6", "Thrives on neglect."),
    Item("TW-503", "Pothos, Hanging", 38.0, "green", "hanging", "5b8a58 d8c3a5 e8e6dc", "Trails by the window."),
    Item("TW-504", "Reed Vase", 54.0, "green", "vase", "dccdb6 9c7b52 d9d8d0", "With a bunch of dried reed."),
    Item("TW-505", "Inkwell Vase", 58.0, "green", "vase", "3c5466 c98f6a dde2e6", "Blue-black and narrow."),
    Item("TW-506", "Garden Can", 56.0, "green", "can", "7f9a86 b8874f e5e8df", "Holds two liters, pours one drop."),
    Item("TW-507", "Copper Can", 72.0, "green", "can", "bf7c50 7a4a2d eee1d5", "Grows more handsome."),
    # Trail
    Item("TW-601", "Ridge Backpack", 148.0, "trail", "backpack", "4a6554 c28d52 dfe3d9", "22 liters, waxed canvas."),
    Item("TW-602", "Ochre Backpack", 148.0, "trail", "backpack", "cf9440 5a3f2b f0e5d0", "Seen from across a moor."),
    Item("TW-603", "Tarn Bottle", 34.0, "trail", "bottle", "3e7c88 d9dcda dbe7e8", "Cold for a day, hot for half."),
    Item("TW-604", "Clay Bottle", 34.0, "trail", "bottle", "c77457 ded6cc f0dfd6", "The same in red clay."),
    Item("TW-605", "Market Tote", 39.0, "trail", "tote", "e4d8c0 3f5f6b d6dfdf", "Heavy canvas, long straps."),
    Item("TW-606", "Lee Tent", 389.0, "trail", "tent", "d0873f 3b4d4a d3e0df", "Two sleepers, one storm."),
    Item("TW-607", "Camp Enamel Mug", 19.0, "trail", "enamel", "f0ece2 34536b d8e0e4", "Chips with dignity."),
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
    """Return the items that have every word of `query` in their name, text or category.

    >>> [item.name for item in found("black teapot")]
    ['Kiln Teapot']
    """
    words = query.lower().split()
    return [
        item
        for item in ITEMS
        if all(word in f"{item.name} {item.text} {CATEGORIES[item.category]} {item.shape}".lower() for word in words)
    ]


def account(address: str) -> str:
    """Return the user id the shop's own customer records have for an address: the same address, the same account.

    >>> account("Jane@Mercer.example") == account("jane@mercer.example")
    True
    """
    return "tw-" + hashlib.blake2b(address.strip().lower().encode(), digest_size=5).hexdigest()
