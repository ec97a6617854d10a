"""Preview: a person's picture, drawn as for an open but not counted, and next to a browser's."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.blocks.block import Block, Decision
from wetink.core.errors import BadContent
from wetink.core.events.event import Event, Product
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.simulation import events_of, read
from wetink.core.profile.person import Moment
from wetink.opens.drawing import weight
from wetink.opens.recipient import parse
from wetink.ports import Comparison, Picture
from wetink.web import session
from wetink.web.dashboard.page.images import image, no_image
from wetink.web.dashboard.page.query import moment_of, wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.request import now_ms
from wetink.wiring import Wetink

EVENTS = ("Product Viewed", "Product Added", "Product Added to Wishlist", "Order Completed")
NO_PRODUCTS: Mapping[str, Product] = {}
LONGEST = 8_000
"""Longest messages in a page's URL, in characters."""


class Supposed(msgspec.Struct, frozen=True):
    """The supposed events of a form. `text` has them as JSON, empty without any. `problem` is the form's error."""

    events: tuple[Event, ...] = ()
    text: str = ""
    problem: str = ""


async def supposed(
    wetink: Wetink, query: Mapping[str, str], now: int, others: Mapping[str, Product] = NO_PRODUCTS
) -> Supposed:
    """Return the events that the query supposes by `now` (Unix ms). Raises StoreUnavailable.

    Its product is one of the catalog, or of the `others` by key.
    """
    text, event, key = query.get("suppose", ""), query.get("if_event", ""), query.get("if_product", "").strip()[:200]
    if not text.strip() and event not in EVENTS:
        return Supposed()
    try:
        if len(text) > LONGEST:
            raise BadContent(f"more than {LONGEST} characters", hint="`wetink open --with FILE` takes more")
        messages = read(text)
        if event in EVENTS:
            if not key:
                raise BadContent(f"{event} needs a product", hint="enter its key from the catalog")
            messages.append({"event": event, "properties": properties_of(event, await _product(wetink, key, others))})
        return Supposed(events_of(messages, now), msgspec.json.encode(messages).decode())
    except BadContent as error:
        return Supposed(problem=error.sentence)


async def _product(wetink: Wetink, key: str, others: Mapping[str, Product]) -> Product:
    """Return a product of the catalog, or of the `others`. Raises BadContent."""
    known = (await wetink.store.catalog.products([key])).get(key) or others.get(key)
    if known is None:
        some = f"such as {', '.join(list(others)[:3])}, or " if others else ""
        raise BadContent(f"there is no product {key!r}", hint=f"{some}find keys in the catalog")
    return known


def properties_of(event: str, known: Product) -> dict[str, Any]:
    """Return the properties of an event about a product."""
    product = {name: value for name, value in msgspec.to_builtins(known).items() if value not in (None, "", 0)}
    product["quantity"] = 1
    if event != "Order Completed":
        return product
    return {"order_id": "what if", "total": known.price or 0, "currency": known.currency, "products": [product]}


NOTHING = Supposed()


class Sight(msgspec.Struct, frozen=True):
    """A decision with the URL of each slot's picture."""

    block: Block
    decision: Decision
    pictures: tuple[str, ...]

    @property
    def weights(self) -> tuple[str, ...]:
        """The URL of each picture's size."""
        return tuple(address.replace(".img", "/weight", 1) for address in self.pictures)


async def sight(
    wetink: Wetink, block: Block, who: Identifier | None, moment: Moment, suppose: Supposed = NOTHING
) -> Sight:
    """Decide as for an open (None: anonymous), and record nothing. Raises StoreUnavailable."""
    decision = await wetink.opens.preview(wetink.content, wetink.content.block(block.name), who, moment, suppose.events)
    return Sight(block, decision, pictures(block, who, moment, suppose.text))


def pictures(block: Block, who: Identifier | None, moment: Moment, suppose: str = "") -> tuple[str, ...]:
    """Return the URL of each slot's picture. `suppose` are made-up messages as JSON.

    >>> from wetink.core.blocks.block import Fallback
    >>> pictures(Block("hero", Fallback("https://shop.example/")), Identifier("user", "4 2"), Moment(5))
    ('/dashboard/preview/hero/1.img?who=user%3A4+2&at=5&scheme=light',)
    """
    query = {"who": str(who) if who is not None else "", "at": moment.now, "device": moment.device}
    query = {name: value for name, value in {**query, "scheme": moment.scheme, "suppose": suppose}.items() if value}
    return tuple(f"/dashboard/preview/{block.name}/{slot}.img?{urlencode(query)}" for slot in range(1, block.slots + 1))


async def preview(request: Request) -> Response:
    """Return the picture of a block's slot for `who` at `at`; 404 for an unknown block or slot."""
    found = await _drawn(request)
    if found is None:
        return no_image("no such block or slot")
    _, picture = found
    return image(picture)


async def weighed(request: Request) -> Response:
    """Return the line of a trace with that picture's size."""
    found = await _drawn(request)
    if found is None:
        return no_image("no such block or slot")
    block, picture = found
    return page(
        request, "content/weight.html", block=block, slot=request.path_params["slot"], weight=weight(block, picture)
    )


async def _drawn(request: Request) -> tuple[Block, Picture] | None:
    wetink = wetink_of(request)
    name, slot = request.path_params["block"], request.path_params["slot"]
    block = wetink.content.blocks.get(name)
    if block is None or not 1 <= slot <= block.slots:
        return None
    moment = replace(moment_of(request, now_ms()), moving=block.moving)  # as emails request it
    suppose = await supposed(wetink, request.query_params, moment.now)
    decision = await wetink.opens.preview(
        wetink.content, wetink.content.block(name), parse(request.query_params.get("who", "")), moment, suppose.events
    )
    return block, await wetink.opens.picture(wetink.content, decision, slot, moment, suppose.events)


async def beside(request: Request) -> Response:
    """Compare the pictures of a block's first slot for `who`, as a part of its page."""
    session.check_csrf(request)
    wetink, name = wetink_of(request), request.path_params["name"]
    block = wetink.content.block(name)
    found, problem = None, ""
    try:
        who = parse(request.query_params.get("who", ""))
        found = await wetink.opens.compare(wetink.content, block, 1, who, moment_of(request, now_ms()))
    except BadContent as error:
        problem = error.sentence
    templates = [variant.template for variant in block.variants if variant.template]
    return page(
        request,
        "content/beside.html",
        block=block,
        problem=problem,
        share=found.share if found is not None else None,
        pictures=_pictures(found) if found is not None else (),
        notes=[note for note in wetink.content.notes if any(template in note for template in templates)],
    )


def _pictures(found: Comparison) -> list[tuple[str, str, str]]:
    """Return each picture of a comparison: title, data URL, and the compromise for its size."""
    named = (("wetink", found.ours), ("Web browser", found.theirs), ("Difference", found.difference))
    return [(words, _inside(picture), picture.note) for words, picture in named]


def _inside(picture: Picture) -> str:
    return f"data:{picture.content_type};base64,{base64.b64encode(picture.body).decode()}"
