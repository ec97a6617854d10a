"""Webhooks: messages about people who joined or left an audience, and their state after each try.

waiting     due later
delivered   the receiver accepted it (2xx)
dead        given up; you can retry it by hand
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from wetink.core.errors import BadContent
from wetink.core.identity.identifier import Identifier
from wetink.core.text.link import host_of

Move = Literal["enter", "leave"]

TRACKS: dict[Move, str] = {"enter": "Audience Entered", "leave": "Audience Exited"}
"""The events that Segment Engage sends, and that ESPs' destinations accept. Source: Segment's Engage docs."""

TYPES: dict[Move, str] = {"enter": "audience.entered", "leave": "audience.left"}


class Hook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The receiver of an audience's changes, and the form of the messages."""

    url: Annotated[str, Meta(min_length=1, max_length=2048, description="URL that receives the webhook.")]
    """For `identify` and `track`: the full URL of a Tracking API, such as https://host/v1/track."""
    send: Literal["webhook", "identify", "track"] = "webhook"
    write_key: str = ""
    """For `identify` and `track`. Empty: the setting `hook_write_key`."""
    trait: Annotated[str, Meta(pattern="^[A-Za-z0-9_]{0,64}$")] = ""
    """Name of the boolean trait. Empty: the audience's name with `_` for `-`."""
    on: tuple[Move, ...] = ("enter", "leave")
    anonymous: bool = False
    """Whether to report people without a known user id or address."""
    backfill: bool = False
    """Whether to report the members of the audience's first computation."""


class MembershipChange(msgspec.Struct, frozen=True):
    """One person joined or left an audience. `member` is the root of their profile, `at` is Unix ms."""

    id: str
    audience: str
    move: Move
    member: Identifier
    at: int


class Post(msgspec.Struct, frozen=True):
    """A POST request to send."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def check(hook: Hook) -> None:
    """Raise BadContent for an invalid hook, with the place."""
    if not host_of(hook.url):
        raise BadContent(f"{hook.url!r} is not an http(s) URL", where="hook.url")
    if not hook.on:
        raise BadContent("it has no events", hint="write enter, leave or both", where="hook.on")
    if hook.send == "webhook" and (hook.write_key or hook.trait):
        field = "write_key" if hook.write_key else "trait"
        raise BadContent(f"a webhook has no {field}", hint="send: identify or track", where=f"hook.{field}")


def change_id(audience: str, move: Move, member: Identifier, at: int) -> str:
    """Return the id of a change. It is the same for each delivery, so receivers can recognize repetitions."""
    parts = "\0".join((audience, move, str(member), str(at)))
    return "msg_" + hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=15).hexdigest()


def concerns(hook: Hook, change: MembershipChange) -> bool:
    """Return whether a hook reports a change."""
    return change.move in hook.on and (hook.anonymous or change.member.kind != "anonymous")


def post_of(
    hook: Hook, change: MembershipChange, identifiers: Sequence[Identifier], *, secret: bytes, write_key: str, now: int
) -> Post:
    """Return the request that reports a change. `identifiers` are those of the profile, `now` is Unix ms."""
    if hook.send == "webhook":
        return _webhook(hook, change, identifiers, secret, now)
    body = msgspec.json.encode(_message(hook, change, identifiers))
    basic = base64.b64encode(f"{hook.write_key or write_key}:".encode()).decode()
    return Post(hook.url, (("content-type", "application/json"), ("authorization", f"Basic {basic}")), body)


def signature(secret: bytes, message_id: str, seconds: int, body: bytes) -> str:
    """Return a webhook's signature: `v1,` and the HMAC-SHA256 in Base64.

    Source: the Standard Webhooks specification, signature scheme.
    """
    signed = b".".join((message_id.encode(), str(seconds).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def shown_secret(secret: bytes) -> str:
    """Return a signing secret in the form that receivers' libraries expect."""
    return "whsec_" + base64.b64encode(secret).decode()


