"""Hooks: what is told outside of who entered and left an audience, as receivers' own libraries read it."""

import base64
import json
import time
from typing import Any

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from wetink.core.errors import BadContent
from wetink.core.events.message import Endpoint, pieces
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.normalize import normalize
from wetink.core.outbound.webhook import Hook, MembershipChange, Post, change_id, check, concerns, post_of, shown_secret

NOW, SECRET = 1_790_000_000_000, bytes(range(32))
USER, EMAIL, DEVICE = (
    Identifier("user", "42"),
    Identifier("email", "jane@shop.example"),
    Identifier("anonymous", "a-1"),
)
URL = "https://esp.example/hook"


def change(member: Identifier = USER, move: Any = "enter") -> MembershipChange:
    return MembershipChange(change_id("big-spenders", move, member, NOW), "big-spenders", move, member, NOW)


def told(hook: Hook, of: MembershipChange, *identifiers: Identifier, now: int = NOW) -> Post:
    return post_of(hook, of, identifiers, secret=SECRET, write_key="KEY", now=now)


def test_a_webhook_is_verified_by_the_standards_own_library() -> None:
    post = told(Hook(URL), change(), USER, EMAIL, DEVICE, now=time.time_ns() // 1_000_000)
    headers = dict(post.headers)
    said = Webhook(shown_secret(SECRET)).verify(post.body, headers)
    assert said == {
        "type": "audience.entered",
        "timestamp": "2026-09-21T14:13:20.000Z",
        "data": {
            "audience": "big-spenders",
            "profile": "user:42",
            "identifiers": {"user": ["42"], "email": ["jane@shop.example"], "anonymous": ["a-1"]},
        },
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(shown_secret(SECRET)).verify(post.body.replace(b"42", b"43"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown_secret(bytes(32))).verify(post.body, headers)


def test_a_repetition_is_known_by_its_id() -> None:
    first, again = told(Hook(URL), change()), told(Hook(URL), change(), now=NOW + 60_000)
    ids = [dict(post.headers)["webhook-id"] for post in (first, again)]
    assert ids[0] == ids[1] == change().id
    assert change(move="leave").id != change().id


@pytest.mark.parametrize(
    ("send", "move", "what"),
    [
        ("identify", "enter", {"traits": {"big_spenders": True, "email": "jane@shop.example"}}),
        ("identify", "leave", {"traits": {"big_spenders": False, "email": "jane@shop.example"}}),
        (
            "track",
            "enter",
            {"event": "Audience Entered", "properties": {"audience_key": "big-spenders", "big_spenders": True}},
        ),
        (
            "track",
            "leave",
            {"event": "Audience Exited", "properties": {"audience_key": "big-spenders", "big_spenders": False}},
        ),
    ],
)
def test_segment_messages_are_what_engage_sends(send: Any, move: Any, what: dict[str, Any]) -> None:
    post = told(Hook("https://cdp.example/v1/track", send=send), change(move=move), USER, EMAIL)
    assert dict(post.headers)["authorization"] == "Basic " + base64.b64encode(b"KEY:").decode()
    message = json.loads(post.body)
    assert message.items() >= {"type": send, "userId": "42", "timestamp": "2026-09-21T14:13:20.000Z", **what}.items()
    assert message["context"]["personas"] == {"computation_class": "audience", "computation_key": "big-spenders"}


@pytest.mark.parametrize("member", [USER, EMAIL, DEVICE], ids=str)
@pytest.mark.parametrize("send", ["identify", "track"])
def test_whoever_takes_segments_messages_knows_who_is_meant(send: Any, member: Identifier) -> None:
    """Read by our own door, as any CDP would: usable, and filed under that very person."""
    post = told(Hook(URL, send=send), change(member), member)
    read = normalize(pieces(post.body, Endpoint(type=send, body_bytes=1 << 16))[0][0], "other", "server", NOW)
    assert read.verdict == "usable"
    carried = {read.filed, *(claim.stronger for claim in read.claims), *(claim.weaker for claim in read.claims)}
    assert member in carried


def test_a_trait_may_be_called_otherwise_and_a_key_be_the_hooks_own() -> None:
    post = told(Hook(URL, send="identify", trait="vip", write_key="OWN"), change())
    assert json.loads(post.body)["traits"]["vip"] is True
    assert dict(post.headers)["authorization"] == "Basic " + base64.b64encode(b"OWN:").decode()


@pytest.mark.parametrize(
    ("hook", "of", "is_told"),
    [
        (Hook(URL), change(USER), True),
        (Hook(URL), change(EMAIL, "leave"), True),
        (Hook(URL), change(DEVICE), False),
        (Hook(URL, anonymous=True), change(DEVICE), True),
        (Hook(URL, on=("enter",)), change(USER, "leave"), False),
    ],
)
def test_a_webhook_is_sent_only_for_its_changes(hook: Hook, of: MembershipChange, is_told: bool) -> None:
    assert concerns(hook, of) is is_told


@pytest.mark.parametrize(
    ("written", "where"),
    [
        ({"url": "ftp://esp.example/"}, "hook.url"),
        ({"url": URL, "on": []}, "hook.on"),
        ({"url": URL, "write_key": "K"}, "hook.write_key"),
        ({"url": URL, "trait": "vip"}, "hook.trait"),
    ],
)
def test_a_hook_that_cannot_mean_anything_is_refused_with_the_place(written: dict[str, Any], where: str) -> None:
    with pytest.raises(BadContent) as told:
        check(msgspec.convert(written, Hook))
    assert told.value.where == where


def test_an_unknown_way_of_telling_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"url": URL, "send": "pigeon"}, Hook)
