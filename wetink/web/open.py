"""Endpoints for opens, a plain ASGI callable: pictures, decisions as JSON, clicks. Every answer is valid.

    GET /o/{block}/{slot}/{token}.jpg     a picture, or .png; /o/{block}/{slot}.jpg?user=42 if the block allows it
    GET /o/{block}/{slot}/{token}.gif     the same, animated if possible
    GET /d/{block}/{token}.json           the decision as JSON
    GET /c/{block}/{slot}/{token}         a click: redirects to the link of the served decision
    GET /a/{block}/{slot}/{token}.txt     the alternative text of a slot's picture
    GET /h/{block}/{token}.html           the linked pictures as HTML, for a page of the shop

`?c=` is the campaign, `?scheme=dark` the reader's color scheme, and `?r=3` the device pixels for each CSS pixel.
`?lang=`, `?cur=` and `?tz=` are the reader's language, currency and time zone; without them, the person's traits apply.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import msgspec
from msgspec.structs import replace

from wetink.core.blocks.block import Block, Decision
from wetink.core.blocks.decide import prepared
from wetink.core.client_classification import classify_request
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.text.characters import controls
from wetink.core.text.placeholder import USUAL
from wetink.opens.geo import NOWHERE as NO_PLACE
from wetink.opens.geo import Place
from wetink.opens.lookup import Lookup
from wetink.opens.recipient import Purpose
from wetink.telemetry.metrics import FALLBACKS, OPENS
from wetink.telemetry.request import note, step
from wetink.web.protocol import Respond, Take, Turns
from wetink.web.request import (
    Header,
    OpenRequest,
    Reply,
    ResponseCache,
    Scope,
    Send,
    from_scope,
    now_ms,
    parameters_of,
    reply_with,
)
from wetink.wiring import Wetink

logger = logging.getLogger(__name__)

LONGEST_CAMPAIGN, LONGEST_HABIT = 100, 64
RATIOS = {"1": 1, "2": 2, "3": 3}
"""Pixel ratios by the value of `?r=`."""
LEGAL = "!#$%&'()*+,/:;=?@[]~"
"""Characters that stay unescaped in a redirect's URL, besides letters and digits."""

