"""Catalog: search for products, the history of price and stock, and the state of feeds."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.web.api import held
from wetink.web.dashboard.query import named, wetink_of
from wetink.web.dashboard.render import page
from wetink.web.request import now_ms

PAGE = 50
LONGEST = 200
WIDTH, HEIGHT, EDGE = 700.0, 120.0, 8.0
"""A chart's size in its own units. EDGE is free space above and below."""
PHOTO_MS = 2_000


class Line(msgspec.Struct, frozen=True):
    """A value over time as the points of an SVG polyline, with its minimum and maximum."""

    points: str
    least: float
    most: float


async def catalog(request: Request) -> Response:
    """List the products that match `q`; without it, all products by key, from `after` on."""
    wetink = wetink_of(request)
    entered = request.query_params.get("q", "").strip()[:LONGEST]
    after = request.query_params.get("after", "")[:LONGEST]
    if entered:
        found, more = list(await wetink.store.catalog.search(entered, PAGE)), ""
    else:
        keys = await wetink.store.catalog.keys(after, PAGE)
        found, more = list((await wetink.store.catalog.products(keys)).values()), keys[-1] if len(keys) == PAGE else ""
    return page(request, "catalog.html", entered=entered, after=after, products=found, more=more, feeds=held(wetink))


async def product(request: Request) -> Response:
    """Show the product `key`: its data, and its price and stock over time."""
    wetink, key = wetink_of(request), request.query_params.get("key", "")[:LONGEST]
    known = named(await wetink.store.catalog.products([key]), key, "product")
    changes = list((await wetink.store.catalog.changes([key])).get(key, ()))
    now = now_ms()
    return page(
        request,
        "product.html",
        product=known,
        changes=changes[::-1],
        price=line([(each.at, each.price) for each in changes], now),
        stock=line([(each.at, each.stock) for each in changes], now),
        facts={
            name: value
            for name, value in msgspec.to_builtins(known).items()
            if name not in ("quantity", "coupon", "position", "url", "image_url") and value not in (None, "")
        },
        gone=not known.buyable,
    )


async def photo(request: Request) -> Response:
    """Return a product's photo as opens see it; 404 if it is unavailable."""
    wetink, key = wetink_of(request), request.query_params.get("key", "")[:LONGEST]
    known = (await wetink.store.catalog.products([key])).get(key)
    body = None
    if known is not None and known.image_url and wetink.hosts.allowed(known.image_url):
        body = await wetink.photos.get(known.image_url, PHOTO_MS)
    if body is None:
        return Response("no photo", 404, media_type="text/plain")
    kind = "image/png" if body.startswith(b"\x89PNG") else "image/jpeg"
    return Response(body, media_type=kind, headers={"cache-control": "private, max-age=300"})


def line(values: Sequence[tuple[int, float | None]], now: int) -> Line | None:
    """Return a stepwise changing value as a line until `now`; None without two moments.

    >>> line([(0, 10.0), (50, 5.0)], 100)
    Line(points='0.0,8.0 350.0,8.0 350.0,112.0 700.0,112.0', least=5.0, most=10.0)
    """
    known = [(at, value) for at, value in values if value is not None]
    if not known or now <= known[0][0]:
        return None
    least, most = min(value for _, value in known), max(value for _, value in known)
    start, span, height = known[0][0], now - known[0][0], HEIGHT - 2 * EDGE

    def place(at: int, value: float) -> str:
        up = (value - least) / (most - least) if most > least else 0.5
        return f"{round(WIDTH * (at - start) / span, 1)},{round(EDGE + height * (1 - up), 1)}"

    points = [place(*known[0])]
    for (_, before), (at, value) in pairwise(known):
        points += [place(at, before), place(at, value)]
    points.append(place(max(now, known[-1][0]), known[-1][1]))
    return Line(" ".join(points), least, most)
