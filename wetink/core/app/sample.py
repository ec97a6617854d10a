"""The sample: a shop and a shopper with something to show for every app, before there is any real data.

The data are events that are folded like real ones. Only the gallery and tests can draw the photos, whose addresses are
below PHOTOS.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from wetink.core.app.app import App, Shop
from wetink.core.catalog.catalog import Change, FeedData
from wetink.core.catalog.trends import DAY, HOUR, Trends
from wetink.core.events.event import Event, Order, Product
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Person

PHOTOS = "https://photos.sample.invalid/"
SHOP = "https://shop.sample.invalid/"

_GOODS = (
    ("TW-101", "Harbor Mug", 24.0, "Table"),
    ("TW-103", "Low Tide Teapot", 68.0, "Table"),
    ("TW-105", "Shoal Bowl", 32.0, "Table"),
    ("TW-201", "Moth Table Lamp", 129.0, "Light"),
    ("TW-205", "Keeper Lantern", 84.0, "Light"),
    ("TW-206", "Fir Candle", 28.0, "Light"),
    ("TW-301", "Wren Chair", 289.0, "Rest"),
    ("TW-305", "Milking Stool", 119.0, "Rest"),
    ("TW-402", "Rowan Blanket", 118.0, "Cloth"),
    ("TW-405", "Saffron Cushion", 48.0, "Cloth"),
    ("TW-505", "Inkwell Vase", 58.0, "Green"),
    ("TW-601", "Ridge Backpack", 148.0, "Trail"),
)
GOODS = {
    sku: Product(
        sku=sku,
        product_id=sku,
        name=name,
        url=f"{SHOP}products/{sku}",
        image_url=f"{PHOTOS}{sku}.jpg",
        price=price,
        currency="EUR",
        category=category,
        brand="Tidewick",
    )
    for sku, name, price, category in _GOODS
}
"""The sample shop's products by sku."""

TRAITS = {
    "firstName": "Ada",
    "lastName": "Brook",
    "email": "ada@sample.invalid",
    "points": 740,
    "tier": "Silver",
    "timeZone": "Europe/Berlin",
    "address": {"city": "Hamburg", "country": "DE", "latitude": 53.55, "longitude": 9.99},
}

REDUCED, RETURNED, SCARCE = "TW-201", "TW-405", "TW-402"
"""The sample product with a reduced price, the one back in stock, and the one with little stock."""


def shopper(now: int, supposed: Iterable[Event] = ()) -> Person:
    """Return the sample shopper at `now` (Unix ms): views, searches, a cart, a wishlist, orders and traits.

    The `supposed` events count as if they had happened.
    """
    return fold([*life(now), *supposed], now)


def shop(now: int, app: App | None = None) -> Shop:
    """Return the sample shop as of `now` (Unix ms), with the outside data of an app's sample."""
    products = dict(GOODS)
    products[REDUCED] = replace(GOODS[REDUCED], price=99.0, list_price=129.0)
    products[RETURNED] = replace(GOODS[RETURNED], availability="in_stock", stock=14)
    products[SCARCE] = replace(GOODS[SCARCE], availability="in_stock", stock=3)
    first = now - 40 * DAY
    history: dict[str, tuple[Change, ...]] = {
        REDUCED: (Change(first, 129.0, "in_stock"), Change(now - 6 * HOUR, 99.0, "in_stock")),
        RETURNED: (
            Change(first, 48.0, "in_stock", 9),
            Change(now - 5 * DAY, 48.0, "out_of_stock", 0),
            Change(now - 9 * HOUR, 48.0, "in_stock", 14),
        ),
        SCARCE: (Change(first, 118.0, "in_stock", 20), Change(now - 3 * HOUR, 118.0, "in_stock", 3)),
    }
    sample = app.sample if app is not None else None
    found = {"stoneware": (GOODS["TW-101"], GOODS["TW-103"], GOODS["TW-105"]), "reading lamp": (GOODS[REDUCED],)}
    return Shop(
        Trends(crowd(now)),
        products,
        found,
        history,
        {name: FeedData(items, "fresh") for name, items in sample.feeds.items()} if sample else {},
        sample.polls if sample else {},
        promised=sample.promised if sample else {},
    )


def life(now: int) -> Iterator[Event]:
    """Yield the events of the sample shopper."""

    def track(name: str, ago: int, *skus: str, query: str = "", order: Order | None = None) -> Event:
        products = tuple(GOODS[sku] for sku in skus)
        at = now - ago
        return Event("track", at, f"s-{at}", "sample", name, products=products, query=query, order=order, user="ada")

    yield Event("identify", now - 90 * DAY, "s-0", "sample", user="ada", traits=TRAITS)
    yield track("Order Completed", 45 * DAY, "TW-206", "TW-101", order=Order("A-1", total=52.0, currency="EUR"))
    yield track("Order Completed", 12 * DAY, "TW-505", order=Order("A-2", total=58.0, currency="EUR"))
    yield track("Product Added to Wishlist", 9 * DAY, RETURNED)
    yield track("Product Added to Wishlist", 8 * DAY, "TW-301")
    yield track("Product Viewed", 5 * DAY, SCARCE)
    yield track("Product Viewed", 4 * DAY, RETURNED)
    yield track("Products Searched", 3 * DAY, query="reading lamp")
    yield track("Product Viewed", 3 * DAY - HOUR, REDUCED)
    yield track("Products Searched", 30 * HOUR, query="stoneware")
    yield track("Product Viewed", 29 * HOUR, "TW-103")
    yield track("Product Viewed", 28 * HOUR, "TW-105")
    yield track("Product Added", 27 * HOUR, "TW-103")
    yield track("Product Added", 26 * HOUR, "TW-105")
    yield track("Product Viewed", 5 * HOUR, "TW-301")
    yield track("Product Viewed", 4 * HOUR, "TW-205")


def crowd(now: int) -> Iterator[Event]:
    """Yield other shoppers' events of the last days, with different numbers of views and purchases for each product."""
    skus = list(GOODS)
    for number in range(240):
        who, hours_ago = f"c{number}", (number * 7) % 60
        at = now - hours_ago * HOUR - number * 1_000
        first, second = skus[(number * number) % 12], skus[(number * 5 + number // 7) % 12]
        for step, sku in enumerate(dict.fromkeys((first, second))):
            yield Event(
                "track",
                at + step * 60_000,
                f"c-{number}-{step}",
                "sample",
                "Product Viewed",
                products=(GOODS[sku],),
                user=who,
            )
        if number % 3 == 0:
            yield Event(
                "track",
                at + 600_000,
                f"c-{number}-o",
                "sample",
                "Order Completed",
                products=tuple(GOODS[sku] for sku in dict.fromkeys((first, second))),
                user=who,
                order=Order(f"C-{number}", total=60.0, currency="EUR"),
            )
