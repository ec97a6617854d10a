"""The sample shop and shopper: what every app is shown with before there is real data."""

from wetink.core.app.sample import GOODS, PHOTOS, REDUCED, shop, shopper
from wetink.core.catalog.trends import DAY
from wetink.feeds.photos import FOLDER

NOW = 1_800_000_000_000


def test_the_sample_shopper_has_something_of_everything() -> None:
    ada = shopper(NOW)
    assert [seen.product.key for seen in ada.cart.lines] == ["TW-103", "TW-105"]
    assert ada.views[0].product.key == "TW-205"
    assert ada.searches[0].query == "stoneware"
    assert len(ada.orders) == 2
    assert ada.wishlist
    assert ada.traits["firstName"] == "Ada"


def test_the_sample_shop_has_trends_prices_and_stock() -> None:
    there = shop(NOW)
    assert len(there.trends.popular("bought", 2 * DAY, NOW)) >= 6
    assert there.trends.together("TW-103", "viewed")
    assert (there.newest(GOODS[REDUCED]).price, GOODS[REDUCED].price) == (99.0, 129.0)


def test_every_sample_product_has_its_photo() -> None:
    assert {f"{PHOTOS}{path.name}" for path in FOLDER.glob("*.jpg")} == {good.image_url for good in GOODS.values()}