NOT_KEPT: tuple[Header, ...] = (
    (b"cache-control", b"private, no-cache, no-store, must-revalidate, max-age=0"),
    (b"pragma", b"no-cache"),
    (b"expires", b"0"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""Headers that keep mail proxies from caching an answer. There is no ETag: an answer must never be a 304."""

DATA: tuple[Header, ...] = (
    (b"cache-control", b"private, no-store, max-age=0"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
"""Headers of data, which pages and programs fetch; image proxies of mail providers do not."""


JSON: Header = (b"content-type", b"application/json")
JSON_DATA = (JSON, *DATA)


class Shown(msgspec.Struct, frozen=True, gc=False):
    """One product of a decision as JSON. `link` is the URL of a click on its slot."""

    key: str
    product: Product
    link: str


class DecisionBody(msgspec.Struct, frozen=True, gc=False):
    """A decision as JSON, without the recipient. `at` is Unix ms."""

    block: str
    variant: str
    app: str
    at: int
    items: list[Shown]
    link: str


_encode = msgspec.json.Encoder().encode


class Target(NamedTuple):
    """The parts of a path: a block, one of its slots, and a recipient's token, empty without one.

    `moving` means that the path is a GIF's.
    """

    block: str
    slot: int
    token: str
    moving: bool


PURPOSES: Mapping[str, Purpose] = {"o": "picture", "d": "data", "c": "click", "a": "picture", "h": "picture"}
"""The purpose of the tokens in a path, by the path's first letter."""
SLOTTED, SUFFIXES = "oca", {"d": ".json", "a": ".txt", "h": ".html"}
"""First letters of the paths with a slot, and suffixes of paths. A picture's suffix is that of its format."""


_COUNTS = {"o": OPENS["picture"], "d": OPENS["data"], "c": OPENS["click"]}


class OpenEndpoints:
    """Answers `/o/`, `/d/`, `/c/`, `/a/` and `/h/`."""

    PATHS = tuple(f"/{letter}/" for letter in PURPOSES)
    """Prefixes of the paths that these endpoints answer."""

    def __init__(self, wetink: Wetink, clock: Callable[[], int] = now_ms) -> None:
        """Serve `wetink`. `clock` returns Unix ms."""
        self._wetink, self._clock = wetink, clock
        self._responses, self._turns = ResponseCache(), Turns()
        self._answers = {
            "o": self._picture,
            "d": self._data,
            "c": self._click,
            "a": self._words,
            "h": self._fragment,
        }

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """Answer one request."""
        request = from_scope(scope)
        await reply_with(send, await self._reply(request), head=request.head)

    def fast_path(self, target: bytes, headers: Sequence[Header], client: str) -> Take | None:
        """Return the callable that takes a GET the short way (see `web.protocol`): picture or data at a plain path."""
        if target[:3] not in (b"/o/", b"/d/") or b"%" in target:
            return None
        path, _, query = target.partition(b"?")
        return partial(self.take, OpenRequest("GET", path.decode("latin-1"), query, dict(headers), client))

    def take(self, request: OpenRequest, body: bytes, respond: Respond) -> None:
        """Answer in the next turn of the event loop."""
        self._turns.add(self._respond(request, respond), prompt=self._is_prompt(request))

    def _is_prompt(self, request: OpenRequest) -> bool:
        """Return whether the answer rarely has to wait: data, unless it needs an outside service."""
        content = self._wetink.content
        block = content.answering(request.path[3:].partition("/")[0]) if request.path[1] == "d" else None
        return block is not None and not block.email and not prepared(block, self._wetink.apps, content.rules).outside

    async def _respond(self, request: OpenRequest, respond: Respond) -> None:
        try:
            reply = await self._reply(request)
        except Exception:
            logger.exception("an open could not be answered")
            reply = _error(503, "unavailable", "this cannot be answered right now", NOT_KEPT)
        respond(reply.status, reply.headers, reply.body)

    async def _reply(self, request: OpenRequest) -> Reply:
        """Answer an open, from the cache if the store would still give the same answers."""
        if request.method == "OPTIONS":
            return Reply(204, (*self._cors(request), (b"access-control-allow-methods", b"GET, HEAD")), b"")
        if request.method not in ("GET", "HEAD"):
            return _error(405, "method_not_allowed", "only GET and HEAD", (*NOT_KEPT, (b"allow", b"GET, HEAD")))
        kind, content, now = request.path[1], self._wetink.content, self._clock()
        keep = kind in "od" and not request.head and not request.path.endswith(".gif")
        if kind == "d" and keep:  # most recipients read data once, so only a second read is cached
            keep = self._responses.seen_before(request.path, now)
        reply = await self._responses.standing(request.key, content, now) if keep else None
        outcome = "repeated"
        if reply is None:
            look = self._wetink.opens.begin()
            reply = await self._answers[kind](request, target_of(request.path), request.parameters(), look)
            if keep and reply.status == 200 and not reply.stopgap:
                self._responses.put(request.key, content, look, now, reply)
            outcome = "fallback" if reply.stopgap else "decided"
        if kind in _COUNTS:
            _COUNTS[kind][outcome].add()
            note("wetink.outcome", outcome)
        if reply.served is not None:
            self._wetink.store.ledger.served(reply.served, now)
        return reply

    async def _picture(self, request: OpenRequest, target: Target, query: dict[str, str], look: Lookup) -> Reply:
        who, moment = self._reader(request, target, query)
        picture = await self._wetink.opens.open(
            self._wetink.content, target.block, target.slot, who, moment, look, counted=not request.head
        )
        headers = ((b"content-type", picture.content_type.encode()), *NOT_KEPT)
        return Reply(200, headers, picture.body, picture.served, picture.stopgap)

    async def _click(self, request: OpenRequest, target: Target, query: dict[str, str], look: Lookup) -> Reply:
        who, moment = self._reader(request, target, query)
        link = await self._wetink.clicks.destination(
            self._wetink.content, target.block, target.slot, who, moment, counted=not request.head
        )
        if link:
            return Reply(302, (*NOT_KEPT, (b"location", quote(link, safe=LEGAL).encode("ascii"))), b"")
        return Reply(200, ((b"content-type", b"text/html; charset=utf-8"), *NOT_KEPT), NOWHERE)

    async def _data(self, request: OpenRequest, target: Target, query: dict[str, str], look: Lookup) -> Reply:
        content, opens = self._wetink.content, self._wetink.opens
        block = content.answering(target.block)
        if block is None or not block.data:
            message = f"there is no block called {target.block[:64]!r} to read here"
            return _error(404, "unknown_block", message, (*NOT_KEPT, *self._cors(request)))
        who, moment = self._reader(request, target, query)
        headers = (*JSON_DATA, *(self._amp(query, request) or self._cors(request)))
        try:
            decided = opens.preview(content, block, who, moment) if request.head else None
            decision = await (decided or opens.read(content, block, who, moment, look))
            begun = perf_counter()
            body = _encode(_shown(decision))
            step("encode", begun)
            return Reply(200, headers, body)
        except Exception:
            logger.exception("%s answers its fallback", block.name)
            FALLBACKS["data", "error"].add()
            return Reply(200, headers, _encode(_nothing(block, self._clock())), stopgap=True)

    async def _words(self, request: OpenRequest, target: Target, query: dict[str, str], look: Lookup) -> Reply:
        who, moment = self._reader(request, target, query)
        words = await self._wetink.embed.words(self._wetink.content, target.block, target.slot, who, moment)
        headers = ((b"content-type", b"text/plain; charset=utf-8"), *DATA, *self._cors(request))
        return Reply(200, headers, words.encode("utf-8", "replace"))

    async def _fragment(self, request: OpenRequest, target: Target, query: dict[str, str], look: Lookup) -> Reply:
        who, moment = self._reader(request, target, query)
        html = await self._wetink.embed.fragment(self._wetink.content, target.block, who, moment)
        headers = ((b"content-type", b"text/html; charset=utf-8"), *DATA, *self._cors(request))
        return Reply(200, headers, html.encode("utf-8", "replace"))

    def _reader(self, request: OpenRequest, target: Target, query: dict[str, str]) -> tuple[Identifier | None, Moment]:
        """Return the recipient, None for an unknown one, and the moment."""
        return self._recipient(request, target, query), self._moment(query, request, moving=target.moving)

    def _recipient(self, request: OpenRequest, target: Target, query: dict[str, str]) -> Identifier | None:
        if target.token:
            return self._wetink.seals.unseal(target.token, target.block, PURPOSES[request.path[1]])
        block = self._wetink.content.answering(target.block)
        kinds = block.recipients if block is not None else ()
        return next((self._wetink.seals.named(kind, query[kind]) for kind in kinds if kind in query), None)

    def _amp(self, query: dict[str, str], request: OpenRequest) -> tuple[Header, ...]:
        """Return the CORS headers for an AMP email; none for a sender that is not the shop's.

        Source: "CORS in AMP for Email", both versions: by the sender's address, or by the mail client's origin.
        """
        senders = self._wetink.settings.amp_senders
        if not senders:
            return ()
        sender = request.header(b"amp-email-sender")
        if sender:
            return ((b"amp-email-allow-sender", sender.encode("latin-1")),) if sender.lower() in senders else ()
        source, origin = query.get("__amp_source_origin", ""), request.headers.get(b"origin")
        if not origin or source.lower() not in senders:
            return ()
        return (
            (b"access-control-allow-origin", origin),
            (b"amp-access-control-allow-source-origin", source.encode("latin-1", "replace")),
            (b"access-control-expose-headers", b"AMP-Access-Control-Allow-Source-Origin"),
        )

    def _cors(self, request: OpenRequest) -> tuple[Header, ...]:
        """Return the CORS headers: only the shop's own hosts may read the answer, since it is about a person."""
        origin = request.headers.get(b"origin")
        if not origin:
            return ()
        mine = self._wetink.hosts.own_origin(origin.decode("latin-1"))
        return ((b"vary", b"origin"), *(((b"access-control-allow-origin", origin),) if mine else ()))

    def _moment(self, query: dict[str, str], request: OpenRequest, *, moving: bool = False) -> Moment:
        places, place = self._wetink.places, NO_PLACE
        if places.known:
            place = places.of_request(request.client, request.header(b"x-forwarded-for"))
        moment = _circumstances(request.header(b"user-agent"), place, request.method)
        if not query:
            return replace(moment, now=self._clock(), moving=moving)
        return replace(
            moment,
            now=self._clock(),
            language=query.get("lang", "")[:LONGEST_HABIT],
            currency=query.get("cur", "")[:LONGEST_HABIT],
            time_zone=query.get("tz", "")[:LONGEST_HABIT],
            scheme="dark" if query.get("scheme") == "dark" else "light",
            campaign=_campaign(query.get("c", "")),
            ratio=RATIOS.get(query.get("r", ""), 2),
            moving=moving,
            parameters=parameters_of(query),
        )


@lru_cache(maxsize=4_096)
def _circumstances(agent: str, place: Place, method: str) -> Moment:
    """Return the part of a moment that depends on who asks from where."""
    facts, fetch = classify_request(agent, place.owner, method, False)
    here = place if fetch.kind == "person" else NO_PLACE  # else the address is a machine's
    return Moment(
        now=0,
        device=facts.device if fetch.kind in ("person", "unknown") else fetch.kind,
        facts=facts,
        fetch_class=fetch.kind,
        country=here.country,
        region=here.region,
        city=here.city,
        latitude=here.latitude,
        longitude=here.longitude,
        local_zone=here.time_zone,
    )


NOWHERE = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><title>Nothing here</title>'
    b"<p>This link leads nowhere any more.</p></html>"
)


def _campaign(text: str) -> str:
    """Return the campaign; empty for a merge tag that was not filled in, or was decoded as %XX."""
    return "" if not text or "\ufffd" in text or USUAL.no_name(text) else text[:LONGEST_CAMPAIGN]


def target_of(path: str) -> Target:
    """Return the parts of a path.

    >>> target_of("/o/hero/2/TOKEN.gif")
    Target(block='hero', slot=2, token='TOKEN', moving=True)
    >>> target_of("/d/hero/TOKEN.json").token, target_of("/c/hero/2").slot
    ('TOKEN', 2)
    """
    kind, (block, *rest) = path[1], path[3:].split("/")
    slotted, moving = kind in SLOTTED, False
    if kind == "o" and rest:
        stem, dot, suffix = rest[-1].rpartition(".")
        rest[-1], moving = stem if dot else suffix, bool(dot) and suffix == "gif"
    elif kind in SUFFIXES:
        block, rest = block.removesuffix(SUFFIXES[kind]), [each.removesuffix(SUFFIXES[kind]) for each in rest]
    slot = _slot(rest[0]) if slotted and rest else 1
    return Target(unquote(block), slot, rest[-1] if len(rest) == 1 + slotted else "", moving)


def _slot(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) >= 1 else 1


def _shown(decision: Decision) -> DecisionBody:
    links = decision.links
    items = [
        Shown(
            item.key,
            item if item.name.isascii() else replace(item, name=controls(item.name)),
            links[index] if index < len(links) else item.url or links[-1],
        )
        for index, item in enumerate(decision.items)
    ]
    return DecisionBody(decision.block, decision.variant, decision.app, decision.at, items, links[0])


def _nothing(block: Block, now: int) -> DecisionBody:
    return DecisionBody(block.name, "", "", now, [], block.fallback.link)


def _error(status: int, code: str, message: str, headers: tuple[Header, ...]) -> Reply:
    return Reply(status, (JSON, *headers), _encode({"error": {"code": code, "message": message}}))
