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

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from msgspec.structs import replace

from wetink.core.blocks.block import Block, Decision
from wetink.core.blocks.decide import prepared
from wetink.core.client_classification import classify_request
from wetink.core.errors import WetinkError
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.text.characters import controls
from wetink.core.text.placeholder import USUAL
from wetink.opens.lookup import Lookup
from wetink.web.protocol import Answer as Tell
from wetink.web.protocol import Take, begin
from wetink.web.request import Again, Asked, Header, Reply, Scope, Send, now_ms, of_scope, parameters_of, reply_with
from wetink.wiring import Wetink

logger = logging.getLogger(__name__)

LONGEST_CAMPAIGN, LONGEST_HABIT = 100, 64
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


JSON: Header = (b"content-type", b"application/json")
JSON_DATA = (JSON, *DATA)


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


class OpenEndpoints:
    """Answers `/o/`, `/d/`, `/c/`, `/a/` and `/h/`."""

    def __init__(self, wetink: Wetink, clock: Callable[[], int] = now_ms) -> None:
        """Serve this wetink by this clock (Unix ms)."""
        self._wetink, self._clock = wetink, clock
        self._again, self._made_of, self._failed = Again(), wetink.content, 0
        self._arrived: list[tuple[Asked, Tell]] = []
        self._replying: set[asyncio.Task[None]] = set()

    @staticmethod
    def handles(path: str) -> bool:
        """Whether a path is one of these doors."""
        return path[:3] in ("/o/", "/d/", "/c/", "/a/", "/h/")

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """Answer one request."""
        asked = of_scope(scope)
        await reply_with(send, await self._reply(asked), head=asked.head)

    def short(self, target: bytes, headers: Sequence[Header], client: str) -> Take | None:
        """Return who takes a GET the short way (see `web.protocol`): a picture or data, at a plain address."""
        if target[:3] not in (b"/o/", b"/d/") or b"%" in target:
            return None
        path, _, query = target.partition(b"?")
        asked = Asked("GET", path.decode("latin-1"), query, tuple(headers), client)
        return partial(self._take, asked)

    def _take(self, asked: Asked, body: bytes, tell: Tell) -> None:
        """Answer in the next turn of the event loop: all that anybody was told before this came is seen there."""
        self._arrived.append((asked, tell))
        if len(self._arrived) == 1:
            asyncio.get_running_loop().call_soon(self._answer_all)

    def _answer_all(self) -> None:
        arrived, self._arrived = self._arrived, []
        for asked, tell in arrived:
            try:
                self._begin(asked, tell)
            except Exception:  # of one whose connection broke, say: the others get their answers all the same
                logger.exception("an open's answer could not be sent")

    def _begin(self, asked: Asked, tell: Tell) -> None:
        try:
            prompt = self._is_prompt(asked)
        except Exception:
            logger.exception("it cannot be told whether an open has to wait for others; it may")
            prompt = False
        work = self._tell(asked, tell)
        replying = begin(work) if prompt else asyncio.ensure_future(work)
        if replying is not None:
            self._replying.add(replying)
            replying.add_done_callback(self._replying.discard)

    def _is_prompt(self, asked: Asked) -> bool:
        """Whether the answer hardly ever has to be waited for: data, unless it is to be asked for outside."""
        if asked.path[1] != "d":
            return False
        block = self._wetink.content.blocks.get(asked.path[3:].partition("/")[0])
        if block is None or block.email:
            return False
        return not prepared(block, self._wetink.apps, self._wetink.content.rules).outside

    async def _tell(self, asked: Asked, tell: Tell) -> None:
        try:
            reply = await self._reply(asked)
        except Exception:
            logger.exception("an open could not be answered")
            reply = _error(503, "unavailable", "this cannot be answered right now", NOT_KEPT)
        tell(reply.status, reply.headers, reply.body)

    async def _reply(self, asked: Asked) -> Reply:
        if asked.method == "OPTIONS":
            return Reply(204, (*self._cors(asked), (b"access-control-allow-methods", b"GET, HEAD")), b"")
        if asked.method not in ("GET", "HEAD"):
            return _error(405, "method_not_allowed", "only GET and HEAD", (*NOT_KEPT, (b"allow", b"GET, HEAD")))
        look = self._wetink.opens.begin()
        if asked.path[1] in "od" and not asked.head and not asked.path.endswith(".gif"):
            return await self._once_more(asked, look)
        return await self._answer(asked, look)

    async def _once_more(self, asked: Asked, look: Lookup) -> Reply:
        """Give the answer of a moment ago if the store says the same; else make it, and keep it for a moment."""
        if self._made_of is not self._wetink.content:
            self._again, self._made_of = Again(), self._wetink.content
        now = self._clock()
        if asked.path[1] == "d" and not self._again.asked_before(asked.path, now):
            return await self._answer(asked, look)  # most who read data do so once: to keep that would cost all others
        known = self._again.get(asked, now)
        if known is not None and await self._stands(known[1], now):
            if known[0].served is not None:
                self._wetink.store.ledger.served(known[0].served, now)
            return known[0]
        troubles = self._troubles
        reply = await self._answer(asked, look)
        if self._troubles == troubles and reply.status == 200:
            self._again.put(asked, look, now, reply)
        return reply

    async def _stands(self, look: Lookup, now: int) -> bool:
        try:
            return await look.stands(now)
        except WetinkError:
            return False
        except Exception:  # an open is answered all the same
            logger.exception("what is in the store cannot be known")
            return False

    @property
    def _troubles(self) -> int:
        return self._failed + self._wetink.opens.troubles

    async def _answer(self, asked: Asked, look: Lookup) -> Reply:
        parts, query = asked.path[3:].split("/"), asked.parameters()
        kind = asked.path[1]
        if kind == "o":
            return await self._picture(parts, query, asked, look)
        if kind == "c":
            return await self._click(parts, query, asked)
        if kind == "a":
            return await self._words(parts, query, asked)
        if kind == "h":
            return await self._fragment(parts, query, asked)
        return await self._data(parts, query, asked, look)

    async def _picture(self, parts: list[str], query: dict[str, str], asked: Asked, look: Lookup) -> Reply:
        last = parts[-1].rpartition(".")
        stem = last[0] if last[1] else last[2]
        name = unquote(parts[0])
        slot = _slot(parts[1] if len(parts) == 3 else stem)
        who = self._recipient(name, stem if len(parts) == 3 else "", "picture", query)
        moment = self._moment(query, asked, moving=last[2] == "gif" and bool(last[1]))
        opens, content = self._wetink.opens, self._wetink.content
        picture = await opens.open(content, name, slot, who, moment, look, counted=not asked.head)
        if picture.served is not None:
            self._wetink.store.ledger.served(picture.served, moment.now)
        headers = ((b"content-type", picture.content_type.encode()), *NOT_KEPT)
        return Reply(200, headers, picture.body, picture.served)

    async def _click(self, parts: list[str], query: dict[str, str], asked: Asked) -> Reply:
        name = unquote(parts[0])
        slot = _slot(parts[1] if len(parts) > 1 else "")
        who = self._recipient(name, parts[2] if len(parts) == 3 else "", "click", query)
        target = await self._wetink.opens.destination(
            self._wetink.content, name, slot, who, self._moment(query, asked), counted=not asked.head
        )
        if target:
            location = quote(target, safe=LEGAL).encode("ascii")
            return Reply(302, (*NOT_KEPT, (b"location", location)), b"")
        return Reply(200, ((b"content-type", b"text/html; charset=utf-8"), *NOT_KEPT), NOWHERE)

    async def _data(self, parts: list[str], query: dict[str, str], asked: Asked, look: Lookup) -> Reply:
        name = unquote(parts[0].removesuffix(".json"))
        block = self._wetink.content.blocks.get(name)
        if block is None or not block.data:
            message = f"there is no block called {name[:64]!r} to read here"
            return _error(404, "unknown_block", message, (*NOT_KEPT, *self._cors(asked)))
        token = parts[1].removesuffix(".json") if len(parts) == 2 else ""
        who = self._recipient(name, token, "data", query)
        moment = self._moment(query, asked)
        try:
            decided = (
                self._wetink.opens.preview(self._wetink.content, self._wetink.content.block(name), who, moment)
                if asked.head
                else self._wetink.opens.read(self._wetink.content, block, who, moment, look)
            )
            decision = await decided
            body = _encode(_shown(decision))
        except Exception:
            logger.exception("%s answers its fallback", name)
            self._failed += 1
            body = _encode(_nothing(block, self._clock()))
        return Reply(200, (*JSON_DATA, *(self._amp(query, asked) or self._cors(asked))), body)

    async def _words(self, parts: list[str], query: dict[str, str], asked: Asked) -> Reply:
        name = unquote(parts[0])
        slot = _slot(parts[1] if len(parts) > 1 else "")
        who = self._recipient(name, parts[2].removesuffix(".txt") if len(parts) == 3 else "", "picture", query)
        said = await self._wetink.embed.words(self._wetink.content, name, slot, who, self._moment(query, asked))
        headers = ((b"content-type", b"text/plain; charset=utf-8"), *DATA, *self._cors(asked))
        return Reply(200, headers, said.encode("utf-8", "replace"))

    async def _fragment(self, parts: list[str], query: dict[str, str], asked: Asked) -> Reply:
        name = unquote(parts[0].removesuffix(".html"))
        who = self._recipient(name, parts[1].removesuffix(".html") if len(parts) == 2 else "", "picture", query)
        html = await self._wetink.embed.fragment(self._wetink.content, name, who, self._moment(query, asked))
        headers = ((b"content-type", b"text/html; charset=utf-8"), *DATA, *self._cors(asked))
        return Reply(200, headers, html.encode("utf-8", "replace"))

    def _amp(self, query: dict[str, str], asked: Asked) -> tuple[Header, ...]:
        """Return the headers by which an AMP email may read the answer, none for a sender that is not the shop's.

        Source: "CORS in AMP for Email", both versions: by the sender's address, or by the mail program's origin.
        """
        senders = self._wetink.settings.amp_senders
        sender = asked.header(b"amp-email-sender").decode("latin-1")
        if sender:
            return ((b"amp-email-allow-sender", sender.encode("latin-1")),) if sender.lower() in senders else ()
        source, origin = query.get("__amp_source_origin", ""), asked.header(b"origin")
        if not origin or source.lower() not in senders:
            return ()
        return (
            (b"access-control-allow-origin", origin),
            (b"amp-access-control-allow-source-origin", source.encode("latin-1", "replace")),
            (b"access-control-expose-headers", b"AMP-Access-Control-Allow-Source-Origin"),
        )

    def _cors(self, asked: Asked) -> tuple[Header, ...]:
        """Let pages of the shop's own hosts read the answer, and no others: it tells of a person."""
        origin = asked.header(b"origin")
        if not origin:
            return ()
        mine = self._wetink.hosts.own_origin(origin.decode("latin-1"))
        return ((b"vary", b"origin"), *(((b"access-control-allow-origin", origin),) if mine else ()))

    def _recipient(self, name: str, token: str, purpose: Any, query: dict[str, str]) -> Identifier | None:
        if token:
            return self._wetink.seals.unseal(token, name, purpose)
        block = self._wetink.content.blocks.get(name)
        if block is not None:
            for kind in block.recipients:
                if kind in query:
                    return self._wetink.seals.named(kind, query[kind])
        return None

    def _moment(self, query: dict[str, str], asked: Asked, *, moving: bool = False) -> Moment:
        place = self._wetink.places.of_request(asked.client, asked.header(b"x-forwarded-for").decode("latin-1"))
        facts, fetch = classify_request(asked.header(b"user-agent").decode("latin-1"), place.owner, asked.method, False)
        here = fetch.kind == "person"  # else the address tells where a machine stands
        return Moment(
            now=self._clock(),
            device=facts.device if fetch.kind in ("person", "unknown") else fetch.kind,
            facts=facts,
            fetch_class=fetch.kind,
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
            campaign=_campaign(query.get("c", "")),
            ratio=RATIOS.get(query.get("r", ""), 2),
            moving=moving,
            parameters=parameters_of(query),
        )


NOWHERE = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><title>Nothing here</title>'
    b"<p>This link leads nowhere any more.</p></html>"
)


def _campaign(text: str) -> str:
    """Return what names the campaign; empty for a merge tag that was not filled in, or was read as %XX."""
    return "" if not text or "\ufffd" in text or USUAL.no_name(text) else text[:LONGEST_CAMPAIGN]


def _slot(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) >= 1 else 1


def _shown(decision: Decision) -> Answer:
    links = decision.links
    items = [
        Shown(
            item.key,
            item if item.name.isascii() else replace(item, name=controls(item.name)),
            links[index] if index < len(links) else item.url or links[-1],
        )
        for index, item in enumerate(decision.items)
    ]
    return Answer(decision.block, decision.variant, decision.app, decision.at, items, links[0])


def _nothing(block: Block, now: int) -> Answer:
    return Answer(block.name, "", "", now, [], block.fallback.link)


def _error(status: int, code: str, message: str, headers: tuple[Header, ...]) -> Reply:
    return Reply(status, (JSON, *headers), _encode({"error": {"code": code, "message": message}}))
