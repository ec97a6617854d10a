"""Large ids: a whole number of any length that names something keeps every digit, wherever it comes in."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.events.clock import parse
from wetink.core.events.message import BATCH, BEHAVIORAL, Endpoint, pieces
from wetink.core.messages.mapping import Mappings, mapping_of
from wetink.core.messages.normalize import normalize
from wetink.core.messages.record import Record
from wetink.core.outbound.feed import Feed
from wetink.core.units.quantity import LONGEST_DIGITS, plain, text
from wetink.feeds.parse.reader import Tally, read

NOW = parse("2026-11-23T12:00:00Z") or 0
IDS = st.integers(1, 10**25) | st.integers(10**15 - 5, 10**20) | st.sampled_from(
    [10**15, 2**53 + 1, 1005006123456789, 1729382256910270771, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**19, 10**99]
)  # fmt: skip
DOORS = {"one": Endpoint(type="track"), "batch": BATCH, "behavioral": BEHAVIORAL}


def through(door: str, message: dict[str, Any], mappings: Mappings | None = None) -> Record:
    body = json.dumps({"batch": [message]} if door == "batch" else message).encode()
    [piece] = pieces(body, DOORS[door])[0]
    if mappings is not None:
        piece = mappings.applied(piece, "s", NOW)
    return normalize(piece, source="s", level="server", received=NOW, relayed=DOORS[door].relayed)


@given(IDS, st.sampled_from(sorted(DOORS)))
def test_ids_of_products_and_orders_keep_their_digits(number: int, door: str) -> None:
    item = {"product_id": number, "sku": number + 1, "variant": number + 2, "coupon": number + 3, "price": 5}
    viewed = through(door, {"type": "track", "userId": "u", "event": "Product Viewed", "properties": item})
    ordered = through(
        door,
        {"type": "track", "userId": "u", "event": "Order Completed",
         "properties": {"order_id": number, "checkout_id": number + 1, "total": 5, "products": [item]}},
    )  # fmt: skip
    assert viewed.event is not None
    assert ordered.event is not None
    assert ordered.event.order is not None
    for product in (*viewed.event.products, *ordered.event.products):
        said = (product.product_id, product.sku, product.variant, product.coupon)
        assert said == tuple(str(number + more) for more in range(4))
    assert (ordered.event.order.order_id, ordered.event.order.checkout_id) == (str(number), str(number + 1))


@given(IDS, st.sampled_from(sorted(DOORS)), st.booleans())
def test_ids_of_people_and_messages_keep_their_digits(number: int, door: str, native: bool) -> None:
    names = ("user_id", "anonymous_id", "message_id") if native else ("userId", "anonymousId", "messageId")
    found = through(door, {"type": "track", "event": "X", **dict(zip(names, (number, number + 1, number + 2)))})  # noqa: B905
    assert found.event is not None
    assert (found.event.user, found.event.anonymous, found.message_id) == tuple(str(number + more) for more in range(3))
    alias = through(door, {"type": "alias", "userId": "u", "previousId": number})
    assert alias.joins is None or str(number) in {each.value for each in alias.joins}
    assert {claim.weaker.value for claim in alias.claims} | {each.value for each in alias.joins or ()} >= {str(number)}


MAPPED = Mappings({"shop": mapping_of({
    "events": {"saw": {"name": "Product Viewed", "properties": {"item.nr": "sku", "link": "url"}}},
    "traits": {"member.nr": "loyalty_id"},
})})  # fmt: skip


@given(IDS)
def test_a_mapped_id_keeps_its_digits(number: int) -> None:
    said = {"type": "track", "userId": "u", "event": "saw", "context": {"traits": {"member": {"nr": number}}}}
    found = through("one", {**said, "properties": {"item": {"nr": number}, "link": "https://shop.example/"}}, MAPPED)
    assert found.event is not None
    assert found.event.products[0].sku == str(number)
    assert str(found.event.traits["loyalty_id"]) == str(number)


@given(IDS, st.sampled_from(["json", "jsonl", "csv", "merchant"]), st.sampled_from(["sku", "product_id"]))
def test_ids_of_a_feed_and_of_a_catalog_import_keep_their_digits(number: int, form: Any, name: str) -> None:
    item = {name: number, "name": "Mug", "url": "https://shop.example/mug", "price": 5}
    body = {
        "json": json.dumps([item]),
        "jsonl": json.dumps(item),
        "csv": f"{name},name,url,price\n{number},Mug,https://shop.example/mug,5\n",
        "merchant": f"id\ttitle\tlink\tprice\n{number}\tMug\thttps://shop.example/mug\t5 USD\n",
    }[form]
    feed = Feed("f", form, url="https://shop.example/feed", purpose="catalog")
    [found] = read(feed, io.BytesIO(body.encode()), Tally(), NOW)
    assert str(number) in (found.get("sku"), found.get("product_id"))
    keyed = Feed("f", form, url="https://shop.example/feed", key=name if form in ("json", "jsonl") else "")
    assert len(list(read(keyed, io.BytesIO(body.encode()), Tally(), NOW))) == 1


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (12.0, "12"), (-0.0, "0"), (1.005e15, "1005000000000000"), (4.5, "4.5"),
        (9007199254740991.0, "9007199254740991"),
        (9007199254740992.0, "9007199254740992"), (1.2345678901234567e18, "1234567890123456800"),
        (1e20, "1" + "0" * 20),
        (1e21, None), (1e300, None), (float("inf"), None), (float("nan"), None), (True, None), (False, None),
        (10**LONGEST_DIGITS - 1, "9" * LONGEST_DIGITS), (10**LONGEST_DIGITS, None), (10**4000, None), (-7, "-7"),
    ],
)  # fmt: skip
def test_a_float_is_written_as_javascript_does_and_nonsense_is_no_id(number: Any, written: str | None) -> None:
    assert text(number) == written


@given(st.floats(-1e20, 1e20))
def test_the_digits_of_a_float_are_that_float(number: float) -> None:
    written = plain(number)
    assert written is not None
    assert float(written) == number
    assert not number.is_integer() or "." not in written
