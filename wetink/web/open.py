"""The opens' door, a plain ASGI callable: pictures, decisions as JSON, clicks. Every answer is a valid one.

    GET /o/{block}/{slot}/{token}.jpg     a picture; .png alike; or /o/{block}/{slot}.jpg?user=42 where the block allows
    GET /o/{block}/{slot}/{token}.gif     the same, moving where it can
    GET /d/{block}/{token}.json           the decision as JSON
    GET /c/{block}/{slot}/{token}         a click: on to where the served decision points
    GET /a/{block}/{slot}/{token}.txt     what a slot's picture shows, in words
    GET /h/{block}/{token}.html           the linked pictures as HTML, for a page of the shop

`?c=` names the campaign, `?scheme=dark` the reader's color scheme, `?r=3` the device pixels for each CSS pixel;
`?lang=`, `?cur=` and `?tz=` the reader's language, currency and time zone, else their traits say them.
"""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from wetink.core.block import Block, Decision
from wetink.core.event import Product
from wetink.core.fetch import seen_as
from wetink.core.identifier import Identifier
from wetink.core.person import Moment
from wetink.ports import Picture
from wetink.web.again import Again
from wetink.web.clock import now_ms
from wetink.wiring import Wetink

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

LONGEST_CAMPAIGN, LONGEST_HABIT = 100, 64
LONGEST_PARAMETER, MOST_PARAMETERS = 256, 32
RATIOS = {"1": 1, "2": 2, "3": 3}
"""Device pixels for each CSS pixel, by `?r=`."""
LEGAL = "!#$%&'()*+,/:;=?@[]~"
"""What stays as it is in a redirect's address; all else beyond letters and digits is written as %XX."""