def _webhook(hook: Hook, change: MembershipChange, identifiers: Sequence[Identifier], secret: bytes, now: int) -> Post:
    body = msgspec.json.encode(
        {
            "type": TYPES[change.move],
            "timestamp": _iso(change.at),
            "data": {
                "audience": change.audience,
                "profile": str(change.member),
                "identifiers": {
                    kind: [each.value for each in identifiers if each.kind == kind]
                    for kind in ("user", "email", "anonymous")
                },
            },
        }
    )
    seconds = now // 1000
    headers = (
        ("content-type", "application/json"),
        ("webhook-id", change.id),
        ("webhook-timestamp", str(seconds)),
        ("webhook-signature", signature(secret, change.id, seconds, body)),
    )
    return Post(hook.url, headers, body)


def _message(hook: Hook, change: MembershipChange, identifiers: Sequence[Identifier]) -> dict[str, Any]:
    """Return a change in the form of Segment Engage."""
    trait, inside = hook.trait or change.audience.replace("-", "_"), change.move == "enter"
    emails = [each.value for each in (change.member, *identifiers) if each.kind == "email"]
    message: dict[str, Any] = {"type": hook.send, "messageId": change.id, "timestamp": _iso(change.at)}
    message |= _named(change.member, identifiers)
    contact = {"email": emails[0]} if emails else {}
    message["context"] = {
        "personas": {"computation_class": "audience", "computation_key": change.audience},
        **({"traits": contact} if contact else {}),
    }
    if hook.send == "identify":
        return message | {"traits": {trait: inside, **contact}}
    return message | {"event": TRACKS[change.move], "properties": {"audience_key": change.audience, trait: inside}}


def _named(member: Identifier, identifiers: Sequence[Identifier]) -> dict[str, str]:
    """Return the identifiers of a message. With only an address, it gets an anonymous id, as Segment requires."""
    if member.kind == "user":
        return {"userId": member.value}
    if member.kind == "anonymous":
        return {"anonymousId": member.value}
    own = next((each.value for each in identifiers if each.kind == "anonymous"), "")
    return {"anonymousId": own or hashlib.blake2b(member.value.encode(), digest_size=16).hexdigest()}


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


State = Literal["waiting", "delivered", "dead"]

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
PAUSES = (5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)
"""Pauses after each failed try, in milliseconds. After the last try, a bit more than a day later, it is given up."""

LONGEST_WISH = 24 * HOUR
"""The longest pause (ms) that a receiver may request with `Retry-After`."""

GONE = 410


class Answer(msgspec.Struct, frozen=True):
    """A receiver's answer. `status` is 0 without one, and `trouble` the reason. `retry_after` is in ms, or 0."""

    status: int
    trouble: str = ""
    retry_after: int = 0

    @property
    def taken(self) -> bool:
        """Whether the receiver accepted the message."""
        return 200 <= self.status < 300

    @property
    def words(self) -> str:
        """The result in words."""
        return self.trouble or f"it answered {self.status}"


class Outcome(msgspec.Struct, frozen=True):
    """The next state of a message. `at` is the next try (Unix ms), `why` the last answer."""

    state: State
    at: int
    why: str = ""


def after(tries: int, answer: Answer, now: int, message_id: str) -> Outcome:
    """Return the state of a message at `now` (Unix ms) after its `tries`-th try.

    Any answer but a 2xx is retried, because a 404 is often a mistake in a deployment; only a 410 ends the tries. Pauses
    vary from message to message, so that a receiver that recovers is not flooded. Source: the Standard Webhooks
    specification, deliverability.

    >>> after(1, Answer(204), 0, "a").state, after(1, Answer(500), 0, "a").state, after(9, Answer(500), 0, "a").state
    ('delivered', 'waiting', 'dead')
    >>> after(1, Answer(410), 0, "a").why, after(1, Answer(429, retry_after=60_000), 0, "a").at >= 60_000
    ('it answered 410', True)
    """
    if answer.taken:
        return Outcome("delivered", now)
    if answer.status == GONE or tries > len(PAUSES):
        return Outcome("dead", now, answer.words)
    pause = PAUSES[tries - 1]
    spread = hashlib.blake2b(f"{message_id}\0{tries}".encode(), digest_size=2).digest()
    pause += pause * int.from_bytes(spread, "big") // (5 * 65_536)
    return Outcome("waiting", now + max(pause, min(answer.retry_after, LONGEST_WISH)), answer.words)
