"""All 28 events of the Ecommerce spec, what each needs, and what is said when it is missing."""

import contextlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.errors import BadRequest
from wetink.core.events.clock import parse
from wetink.core.events.ecommerce import EVENTS, canonical
from wetink.core.events.message import BATCH, Endpoint, Piece, pieces
from wetink.core.messages.normalize import normalize
from wetink.core.messages.record import Record
from wetink.core.text.placeholder import USUAL, Placeholders

FACTS = json.loads((Path(__file__).parents[1] / "facts" / "ecommerce.json").read_text())
NOW = parse("2026-11-23T12:00:00Z") or 0
ONE = Endpoint()
VIEW = {"sku": "S-1", "url": "https://shop.example/s-1"}


def normal(message: dict[str, Any], **given: Any) -> Record:
    """The record of a message, without its bytes."""
    found, _ = pieces(msgspec.json.encode(message), ONE)
    made = normalize(found[0], **{"source": "test", "level": "server", "received": NOW, **given})
    return msgspec.structs.replace(made, raw=b"")


def track(event: str, properties: dict[str, Any] | None = None, **more: Any) -> Record:
    return normal({"type": "track", "userId": "u", "messageId": "m", "event": event, "properties": properties, **more})


def read(event: str, known: Placeholders, **properties: Any) -> Record:
    message = {"type": "track", "userId": "u", "messageId": "m", "event": event, "properties": VIEW | properties}
    return normal(message, known=known)


def names() -> list[tuple[str, str]]:
    listed = []
    for event in FACTS["events"]:
        others = [*event["aliases_in_spec"], *(variant["name"] for variant in event["variants_seen"])]
        listed += [(name, event["name"]) for name in (event["name"], event["name"].lower().replace(" ", "_"), *others)]
    return listed


def test_the_table_has_exactly_the_events_of_the_spec() -> None:
    assert set(EVENTS) == {event["name"] for event in FACTS["events"]}
    assert len(EVENTS) == 28


@pytest.mark.parametrize(("name", "event"), names())
def test_every_name_an_event_goes_by_leads_to_it(name: str, event: str) -> None:
    assert canonical(name) == event
    found = track(name, {})
    assert found.event is not None
    assert found.event.name == event


@pytest.mark.parametrize("event", FACTS["events"], ids=lambda event: event["name"])
def test_an_event_with_all_its_properties_is_usable_and_loses_none_of_them(event: dict[str, Any]) -> None:
    sample: dict[str, Any] = {"string": "text", "number": 7, "array": [], "boolean": True}
    properties = {
        name: sample.get(str(kind).partition("<")[0], "text") for name, kind in event["properties"].items()
    } | ({"url": "https://shop.example/p"} if "url" in event["properties"] else {})
    if "products" in properties:
        properties["products"] = [{"sku": "S", "price": 2, "quantity": 3}]
    found = track(event["name"], properties)
    assert found.verdict == "usable", found.problems
    assert found.event is not None
    kept = msgspec.json.encode(found.event).decode()
    for name in properties:
        assert f'"{name}"' in kept, f"{name} was lost"


@pytest.mark.parametrize(
    ("event", "properties", "missing"),
    [
        ("Product Viewed", {}, ["sku", "url"]),
        ("Product Viewed", {"sku": "S"}, ["url"]),
        ("Product Viewed", {"product_id": "P"}, ["url"]),
        ("Product Viewed", {"url": "https://shop.example/"}, ["sku"]),
        ("Product Viewed", VIEW, []),
        ("Product Viewed", {**VIEW, "sku": 7}, []),
        ("Product Added", {"sku": "", "url": "https://shop.example/"}, ["sku"]),
        ("Product Added", {"product_id": "P", "url": "https://shop.example/"}, []),
        ("Products Searched", {}, ["query"]),
        ("Products Searched", {"query": "  "}, ["query"]),
        ("Products Searched", {"query": "mug"}, []),
        ("Order Completed", {}, ["total", "products"]),
        ("Order Completed", {"total": 5, "products": []}, ["products"]),
        ("Order Completed", {"total": 5, "products": [{"sku": "S"}]}, ["products[0].price"]),
        ("Order Completed", {"total": 5, "products": [{"price": 5}]}, ["products[0].sku"]),
        ("Order Completed", {"total": 5, "products": [{"sku": "S", "price": 5}, 3]},
         ["products[1].sku", "products[1].price"]),
        ("Order Completed", {"revenue": 5, "products": [{"sku": "S", "price": 5}]}, ["total"]),
        ("Order Completed", {"total": "free", "products": [{"sku": "S", "price": 5}]}, ["total"]),
        ("Order Completed", {"total": "19.90", "products": [{"product_id": "P", "price": "19.90"}]}, []),
        ("Product Removed", {}, []),
        ("Quiz Taken", {}, []),
    ],
)  # fmt: skip
def test_a_missing_field_is_named_with_its_remedy(event: str, properties: dict[str, Any], missing: list[str]) -> None:
    found = track(event, properties)
    assert [problem.property for problem in found.problems] == missing
    assert found.verdict == ("unusable" if missing else "usable")
    assert found.event is not None, "what is not usable is still in the profile"
    assert found.event.usable is not bool(missing)
    for problem in found.problems:
        assert problem.property.rpartition(".")[2] in problem.hint


