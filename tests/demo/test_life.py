"""The shop's past is the same each time, and tells what it promises."""

from collections import Counter, defaultdict

import pytest

from tests.demo.story import person_of
from wetink.demo.life import CAST, DAY, SPAN, Message, Role, life
from wetink.demo.shop import ITEMS

NOW = 1_795_468_800_000
BASE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return life(20, NOW, BASE)


def test_the_same_seed_tells_the_same_life_and_another_seed_another(messages: list[Message]) -> None:
    assert life(20, NOW, BASE) == messages
    assert life(21, NOW, BASE) != messages


def test_there_are_six_to_eight_thousand_messages_of_about_150_shoppers(messages: list[Message]) -> None:
    assert 6_000 <= len(messages) <= 8_000
    assert 140 <= len({message.user or message.anonymous for message in messages}) <= 400


def test_every_message_has_its_own_id_and_somebody_it_is_about(messages: list[Message]) -> None:
    assert all(count == 1 for count in Counter(message.message_id for message in messages).values())
    assert all(message.anonymous or message.user for message in messages)


def test_messages_come_in_the_order_they_were_sent_within_two_weeks(messages: list[Message]) -> None:
    assert [message.sent for message in messages] == sorted(message.sent for message in messages)
    assert all(NOW - SPAN <= message.at <= message.sent <= NOW for message in messages)


def test_each_device_tells_its_own_time_in_order_but_for_what_came_late(messages: list[Message]) -> None:
    last: dict[str, int] = defaultdict(int)
    for message in messages:
        if message.sent - message.at < 1_000:
            assert message.at >= last[message.anonymous]
            last[message.anonymous] = message.at


def test_some_messages_come_in_more_than_half_a_day_late(messages: list[Message]) -> None:
    assert sum(message.sent - message.at > DAY / 2 for message in messages) >= 3


def test_every_product_is_told_of_by_the_server_so_the_catalog_knows_it(messages: list[Message]) -> None:
    told = {message.properties["sku"] for message in messages if "sku" in message.properties}
    assert told == {item.sku for item in ITEMS}


def test_the_spec_s_required_properties_are_there(messages: list[Message]) -> None:
    needed = {
        "Product Viewed": ("sku", "url", "price", "image_url", "name"),
        "Product Added": ("sku", "url", "price", "quantity"),
        "Product Removed": ("sku",),
        "Products Searched": ("query",),
        "Cart Viewed": ("products",),
        "Checkout Started": ("products", "value"),
        "Order Completed": ("order_id", "total", "products"),
        "Product List Viewed": ("list_id", "products"),
        "Product Added to Wishlist": ("sku", "wishlist_name"),
    }
    tracked = [message for message in messages if message.kind == "track"]
    assert {message.name for message in tracked} == set(needed)
    for message in tracked:
        assert all(message.properties.get(name) for name in needed[message.name]), message
    assert all("@" in message.properties["email"] for message in messages if message.kind == "identify")


@pytest.mark.parametrize("role", CAST, ids=[role.name for role in CAST])
def test_a_story_of_the_cast_holds_when_its_events_are_folded(messages: list[Message], role: Role) -> None:
    person = person_of(messages, role, NOW)
    seen = [each.product.sku for each in person.views]
    cart = [each.product.sku for each in person.cart.lines]
    if person.orders or not cart:
        assert seen[: len(role.hero)] == list(role.hero)
    else:
        assert cart[::-1][: len(role.hero)] == list(role.hero)


def test_jane_left_a_cart_bob_none_and_carla_ordered(messages: list[Message]) -> None:
    jane, bob, carla = (person_of(messages, role, NOW) for role in CAST[:3])
    assert jane.cart.lines
    assert not jane.orders
    assert bob.views
    assert not bob.cart.lines
    assert carla.orders
    assert not carla.cart.lines
