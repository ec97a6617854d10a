"""The product apps: what each shows to whom, and that a strict filter leaves no empty place while anything fits."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from wetink.apps import load
from wetink.core.app.app import Shop, Shown
from wetink.core.catalog.catalog import Change
from wetink.core.catalog.trends import DAY, HOUR, Trends
from wetink.core.events.event import Event, Order, Product
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Moment, Person

NOW = 1_800_000_000_000
APPS = load()


def product(sku: str, category: str = "Home", price: float | None = 10.0, **more: Any) -> Product:
    fields = {"name": f"The {sku}", "url": f"https://shop.example/{sku}", **more}
    return Product(sku=sku, product_id=sku, category=category, price=price, **fields)


MUG, JUG, LAMP, RUG, BOX = (product(sku) for sku in ("mug", "jug", "lamp", "rug", "box"))


def did(name: str, ago: int, *products: Product, who: str = "u", query: str = "") -> Event:
    order = Order(f"o{ago}", total=1.0) if name.startswith("Order") else None
    return Event(
        "track", NOW - ago, f"{who}-{name}-{ago}", "s", name, user=who, products=products, query=query, order=order
    )


def who(*events: Event) -> Person:
    return fold(events, NOW)


def shop(*known: Product, events: tuple[Event, ...] = (), **more: Any) -> Shop:
    return Shop(Trends(events), {each.key: each for each in known}, **more)


def shown(name: str, person: Person, there: Shop, settings: Mapping[str, Any] | None = None, **moment: Any) -> Any:
    """Return the skus an app shows, None for nothing."""
    found = run(name, person, there, settings, **moment)
    return None if found is None else [seen.product.sku for seen in found.items]


def run(
    name: str, person: Person, there: Shop, settings: Mapping[str, Any] | None = None, **moment: Any
) -> Shown | None:
    app = APPS[name]
    chosen = msgspec.convert(settings or {}, app.settings)
    asked = Moment(NOW, **moment)
    if app.wants is not None:
        assert len(list(app.wants(person, chosen, asked, there))) < 2_000, "an open looks up no more than it can"
    return app.show(person, chosen, asked, there)


VIEWED = who(did("Product Viewed", 2 * HOUR, MUG), did("Product Viewed", 3 * HOUR, LAMP))
CROWD = tuple(
    event
    for number in range(6)
    for event in (
        did("Product Viewed", HOUR, MUG, who=f"c{number}"),
        did("Product Viewed", HOUR - 60_000, JUG, who=f"c{number}"),
        did("Order Completed", HOUR - 120_000, RUG, who=f"c{number}"),
    )
)


@pytest.mark.parametrize(
    ("person", "settings", "expected"),
    [
        (VIEWED, {}, ["mug", "lamp"]),
        (VIEWED, {"idle_minutes": 180}, None),
        (VIEWED, {"items": 1}, ["mug"]),
        (who(did("Product Viewed", 20 * DAY, MUG)), {}, None),
        (who(did("Product Viewed", 3 * HOUR, MUG), did("Product Added", 2 * HOUR, MUG)), {}, None),
        (who(did("Product Viewed", 3 * HOUR, MUG), did("Order Completed", 2 * HOUR, MUG)), {}, None),
        (Person(), {}, None),
    ],
    ids=["newest first", "the visit goes on", "fewer", "too long ago", "in the cart", "bought", "a stranger"],
)
def test_abandoned_browse_shows_recent_views_that_led_to_no_cart_or_order(
    person: Person, settings: dict[str, Any], expected: Any
) -> None:
    assert shown("abandoned-browse", person, shop(), settings) == expected


@pytest.mark.parametrize(
    ("now", "settings", "expected"),
    [
        (8.0, {}, ["mug"]),
        (9.8, {}, None),
        (9.8, {"percent": 1}, ["mug"]),
        (12.0, {}, None),
        (8.0, {"only": {"price_to": 5}}, None),
    ],
    ids=["cheaper", "hardly cheaper", "hardly, but enough", "dearer", "the filter says no"],
)
def test_price_drop_shows_viewed_products_that_are_cheaper_by_enough(
    now: float, settings: dict[str, Any], expected: Any
) -> None:
    there = shop(replace(MUG, price=now), LAMP)
    assert shown("price-drop", VIEWED, there, settings) == expected


def test_a_price_drop_says_the_price_before_and_the_largest_comes_first() -> None:
    found = run("price-drop", VIEWED, shop(replace(MUG, price=9.0), replace(LAMP, price=5.0)))
    assert found is not None
    assert [seen.product.price for seen in found.items] == [5.0, 9.0], "the prices of now"
    assert [says["was"] for says in found.facts["says"]] == [10.0, 10.0]
    assert [says["badge"] for says in found.facts["says"]] == ["\u221250%", "\u221210%"]


def test_a_price_that_no_event_said_is_known_from_the_catalogs_history() -> None:
    person = who(did("Product Viewed", 2 * HOUR, replace(MUG, price=None)))
    history = {"mug": (Change(NOW - DAY, 20.0), Change(NOW - HOUR, 10.0))}
    assert shown("price-drop", person, shop(MUG, history=history)) == ["mug"]


OUT = replace(MUG, availability="out_of_stock")


@pytest.mark.parametrize(
    ("seen", "changes", "now", "expected"),
    [
        (MUG, ((-3, 0), (-1, 5)), MUG, ["mug"]),
        (OUT, ((-1, 5),), replace(MUG, availability="in_stock"), ["mug"]),
        (MUG, ((-3, 0),), replace(MUG, stock=0), None),
        (MUG, ((-3, 5), (-1, 9)), MUG, None),
        (MUG, ((-30, 0), (-20, 5)), MUG, None),
        (MUG, ((-3, 0), (-2, 5), (-1, 0)), replace(MUG, stock=0), None),
    ],
    ids=["was out since", "was out when seen", "still out", "never out", "old news", "out again"],
)
def test_back_in_stock_shows_wishes_that_were_sold_out_and_can_be_bought_again(
    seen: Product, changes: Any, now: Product, expected: Any
) -> None:
    person = who(did("Product Added to Wishlist", 40 * DAY, seen))
    history = {"mug": tuple(Change(NOW + day * DAY, 10.0, stock=stock) for day, stock in changes)}
    assert shown("back-in-stock", person, shop(now, history=history)) == expected


@pytest.mark.parametrize(
    ("stock", "expected"), [(None, None), (0, None), (1, ["mug"]), (5, ["mug"]), (6, None)], ids=str
)
def test_low_stock_shows_viewed_products_of_which_few_are_left(stock: int | None, expected: Any) -> None:
    assert shown("low-stock", VIEWED, shop(replace(MUG, stock=stock), LAMP)) == expected


def test_a_wish_stands_until_it_is_bought() -> None:
    wished = did("Product Added to Wishlist", 5 * HOUR, MUG), did("Product Added to Wishlist", 4 * HOUR, LAMP)
    assert shown("wishlist", who(*wished), shop()) == ["lamp", "mug"]
    assert shown("wishlist", who(*wished, did("Order Completed", HOUR, LAMP)), shop()) == ["mug"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, ["mug"]), ({"days": 60}, ["mug", "lamp"]), ({"after_days": 20, "days": 60}, ["lamp"])],
)
def test_recently_purchased_shows_orders_of_the_days_that_are_set(settings: dict[str, Any], expected: Any) -> None:
    person = who(did("Order Completed", 10 * DAY, MUG), did("Order Completed", 40 * DAY, LAMP))
    assert shown("recently-purchased", person, shop(), settings) == expected


def test_buy_again_asks_after_the_shops_own_interval() -> None:
    again = tuple(
        event
        for number in range(6)
        for event in (
            did("Order Completed", 60 * DAY, MUG, who=f"c{number}"),
            did("Order Completed", (60 - 20) * DAY, MUG, who=f"c{number}"),
        )
    )
    there = shop(MUG, events=again)
    assert there.trends.repurchase(MUG) == 20 * DAY
    assert there.trends.repurchase(product("other mug")) == 20 * DAY, "its category's, for want of its own"
    assert shown("buy-again", who(did("Order Completed", 19 * DAY, MUG)), there) is None
    assert shown("buy-again", who(did("Order Completed", 21 * DAY, MUG)), there) == ["mug"]
    twice = who(did("Order Completed", 50 * DAY, MUG), did("Order Completed", 5 * DAY, MUG))
    assert shown("buy-again", twice, there) is None, "it counts from the last order"
    assert shown("buy-again", who(did("Order Completed", 61 * DAY, LAMP)), shop(LAMP)) == ["lamp"]
    assert shown("buy-again", who(did("Order Completed", 61 * DAY, LAMP)), shop(LAMP), {"otherwise_days": 0}) is None


def test_recommended_goes_with_what_was_looked_at_and_fills_up_with_best_sellers() -> None:
    there = shop(MUG, JUG, RUG, LAMP, events=CROWD)
    assert shown("recommended", who(did("Product Viewed", HOUR, MUG)), there) == ["jug", "rug"]
    assert shown("recommended", Person(), there, {"fill": ["best_sellers"]}) == ["rug"]
    assert shown("recommended", Person(), there, {"fill": []}) is None


def test_recommended_shows_nothing_that_was_bought_or_lies_in_the_cart() -> None:
    there = shop(MUG, JUG, RUG, events=CROWD)
    person = who(did("Product Viewed", HOUR, MUG), did("Product Added", HOUR, JUG), did("Order Completed", DAY, RUG))
    assert shown("recommended", person, there) is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["rug", "mug", "jug"]),
        ({"measure": "viewed"}, ["jug", "mug", "rug"]),
        ({"least": 7, "fill": []}, None),
        ({"category": "Garden", "fill": []}, None),
        ({"only": {"price_to": 5}}, None),
        ({"only": {"brands": ["X"]}}, ["jug"]),
    ],
    ids=["bought", "viewed", "too few people", "another category", "nothing fits", "one fits, far down"],
)
def test_trending_shows_the_products_most_people_bought_or_viewed(settings: dict[str, Any], expected: Any) -> None:
    there = shop(MUG, replace(JUG, brand="X"), RUG, events=CROWD)
    found = shown("trending", Person(), there, settings)
    assert (found and sorted(found[1:]) == sorted(expected[1:]) and found[0] == expected[0]) or found == expected


def test_a_strict_filter_leaves_no_place_empty_while_anything_fits() -> None:
    goods = [product(f"p{number}", brand="rare" if number >= 60 else "common") for number in range(63)]
    events = tuple(
        did("Order Completed", HOUR + number, each, who=f"c{person}")
        for number, each in enumerate(goods)
        for person in range(70 - number)
    )
    there = shop(*goods, events=events)
    assert shown("trending", Person(), there, {"only": {"brands": ["rare"]}}) == ["p60", "p61", "p62"]


def test_recently_searched_shows_answers_to_the_newest_search_that_has_any() -> None:
    person = who(did("Products Searched", 3 * HOUR, query="cups"), did("Products Searched", HOUR, query="zzz"))
    there = shop(RUG, events=CROWD, found={"cups": (MUG, JUG), "zzz": ()})
    assert shown("recently-searched", person, there) == ["mug", "jug", "rug"]
    assert shown("recently-searched", person, there, {"fill": []}) == ["mug", "jug"]
    assert shown("recently-searched", person, shop(found={"cups": ()})) is None


def test_new_in_category_shows_what_has_arrived_in_what_the_shopper_likes() -> None:
    old, new, other = product("old", "Lamps"), product("new", "Lamps"), product("other", "Rugs")
    seen = (did("Product Viewed", 100 * DAY, old, who="c"),)
    seen += tuple(did("Product Viewed", DAY, each, who="c") for each in (new, other))
    person = who(did("Product Viewed", HOUR, product("liked", "Lamps")))
    there = shop(old, new, other, events=seen)
    assert shown("new-in-category", person, there, {"fill": []}) == ["new"]
    assert shown("new-in-category", who(did("Product Viewed", HOUR, new)), there) is None, "they know it already"


EVERYBODY = who(
    did("Product Viewed", 5 * HOUR, MUG, LAMP),
    did("Product Added to Wishlist", 4 * HOUR, MUG, LAMP),
    did("Order Completed", 100 * DAY, BOX),
    did("Products Searched", 2 * HOUR, query="cups"),
)


SETTINGS: dict[str, dict[str, Any]] = {
    "recently-purchased": {"days": 200},
    "social-proof": {"measure": "viewed"},
    "new-in-category": {"days": 180},
}
"""Where the usual ones would show these people nothing."""


@pytest.mark.parametrize("name", [name for name, app in APPS.items() if app.template == "shelf.liquid"])
def test_what_stands_elsewhere_in_the_email_or_cannot_be_bought_is_not_shown(name: str) -> None:
    changes = (Change(NOW - 2 * HOUR, 9.0, stock=0), Change(NOW - HOUR, 5.0, stock=2))
    goods = (replace(MUG, price=5.0, stock=2), replace(LAMP, price=5.0, stock=2), RUG, JUG, BOX)
    there = shop(*goods, events=CROWD, found={"cups": (MUG, LAMP)}, history={"mug": changes, "lamp": changes})
    usual = shown(name, EVERYBODY, there, SETTINGS.get(name))
    assert usual
    assert len(usual) == len(set(usual)), "no product twice"
    without = shown(name, EVERYBODY, replace(there, taken=frozenset(usual[:1])), SETTINGS.get(name)) or []
    assert usual[0] not in without
    gone = {key: replace(each, availability="out_of_stock") for key, each in there.products.items()}
    found = {"cups": tuple(gone[each.key] for each in (MUG, LAMP))}
    left = shown(name, EVERYBODY, replace(there, products=gone, found=found), SETTINGS.get(name)) or []
    assert not set(left) & set(gone)