@pytest.mark.parametrize(
    ("message", "code", "property"),
    [
        ({"type": "track", "event": "X"}, "no_identifier", "userId"),
        ({"type": "track", "event": "X", "userId": "null"}, "no_identifier", "userId"),
        ({"type": "track", "event": "X", "userId": {"id": 1}}, "no_identifier", "userId"),
        ({"type": "track", "userId": "u"}, "no_event_name", "event"),
        ({"type": "track", "userId": "u", "event": 5}, "no_event_name", "event"),
        ({"type": "dance", "userId": "u"}, "unknown_type", "type"),
        ({"userId": "u"}, "unknown_type", "type"),
    ],
)
def test_a_message_without_an_identifier_is_parked_with_the_reason(
    message: dict[str, Any], code: str, property: str
) -> None:
    found = normal(message)
    assert found.verdict == "parked"
    assert (found.problems[0].code, found.problems[0].property) == (code, property)
    assert found.event is None
    assert not found.claims


def test_a_native_body_of_movable_ink_is_understood() -> None:
    found = normal(
        {
            "type": "track",
            "event": "order_completed",
            "user_id": "u",
            "timestamp": NOW - 5_000,
            "properties": {"id": "O-1", "revenue": "12.50", "products": [{"id": "P", "title": "Mug", "price": 12.5}]},
        },
        relayed=True,
    )
    assert found.verdict == "usable", found.problems
    assert found.event is not None
    assert (found.event.name, found.event.at, found.event.user) == ("Order Completed", NOW - 5_000, "u")
    assert found.event.order is not None
    assert (found.event.order.order_id, found.event.order.total) == ("O-1", 12.5)
    assert found.event.products[0].name == "Mug"


@pytest.mark.parametrize("context", ["text", 7, None, [], {}, {"traits": 7}, {"traits": None}, [{"traits": {}}]])
def test_a_context_of_any_kind_takes_nothing_else_with_it(context: Any) -> None:
    found = track("Product Viewed", VIEW, context=context)
    assert (found.verdict, found.event.traits if found.event else None) == ("usable", {})
    assert found == track("Product Viewed", VIEW)


def test_a_number_that_nothing_holds_in_a_context_takes_nothing_else_with_it() -> None:
    body = b'{"type":"track","event":"X","userId":"u","messageId":"m","context":{"traits":{"size":1e999}}}'
    found, _ = pieces(body, ONE)
    assert found[0].raw == body
    assert normalize(found[0], source="test", level="server", received=NOW).verdict == "usable"


def test_messages_without_an_id_are_told_apart_by_all_of_their_context() -> None:
    common = {"type": "track", "userId": "u", "event": "X", "timestamp": "2026-11-23T11:00:00Z"}
    here, there = ({**common, "context": {"page": {"path": path}}} for path in ("/here", "/there"))
    assert normal(here).message_id == normal(here).message_id != normal(there).message_id


def test_the_traits_of_a_batchs_context_stand_under_those_of_its_messages() -> None:
    own = {"context": {"traits": {"plan": "gold"}, "locale": "de"}}
    batch = {
        "batch": [{"type": "page", "userId": "u", **own}, {"type": "page", "userId": "v"}],
        "context": {"traits": {"plan": "free", "city": "Ulm"}},
    }
    found, _ = pieces(msgspec.json.encode(batch), BATCH)
    traits = [
        normalize(each, source="test", level="server", received=NOW).event.traits  # type: ignore[union-attr]
        for each in found
    ]
    assert traits == [{"plan": "gold", "city": "Ulm"}, {"plan": "free", "city": "Ulm"}]
    assert msgspec.json.decode(found[0].raw)["context"]["locale"] == "de"


