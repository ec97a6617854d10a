"""Integrations and a batch's context: what a batch says of all its messages, and who a message is meant for."""

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.events.clock import parse
from wetink.core.events.message import BATCH, BEHAVIORAL, MOST_SHARED, Endpoint, Piece, pieces
from wetink.core.messages.normalize import normalize
from wetink.core.messages.record import Record
from wetink.ingest.receive import check_body

NOW = parse("2026-11-23T12:00:00Z") or 0
VIEW: dict[str, Any] = {"type": "track", "userId": "u", "event": "X", "messageId": "m"}
OURS = [
    "Movable Ink", "movable ink", "MOVABLE INK", "Movable Ink (Actions)", "Actions Movable Ink", "MovableInk",
    "movable-ink", "movable_ink", "actions-movable-ink", "Movable Ink (EU)", "wetink", "Wetink", "WETINK",
]  # fmt: skip
OTHERS = ["Salesforce", "Segment.io", "Amplitude", "Google Analytics 4", "Ink", "Unmovable Inkwell", "wetinkwell", ""]
OFF: list[Any] = [False, "false", "False ", 0]
ON: list[Any] = [True, "true", 1, {}, {"sessionId": 7}]
UNSAID: list[Any] = [None, "", "maybe", [], 1.5]


def of(piece: Piece, *, relayed: bool = False) -> Record:
    return normalize(piece, source="s", level="server", received=NOW, relayed=relayed)


def said(integrations: Any, door: Endpoint = BATCH) -> Record:
    body = msgspec.json.encode({door.several: [{**VIEW, "integrations": integrations}]})
    return of(pieces(body, door)[0][0], relayed=door.relayed)


CASES = [
    *(({name: value}, name) for name, value in itertools.product(OURS, OFF)),
    *(({"All": value}, "All") for value in OFF),
    *(({name: False}, name) for name in ("all", "ALL")),
    *(({"All": False, name: value}, "") for name, value in itertools.product(OURS, ON)),
    *(({"All": False, name: value}, "All") for name, value in itertools.product(OTHERS, [*ON, *OFF])),
    *(({"All": False, "Movable Ink": value}, "All") for value in UNSAID),
    *(({"All": True, name: False}, name) for name in OURS),
    *(({"All": value, "Movable Ink": True}, "") for value in (*ON, *OFF, *UNSAID)),
    *(({"All": value}, "") for value in (*ON, *UNSAID)),
    *(({name: value}, "") for name, value in itertools.product(OTHERS, [*ON, *OFF])),
    ({"Movable Ink": True, "wetink": False}, "wetink"),
    *((value, "") for value in (None, {}, [], "All", False, 0, [{"All": False}], "false")),
]  # fmt: skip


@pytest.mark.parametrize(("integrations", "off"), CASES, ids=lambda each: json.dumps(each)[:60])
def test_a_message_that_is_not_meant_for_us_is_set_aside(integrations: Any, off: str) -> None:
    found = said(integrations)
    assert found.verdict == ("parked" if off else "usable")
    assert [(each.code, each.property) for each in found.problems] == (
        [("not_meant_for_here", f"integrations.{off}")] if off else []
    )
    assert (found.event is None) is bool(off)
    assert not off or off in found.problems[0].hint


def test_the_check_command_tells_as_well() -> None:
    line = msgspec.json.encode({**VIEW, "integrations": {"All": False}})
    [told] = check_body(line, NOW)
    assert told["verdict"] == "parked"
    assert told["problems"][0]["property"] == "integrations.All"


def test_what_a_relay_was_told_to_send_here_is_taken() -> None:
    """A destination has the name its owner gave it: whoever relays a message has looked at `All` already."""
    assert said({"All": False}, BEHAVIORAL).verdict == "usable"
    assert said({"All": False, "Our Movable Ink": True}, BEHAVIORAL).verdict == "usable"
    assert said({"Movable Ink": False}, BEHAVIORAL).verdict == "parked"


def batch(messages: list[dict[str, Any]], **shared: Any) -> list[Piece]:
    return pieces(msgspec.json.encode({"batch": messages, **shared}), BATCH)[0]


def test_what_a_batch_says_stands_under_what_each_message_says() -> None:
    shared = {"library": {"name": "shop", "version": "1"}, "timezone": "Europe/Berlin", "traits": {"a": 1, "b": 1}}
    own = {"timezone": "Asia/Tokyo", "page": {"url": "https://shop.example/"}, "traits": {"b": 2, "c": None}}
    first, second = batch(
        [{**VIEW, "context": own, "integrations": {"Movable Ink": True}}, VIEW],
        context=shared, integrations={"All": False, "Salesforce": False},
    )  # fmt: skip
    raw = msgspec.json.decode(first.raw)
    assert raw["context"] == {**shared, **own, "traits": {"a": 1, "b": 2, "c": None}}
    assert raw["integrations"] == {"All": False, "Salesforce": False, "Movable Ink": True}
    assert of(first).verdict == "usable"
    assert of(first).event.traits == {"a": 1, "b": 2, "c": None}  # type: ignore[union-attr]
    assert msgspec.json.decode(second.raw)["context"] == shared
    assert of(second).verdict == "parked"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["traits", "page", "a", "All"]), inner),
    max_leaves=8,
)


@given(JSON, JSON, JSON, JSON)
def test_stored_integrations_give_the_same_result_in_a_replay(
    shared: Any, own: Any, integrations: Any, own_integrations: Any
) -> None:
    messages = [
        {**VIEW, "context": own, "integrations": own_integrations},
        {**VIEW, "messageId": None, "timestamp": NOW},
    ]
    for each in batch(messages, context=shared, integrations=integrations, sentAt=NOW - 60_000):
        [again] = pieces(each.raw, Endpoint())[0]
        assert of(again) == of(each)
        kept = msgspec.json.decode(each.raw)
        if isinstance(shared, dict) and isinstance(kept.get("context"), dict):
            assert set(shared) <= set(kept["context"])


@pytest.mark.parametrize("shared", [None, "text", 7, [], [{}], {}, True])
def test_a_shared_context_of_any_kind_takes_nothing_with_it(shared: Any) -> None:
    for piece in batch([VIEW], context=shared, integrations=shared):
        assert of(piece).verdict == "usable"
        assert msgspec.json.decode(piece.raw) == VIEW


def test_what_is_shared_cannot_make_a_batch_a_thousand_times_as_large() -> None:
    found = batch([{**VIEW, "messageId": str(number)} for number in range(2_000)], context={"a": "x" * 20_000})
    assert {of(piece).problems[0].code for piece in found} == {"shared_too_large"}
    assert sum(len(piece.raw) for piece in found) < MOST_SHARED
    assert of(batch([VIEW], context={"a": "x" * 20_000})[0]).verdict == "usable"
    deep = b'{"batch":[{"type":"track","userId":"u","event":"X"}],"context":' + b'{"a":' * 900 + b"1" + b"}" * 901
    assert [of(piece).problems[0].code for piece in pieces(deep, BATCH)[0]] == ["too_deep"]
