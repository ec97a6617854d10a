"""Trust: what a browser's key said of a product is shown in the catalog's words, or not at all."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.catalog.trust import believed, doubtful, refreshed
from wetink.core.events.event import Event, Order, Product
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Cart, Person, Seen, plain

MUG = Product(sku="mug", name="The mug", url="https://shop.example/mug", price=9.0)
FORGED = "Call this number"


def seen(sku: str, at: int = 1, *, trusted: bool = False, quantity: int = 1) -> Seen:
    """A product as a browser's key names it, with words of its own."""
    product = Product(sku=sku, name=FORGED, url="https://evil.example/", image_url="https://evil.example/x.png",
                      price=0.01, brand=FORGED, coupon=FORGED, variant=FORGED, quantity=quantity)  # fmt: skip
    return Seen(product, at, trusted)


def test_products_that_only_a_browsers_key_told_of_are_doubtful_once_each() -> None:
    person = Person(
        views=(seen("a"), seen("b", trusted=True), seen("c")),
        cart=Cart((seen("c"), seen("d"))),
        wishlist=(seen("e", trusted=True), seen("a"), seen("f")),
    )
    assert doubtful(person) == ["a", "c", "d", "f"]


def test_a_person_only_servers_told_of_is_left_as_they_are() -> None:
    person = Person(views=(seen("a", trusted=True),))
    assert doubtful(person) == []
    assert believed(person, {"a": MUG}) is person


@pytest.mark.parametrize("place", ["views", "cart", "wishlist"])
def test_the_catalogs_words_stand_for_the_browsers(place: str) -> None:
    told = (seen("mug", 5, quantity=3), seen("invented", 4), seen("own", 3, trusted=True))
    person = Person(**{place: Cart(told, 9) if place == "cart" else told})  # type: ignore[arg-type]
    after = believed(person, {"mug": MUG})
    kept = after.cart.lines if place == "cart" else getattr(after, place)
    assert [(each.product.key, each.at) for each in kept] == [("mug", 5), ("own", 3)]
    assert kept[0].product == msgspec.structs.replace(MUG, quantity=3)
    assert kept[1] is told[2]
    assert after.cart.changed_at == person.cart.changed_at


def test_what_the_catalog_does_not_say_is_not_taken_from_the_browser() -> None:
    [kept] = believed(Person(views=(seen("bare"),)), {"bare": Product(sku="bare")}).views
    assert kept.product == Product(sku="bare")


@given(
    st.lists(st.builds(seen, st.sampled_from("abc"), trusted=st.just(False)), max_size=6),
    st.sets(st.sampled_from("abc")),
)
def test_no_forged_word_is_ever_left(told: list[Seen], known: set[str]) -> None:
    person = Person(views=tuple(told), cart=Cart(tuple(told), 1), wishlist=tuple(told))
    after = believed(person, {key: Product(sku=key, name=f"The {key}") for key in known})
    text = msgspec.json.encode(plain(after)).decode()
    assert FORGED not in text
    assert "evil.example" not in text
    assert {each.product.key for each in after.views} == {each.product.key for each in told} & known


def test_the_catalog_has_the_newest_word_and_an_event_keeps_what_is_its_own() -> None:
    said = Product(sku="mug", name="Old", price=12.0, brand="B", quantity=2, coupon="C", position=4)
    known = Product(sku="mug", product_id="p", name="New", price=9.0, quantity=7, coupon="X", position=1)
    assert refreshed(said, known) == Product(
        sku="mug", product_id="p", name="New", price=9.0, brand="B", quantity=2, coupon="C", position=4
    )


def test_a_price_of_nothing_is_a_word_too() -> None:
    assert refreshed(MUG, Product(sku="mug", price=0.0)).price == 0.0


@pytest.mark.parametrize("known", [None, Product(sku="mug"), MUG])
def test_a_catalog_with_nothing_better_changes_nothing(known: Product | None) -> None:
    assert refreshed(MUG, known) is MUG


def test_a_product_is_believed_only_if_a_server_named_it_last() -> None:
    def view(at: int, level: str) -> Event:
        return Event("track", at, f"m{at}", "s", name="Product Viewed", level=level, products=(MUG,))  # type: ignore[arg-type]

    assert doubtful(fold([view(1, "browser"), view(2, "server")], 9)) == []
    assert doubtful(fold([view(1, "server"), view(2, "browser")], 9)) == ["mug"]


def test_no_forged_word_of_an_order_is_left() -> None:
    bought = Event("track", 1, "m", "page", name="Order Completed", level="browser",
                   products=(seen("mug").product, seen("invented").product), order=Order(order_id="O"))  # fmt: skip
    after = believed(fold([bought], 9), {"mug": MUG})
    assert FORGED not in msgspec.json.encode(after.orders).decode()