@pytest.mark.parametrize(
    ("times", "at"),
    [
        ({}, NOW),
        ({"timestamp": "2026-11-23T11:00:00Z"}, NOW - 3_600_000),
        ({"timestamp": "2026-11-23T11:59:40Z", "sentAt": "2026-11-23T11:59:45Z"}, NOW - 5_000),
        ({"timestamp": "2026-11-23T11:59:50Z", "sentAt": "2026-11-23T11:59:55Z"}, NOW - 10_000),
        ({"timestamp": "2025-11-23T12:00:00Z", "sentAt": "2025-11-23T12:00:00.4Z"}, NOW - 365 * 86_400_000),
        ({"timestamp": "2026-11-23T09:00:00Z", "sentAt": "2026-11-23T09:00:01Z",
          "receivedAt": "2026-11-23T09:00:02Z"}, NOW - 3 * 3_600_000),
        ({"originalTimestamp": "2026-11-23T07:00:00Z", "sentAt": "2026-11-23T07:00:01Z",
          "receivedAt": "2026-11-23T09:00:01Z"}, NOW - 3 * 3_600_000),
        ({"timestamp": "2026-11-23T09:00:00Z", "sentAt": "0001-01-01T00:00:00Z"}, NOW - 3 * 3_600_000),
        ({"originalTimestamp": "2030-01-01T00:00:00Z", "sentAt": "2030-01-01T00:00:10Z"}, NOW - 10_000),
        ({"timestamp": "2030-01-01T00:00:00Z"}, NOW),
        ({"timestamp": "1999-01-01T00:00:00Z"}, NOW),
        ({"timestamp": NOW - 1000}, NOW - 1000),
        ({"timestamp": str((NOW - 1000) // 1000)}, NOW - 1000),
        ({"timestamp": "yesterday"}, NOW),
        ({"timestamp": "2026-11-23T11:00:00Z", "originalTimestamp": "2026-11-23T17:00:00Z",
          "sentAt": "2026-11-23T18:00:00Z"}, NOW - 3_600_000),
    ],
)  # fmt: skip
def test_clocks_are_corrected_and_impossible_ones_not_believed(times: dict[str, Any], at: int) -> None:
    found = track("X", {}, **times)
    assert found.event is not None
    assert found.event.at == at


UNREAD: list[dict[str, Any]] = [
    {"timestamp": "yesterday"}, {"timestamp": "04/05/2026"}, {"timestamp": {"$date": 0}}, {"timestamp": True},
    {"timestamp": "0000-00-00 00:00:00"}, {"timestamp": "1999-12-31T23:59:59Z"}, {"timestamp": "2026-11-23T12:06:00Z"},
    {"timestamp": 0}, {"timestamp": "0001-01-01T00:00:00Z"}, {"timestamp": [2026, 11, 23]}, {"timestamp": 10**25},
    {"originalTimestamp": "soon"}, {"originalTimestamp": "2031-01-01"},
    {"timestamp": "2026-11-23T11:00:00Z", "sentAt": "0001-01-01T00:00:00Z"},
    {"timestamp": "2026-11-23T11:00:00Z", "sentAt": "0000-00-00"}, {"timestamp": "2026-11-23T11:00:00Z", "sentAt": 0},
    {"timestamp": "2026-11-23T11:00:00Z", "sentAt": {}}, {"timestamp": "2026-11-23T11:00:00Z", "sentAt": "soon"},
]  # fmt: skip


@pytest.mark.parametrize("times", UNREAD, ids=str)
def test_a_time_that_is_not_taken_is_told_at_its_path(times: dict[str, Any]) -> None:
    wrong = list(times)[-1]
    for more in ({}, {"messageId": None}):
        found = track("X", {}, **times, **more)
        assert found.verdict == "usable"
        assert [(each.property, each.code in ("unreadable_time", "unlikely_time")) for each in found.problems] == [
            (wrong, True)
        ]
        assert found.event is not None
        assert found.event.at == (NOW if len(times) == 1 else NOW - 3_600_000)


@pytest.mark.parametrize("times", [{}, {"timestamp": ""}, {"timestamp": None, "sentAt": None}])
def test_a_time_that_is_not_there_is_nothing_to_tell(times: dict[str, Any]) -> None:
    found = track("X", {}, **times)
    assert not found.problems
    assert found.event is not None
    assert found.event.at == NOW


def test_one_bad_message_never_spoils_its_batch() -> None:
    body = (
        b'{"batch":[7,{"type":"track","userId":"a","event":"X"},null,'
        b'{"type":"track","userId":"b\\ud800","event":"Y\\u0000"},{"type":"track","userId":"c","event":"Z","properties":'
        + b'{"a":' * 80 + b"1" + b"}" * 80 + b'},{"type":"track","userId":"d","event":"W","properties":{"n":'
        + b"9" * 40 + b"}}]}"
    )  # fmt: skip
    found, _ = pieces(body, BATCH)
    verdicts = [normalize(piece, source="s", level="server", received=NOW).verdict for piece in found]
    assert verdicts == ["parked", "usable", "parked", "parked", "parked", "usable"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["type", "userId", "anonymousId", "event", "properties", "traits", "context", "timestamp", "messageId", "sentAt",
     "previousId", "products", "total", "email", "originalTimestamp", "receivedAt", "name", "writeKey"]
)  # fmt: skip
ODD = st.dictionaries(
    FIELDS, JSON | st.sampled_from(["track", "identify", "alias", "Order Completed", "Product Viewed", "a@b.c"])
)


@given(ODD)
def test_any_message_comes_to_a_verdict_that_can_be_stored(message: dict[str, Any]) -> None:
    found, _ = pieces(json.dumps({"batch": [message, {"type": "track", "userId": "u", "event": "E"}]}).encode(), BATCH)
    made = [normalize(piece, source="s", level="browser", received=NOW) for piece in found]
    assert made[1].verdict == "usable"
    assert all(msgspec.msgpack.encode(each) for each in made)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_taken_or_refused_in_words(body: bytes) -> None:
    for door in (BATCH, Endpoint(type="track")):
        found: list[Piece] = []
        with contextlib.suppress(BadRequest):
            found, _ = pieces(body, door)
        assert all(normalize(piece, source="s", level="server", received=NOW).verdict for piece in found)


MPARTICLE: list[tuple[str, dict[str, Any], str]] = [
    ("product", {"id": "P", "title": "Mug", "url": "https://shop.example/p"}, "Product Viewed"),
    ("product", {"product": {"id": "P", "title": "Mug", "url": "https://shop.example/p"}}, "Product Viewed"),
    ("product", {"product_sku": "P", "product_name": "Mug", "product_url": "https://shop.example/p"}, "Product Viewed"),
    ("cart_add", {"id": "P", "title": "Mug", "url": "https://shop.example/p"}, "Product Added"),
    ("category", {"id": "mugs", "title": "Mugs"}, "Product List Viewed"),
    ("search", {"query": "mug"}, "Products Searched"),
    ("conversion", {"total": 5, "products": [{"id": "P", "price": 5, "title": "Mug"}]}, "Order Completed"),
]


@pytest.mark.parametrize(("event", "properties", "name"), MPARTICLE)
def test_events_that_mparticle_sends_are_the_specs(event: str, properties: dict[str, Any], name: str) -> None:
    found = track(event, properties)
    assert found.verdict == "usable", found.problems
    assert found.event is not None
    assert found.event.name == name
    for product in found.event.products:
        assert (product.key, product.name) == ("P", "Mug")


@pytest.mark.parametrize(
    "name",
    ["query", "search_query", "search_term", "search_string", "searchQuery", "searchTerm", "searchString", "term",
     "keyword", "keywords", "q"],
)  # fmt: skip
def test_the_words_of_a_search_are_found_by_any_of_their_names(name: str) -> None:
    found = track("Products Searched", {name: " mug "})
    assert found.verdict == "usable"
    assert found.event is not None
    assert found.event.query == "mug"


@pytest.mark.parametrize(
    ("said", "category"),
    [
        ({"category": "A", "product_category": "B"}, "A"),
        ({"product_category": "B"}, "B"),
        ({"categories": [{"id": "c", "title": "C", "url": "https://shop.example/c"}]}, "C"),
        ({"categories": [{"id": "c"}]}, "c"),
        ({"categories": ["C", "D"]}, "C"),
        ({"categories": "C"}, "C"),
        ({"categories": []}, ""),
        ({"categories": [[]]}, ""),
        ({"categories": {}}, ""),
    ],
)
def test_a_category_is_found_in_any_shape(said: dict[str, Any], category: str) -> None:
    found = track("Product Viewed", {**VIEW, **said})
    assert found.event is not None
    assert found.event.products[0].category == category


def test_the_same_properties_are_read_once_and_equal_values_are_not_the_same() -> None:
    first, again, true = [
        read(event, USUAL, price=price).event
        for event, price in (("Product Viewed", 1), ("Product Added", 1), ("Product Viewed", True))
    ]
    assert first is not None
    assert again is not None
    assert true is not None
    assert first.products[0] is again.products[0]
    assert true.products[0].price is None
    assert read("Product Viewed", Placeholders(["s-1"]), price=1).verdict == "unusable"
