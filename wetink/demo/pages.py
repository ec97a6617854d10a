"""Pages: the shop on the left, the inbox on the right.

Each page has a content security policy without inline scripts. The email is a separate document, as in a mail
client: it may load pictures and nothing else.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp

from wetink.core.blocks.block import Block
from wetink.core.errors import NotFound
from wetink.core.identity.identifier import Identifier, anonymous, email, user
from wetink.core.profile.person import Moment
from wetink.demo import keys
from wetink.demo.life import CAST
from wetink.demo.shop import BRAND, BY_SKU, CATEGORIES, CLAIM, ITEMS, account, found, product
from wetink.web import app, session
from wetink.wiring import Wetink

HERE = Path(__file__).parent
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; frame-ancestors 'self'; form-action 'self'; base-uri 'none'"
)
MAIL_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"

_pages = Jinja2Templates(directory=HERE / "templates")
_CLEAN = {"anonymous": anonymous, "email": email, "user": user}


def create(wetink: Wetink) -> ASGIApp:
    """Return the whole server with the demo's pages in it."""
    return app.create(wetink, extra_routes=ROUTES)


async def desk(request: Request) -> Response:
    """Show the shop and the inbox side by side, signed in to the dashboard."""
    response = _page(request, "desk.html", PAGE_POLICY, cast=CAST, brand=BRAND)
    await session.sign_in(request, response)
    return response


async def home(request: Request) -> Response:
    """Show all of the shop."""
    return _shop(request, "grid.html", heading=CLAIM, items=ITEMS, what={"kind": "home"})


async def category(request: Request) -> Response:
    """Show one category."""
    word = request.path_params["category"]
    if word not in CATEGORIES:
        raise NotFound(f"{BRAND} has no category {word}")
    items = [item for item in ITEMS if item.category == word]
    products = [product(item, _address(request)) for item in items[:6]]
    what = {"kind": "list", "id": word, "category": CATEGORIES[word], "products": products}
    return _shop(request, "grid.html", heading=CATEGORIES[word], items=items, what=what, current=word)


async def search(request: Request) -> Response:
    """Show the results of a search."""
    query = request.query_params.get("q", "").strip()[:80]
    items = found(query) if query else []
    heading = f"{len(items)} for “{query}”" if query else "What are you looking for?"
    what = {"kind": "search", "query": query} if query else {"kind": "none"}
    return _shop(request, "grid.html", heading=heading, items=items, what=what, query=query)


async def detail(request: Request) -> Response:
    """Show one product."""
    item = BY_SKU.get(request.path_params["sku"])
    if item is None:
        raise NotFound(f"{BRAND} does not sell {request.path_params['sku']}")
    near = [other for other in ITEMS if other.category == item.category and other != item][:4]
    what = {"kind": "product", "product": product(item, _address(request))}
    return _shop(request, "detail.html", item=item, near=near, what=what, current=item.category)


async def log_in(request: Request) -> Response:
    """Return the user id that the shop's records have for an email address."""
    try:
        given = json.loads(await request.body())
        address = email(str(given["email"]))
    except (ValueError, KeyError, TypeError):
        address = None
    if address is None:
        return JSONResponse({"error": "This is not an email address."}, 400)
    return JSONResponse({"userId": account(address.value), "email": address.value})


async def mail(request: Request) -> Response:
    """Show the email as sent to `?to=kind:value`; its pictures are decided when they load."""
    who = _recipient(request.query_params.get("to", ""))
    wetink = _wetink(request)
    blocks = {name: _live(wetink, wetink.content.blocks[name], who) for name in ("greeting", "hero", "picks")}
    return _page(request, "email.html", MAIL_POLICY, brand=BRAND, claim=CLAIM, **blocks)


async def why(request: Request) -> Response:
    """Return the current content of the email to `?to=kind:value`, and the reason."""
    who = _recipient(request.query_params.get("to", ""))
    moment = Moment(now=time.time_ns() // 1_000_000)
    wetink = _wetink(request)
    decision = await wetink.opens.preview(wetink.content, wetink.content.block("hero"), who, moment)
    taken = [step for step in decision.trace if step.taken]
    return JSONResponse(
        {
            "shown": [item.name for item in decision.items],
            "variant": decision.variant or "fallback",
            "why": taken[-1].why if taken else "",
            "more": f"/dashboard/people/{quote(str(who), safe=':@')}",
        },
        headers={"cache-control": "no-store"},
    )


def picture(request: Request) -> Response:
    """Serve a product's photo."""
    item = BY_SKU.get(request.path_params["sku"])
    if item is None:
        return PlainTextResponse("no such product", 404)
    return FileResponse(HERE / "photos" / f"{item.sku}.jpg", headers={"cache-control": "max-age=86400"})


ROUTES: Sequence[BaseRoute] = (
    Route("/demo", desk),
    Route("/demo/shop", home),
    Route("/demo/shop/search", search),
    Route("/demo/shop/products/{sku}", detail),
    Route("/demo/shop/{category}", category),
    Route("/demo/account", log_in, methods=["POST"]),
    Route("/demo/email", mail),
    Route("/demo/why", why),
    Route("/demo/photos/{sku}.jpg", picture),
    Mount("/demo/static", StaticFiles(directory=HERE / "static")),
)
"""Every page of the demo."""


def _live(wetink: Wetink, block: Block, who: Identifier) -> list[dict[str, Any]]:
    """Return the data of each slot for an email: the address of the picture, that of the click, and the size."""
    seen, clicked = wetink.seals.seal(who, block.name, "picture"), wetink.seals.seal(who, block.name, "click")
    kind = "png" if block.transparent else "jpg"
    return [
        {
            "src": f"/o/{block.name}/{slot}/{seen}.{kind}",
            "href": f"/c/{block.name}/{slot}/{clicked}",
            "width": block.width,
            "height": block.height,
            "alt": block.alt,
        }
        for slot in range(1, block.slots + 1)
    ]


def _shop(request: Request, name: str, *, what: dict[str, Any], **sight: Any) -> Response:
    kept = keys.read(_wetink(request).settings.data)
    catalog = {item.sku: product(item, kept.address) for item in ITEMS}
    common = {"brand": BRAND, "claim": CLAIM, "categories": CATEGORIES, "write_key": kept.browser}
    return _page(request, name, PAGE_POLICY, what={**what, "catalog": catalog}, **common, **sight)


def _page(request: Request, name: str, policy: str, **sight: Any) -> Response:
    headers = {
        "content-security-policy": policy,
        "x-frame-options": "SAMEORIGIN",
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
    }
    return _pages.TemplateResponse(request, name, sight, headers=headers)


def _recipient(text: str) -> Identifier:
    kind, _, value = text.partition(":")
    who = _CLEAN[kind](value) if kind in _CLEAN else None
    if who is None:
        raise NotFound("there is no such recipient", hint="write email:jane@mercer.example, or anonymous:…")
    return who


def _wetink(request: Request) -> Wetink:
    wetink: Wetink = request.app.state.wetink
    return wetink


def _address(request: Request) -> str:
    return keys.read(_wetink(request).settings.data).address