NOT_KEPT: tuple[Header, ...] = (
    (b"cache-control", b"private, no-cache, no-store, must-revalidate, max-age=0"),
    (b"pragma", b"no-cache"),
    (b"expires", b"0"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""What keeps mail proxies from keeping an answer. There is no ETag: nothing may be answered with 304."""

DATA: tuple[Header, ...] = (
    (b"cache-control", b"private, no-store, max-age=0"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
"""On data, which pages and programs ask for, never a mail provider's proxy of pictures."""


class Shown(msgspec.Struct, frozen=True, gc=False):
    """One product of a decision, as JSON shows it. `link` is what its slot's click leads to."""

    key: str
    product: Product
    link: str


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A decision as JSON. `at` is Unix milliseconds. Names nobody."""

    block: str
    variant: str
    app: str
    at: int
    items: list[Shown]
    link: str


_encode = msgspec.json.Encoder().encode


class OpenDoors:
    """Answers `/o/`, `/d/`, `/c/`, `/a/` and `/h/`."""

    def __init__(self, wetink: Wetink, clock: Callable[[], int] = now_ms) -> None:
        """Serve this wetink by this clock (Unix ms)."""
        self._wetink, self._clock = wetink, clock
        self._again, self._made_of, self._failed, self._clicks = Again(), wetink.content, 0, 0

    @staticmethod
    def handles(path: str) -> bool:
        """Whether a path is one of these doors."""
        return path[:3] in ("/o/", "/d/", "/c/", "/a/", "/h/")

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "OPTIONS":
            allowed = (*self._cors(scope), (b"access-control-allow-methods", b"GET, HEAD"))
            await _answer(send, 204, b"", b"", allowed)
            return
        if scope["method"] not in ("GET", "HEAD"):
            await _error(send, 405, "method_not_allowed", "only GET and HEAD", ((b"allow", b"GET, HEAD"),))
            return
        path = scope["path"]
        if path[1] in "od" and scope["method"] == "GET" and not path.endswith(".gif"):
            await self._once_more(scope, send)
        else:
            await self._answer(scope, send)

    async def _once_more(self, scope: Scope, send: Send) -> None:
        """Give the answer of a moment ago if nothing has happened since; else make it, and keep it for a moment."""
        path = scope["path"]
        asked = path, scope["query_string"], _client(scope), tuple(map(tuple, scope["headers"]))
        if self._made_of is not self._wetink.content:
            self._again, self._made_of = Again(), self._wetink.content
        now, version = self._clock(), await self._wetink.version()
        state = version, self._clicks
        known = self._again.get(asked, state, now) if version is not None else None
        if known is not None:
            messages, served = known
            if served is not None:
                self._wetink.ledger.served(served, now)
            for message in messages:
                await send(message)
            return
        if version is None or (path[1] == "d" and not self._again.asked_before(path, now)):
            await self._answer(scope, send)  # most who read data do so once: what is kept for nobody costs all others
            return
        troubles, sent = self._troubles, []

        async def noted(message: MutableMapping[str, Any]) -> None:
            sent.append(message)
            await send(message)

        await self._answer(scope, noted)
        if self._troubles == troubles and sent[0]["status"] == 200:
            self._again.put(asked, state, now, sent, scope.get("wetink.served"))

    @property
    def _troubles(self) -> int:
        return self._failed + self._wetink.troubles

    async def _answer(self, scope: Scope, send: Send) -> None:
        path = scope["path"]
        parts = path[3:].split("/")
        query = _query(scope["query_string"])
        if path[1] == "o":
            await self._picture(parts, query, scope, send)
        elif path[1] == "c":
            await self._click(parts, query, scope, send)
        elif path[1] == "a":
            await self._words(parts, query, scope, send)
        elif path[1] == "h":
            await self._fragment(parts, query, scope, send)
        else:
            await self._data(parts, query, scope, send)

    async def _picture(self, parts: list[str], query: dict[str, str], scope: Scope, send: Send) -> None:
        last = parts[-1].rpartition(".")
        stem = last[0] if last[1] else last[2]
        name = unquote(parts[0])
        slot = _slot(parts[1] if len(parts) == 3 else stem)
        who = self._recipient(name, stem if len(parts) == 3 else "", "picture", query)
        head = scope["method"] == "HEAD"
        moment = self._moment(query, scope, moving=last[2] == "gif" and bool(last[1]))
        picture = await self._wetink.open_picture(name, slot, who, moment, counted=not head)
        if picture.served is not None:
            self._wetink.ledger.served(picture.served, moment.now)
            scope["wetink.served"] = picture.served  # for when it is sent once more
        await _send_picture(send, picture, head=head)

    async def _click(self, parts: list[str], query: dict[str, str], scope: Scope, send: Send) -> None:
        name = unquote(parts[0])
        slot = _slot(parts[1] if len(parts) > 1 else "")
        who = self._recipient(name, parts[2] if len(parts) == 3 else "", "click", query)
        head = scope["method"] == "HEAD"
        self._clicks += 1  # what is shown next may depend on it
        target = await self._wetink.destination(name, slot, who, self._moment(query, scope), counted=not head)
        if target:
            location = quote(target, safe=LEGAL).encode("ascii")
            await _answer(send, 302, b"", b"", (*NOT_KEPT, (b"location", location)))
        else:
            await _answer(send, 200, b"text/html; charset=utf-8", NOWHERE, NOT_KEPT)

    async def _data(self, parts: list[str], query: dict[str, str], scope: Scope, send: Send) -> None:
        name = unquote(parts[0].removesuffix(".json"))
        block = self._wetink.content.blocks.get(name)
        if block is None or not block.data:
            message = f"there is no block called {name[:64]!r} to read here"
            await _error(send, 404, "unknown_block", message, self._cors(scope))
            return
        token = parts[1].removesuffix(".json") if len(parts) == 2 else ""
        who = self._recipient(name, token, "data", query)
        head, moment = scope["method"] == "HEAD", self._moment(query, scope)
        try:
            asked = self._wetink.preview(name, who, moment) if head else self._wetink.read(block, who, moment)
            decision = await asked
            body = _encode(_shown(decision))
        except Exception:
            logger.exception("%s answers its fallback", name)
            self._failed += 1
            body = _encode(_nothing(block, self._clock()))
        headers = (*DATA, *(self._amp(query, scope) or self._cors(scope)))
        await _answer(send, 200, b"application/json", body, headers, head=head)

    async def _words(self, parts: list[str], query: dict[str, str], scope: Scope, send: Send) -> None:
        name = unquote(parts[0])
        slot = _slot(parts[1] if len(parts) > 1 else "")
        who = self._recipient(name, parts[2].removesuffix(".txt") if len(parts) == 3 else "", "picture", query)
        said = await self._wetink.words(name, slot, who, self._moment(query, scope))
        head = scope["method"] == "HEAD"
        body = said.encode("utf-8", "replace")
        await _answer(send, 200, b"text/plain; charset=utf-8", body, (*DATA, *self._cors(scope)), head=head)

    async def _fragment(self, parts: list[str], query: dict[str, str], scope: Scope, send: Send) -> None:
        name = unquote(parts[0].removesuffix(".html"))
        who = self._recipient(name, parts[1].removesuffix(".html") if len(parts) == 2 else "", "picture", query)
        html = await self._wetink.fragment(name, who, self._moment(query, scope))
        head = scope["method"] == "HEAD"
        body = html.encode("utf-8", "replace")
        await _answer(send, 200, b"text/html; charset=utf-8", body, (*DATA, *self._cors(scope)), head=head)

    def _amp(self, query: dict[str, str], scope: Scope) -> tuple[Header, ...]:
        """Return the headers by which an AMP email may read the answer, none for a sender that is not the shop's.

        Source: "CORS in AMP for Email", both versions: by the sender's address, or by the mail program's origin.
        """
        said = {name: value for name, value in scope["headers"] if name in (b"amp-email-sender", b"origin")}
        senders = self._wetink.settings.amp_senders
        sender = said.get(b"amp-email-sender", b"").decode("latin-1")
        if sender:
            return ((b"amp-email-allow-sender", sender.encode("latin-1")),) if sender.lower() in senders else ()
        source, origin = query.get("__amp_source_origin", ""), said.get(b"origin", b"")
        if not origin or source.lower() not in senders:
            return ()
        return (
            (b"access-control-allow-origin", origin),
            (b"amp-access-control-allow-source-origin", source.encode("latin-1", "replace")),
            (b"access-control-expose-headers", b"AMP-Access-Control-Allow-Source-Origin"),
        )

    def _cors(self, scope: Scope) -> tuple[Header, ...]:
        """Let pages of the shop's own hosts read the answer, and no others: it tells of a person."""
        origin = next((value for name, value in scope["headers"] if name == b"origin"), b"")
        if not origin:
            return ()
        mine = self._wetink.own_origin(origin.decode("latin-1"))
        return ((b"vary", b"origin"), *(((b"access-control-allow-origin", origin),) if mine else ()))

    def _recipient(self, name: str, token: str, purpose: Any, query: dict[str, str]) -> Identifier | None:
        if token:
            return self._wetink.unseal(token, name, purpose)
        block = self._wetink.content.blocks.get(name)
        if block is not None:
            for kind in block.recipients:
                if kind in query:
                    return self._wetink.named(kind, query[kind])
        return None

    def _moment(self, query: dict[str, str], scope: Scope, *, moving: bool = False) -> Moment:
        agent = forwarded = b""
        for name, value in scope["headers"]:
            if name == b"user-agent":
                agent = value
            elif name == b"x-forwarded-for":
                forwarded = value
        place = self._wetink.place_of(_client(scope), forwarded.decode("latin-1"))
        facts, fetch = seen_as(agent.decode("latin-1"), place.owner, scope["method"], False)
        here = fetch.kind == "person"  # else the address tells where a machine stands
        return Moment(
            now=self._clock(),
            device=facts.device if fetch.kind in ("person", "unknown") else fetch.kind,
            facts=facts,
            taken_for=fetch.kind,
            country=place.country if here else "",
            region=place.region if here else "",
            city=place.city if here else "",
            latitude=place.latitude if here else None,
            longitude=place.longitude if here else None,
            local_zone=place.time_zone if here else "",
            language=query.get("lang", "")[:LONGEST_HABIT],
            currency=query.get("cur", "")[:LONGEST_HABIT],
            time_zone=query.get("tz", "")[:LONGEST_HABIT],
            scheme="dark" if query.get("scheme") == "dark" else "light",
            campaign=query.get("c", "")[:LONGEST_CAMPAIGN],
            ratio=RATIOS.get(query.get("r", ""), 2),
            moving=moving,
            parameters=parameters_of(query),
        )


NOWHERE = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><title>Nothing here</title>'
    b"<p>This link leads nowhere any more.</p></html>"
)


def _query(raw: bytes) -> dict[str, str]:
    if not raw:
        return {}
    return dict(parse_qsl(raw.decode("latin-1"), errors="replace"))


def parameters_of(query: dict[str, str]) -> dict[str, str]:
    """Return what an address says beyond what names the reader, as far as rules may ask for it."""
    if not query:
        return {}
    kept = [(name, value[:LONGEST_PARAMETER]) for name, value in query.items() if name not in ("user", "email")]
    return {name: value for name, value in kept[:MOST_PARAMETERS] if len(name) <= LONGEST_HABIT}


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _slot(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) >= 1 else 1


def _shown(decision: Decision) -> Answer:
    links = decision.links
    items = [
        Shown(item.key, item, links[index] if index < len(links) else item.url or links[-1])
        for index, item in enumerate(decision.items)
    ]
    return Answer(decision.block, decision.variant, decision.app, decision.at, items, links[0])


def _nothing(block: Block, now: int) -> Answer:
    return Answer(block.name, "", "", now, [], block.fallback.link)


async def _send_picture(send: Send, picture: Picture, *, head: bool) -> None:
    await _answer(send, 200, picture.content_type.encode(), picture.body, NOT_KEPT, head=head)


async def _error(send: Send, status: int, code: str, message: str, headers: tuple[Header, ...] = ()) -> None:
    body = _encode({"error": {"code": code, "message": message}})
    await _answer(send, status, b"application/json", body, (*NOT_KEPT, *headers))


async def _answer(
    send: Send, status: int, content_type: bytes, body: bytes, headers: tuple[Header, ...], *, head: bool = False
) -> None:
    length: tuple[Header, ...] = () if status == 204 else ((b"content-length", str(len(body)).encode()),)
    kind: tuple[Header, ...] = ((b"content-type", content_type),) if content_type else ()
    await send({"type": "http.response.start", "status": status, "headers": [*kind, *length, *headers]})
    await send({"type": "http.response.body", "body": b"" if head else body})
