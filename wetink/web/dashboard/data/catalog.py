"""Catalog: products with filters, one product with its history and the operator's word on it, and imports of files."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.catalog.curation import AVAILABILITIES, CORRECTABLE, Word
from wetink.core.errors import BadContent, BadRequest, WetinkError
from wetink.core.events.event import Product
from wetink.core.units.money import number as amount_of
from wetink.web import session
from wetink.web.api import error_response, held, json_response
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.images import photo_image
from wetink.web.dashboard.page.query import named, wetink_of
from wetink.web.dashboard.page.render import page, product_path
from wetink.web.dashboard.page.toasts import redirect
from wetink.web.request import now_ms, status_of
from wetink.wiring import Wetink

PAGE = 50
SCANNED, SLICE = 4_000, 500
"""Products that one page looks through for its filters, and read together."""
FOUND = 500
"""Results of a search to which filters apply."""
LONGEST = 200
WIDTH, HEIGHT, EDGE = 700.0, 120.0, 8.0
"""A chart's size in its own units. EDGE is free space above and below."""
PHOTO_MS = 2_000
SORTS: Mapping[str, str] = {
    "": "By key",
    "name": "By name",
    "price": "Price, low to high",
    "-price": "Price, high to low",
}


class Line(msgspec.Struct, frozen=True):
    """A value over time as the points of an SVG polyline, with its minimum and maximum."""

    points: str
    least: float
    most: float


class Filter(msgspec.Struct, frozen=True):
    """The filters of the list, as entered. Empty ones let everything through."""

    category: str = ""
    brand: str = ""
    availability: str = ""
    price_from: float | None = None
    price_to: float | None = None
    photo: str = ""
    word: str = ""

    @property
    def any(self) -> bool:
        """Whether there is a filter."""
        return self != Filter()

    def lets(self, product: Product, word: Word | None) -> bool:
        """Return whether a product passes. Texts match from their beginning, without case."""
        if self.category and not product.category.casefold().startswith(self.category.casefold()):
            return False
        if self.brand and not product.brand.casefold().startswith(self.brand.casefold()):
            return False
        if self.availability and (product.availability or ("in_stock" if product.buyable else "")) != self.availability:
            return False
        if (self.price_from is not None or self.price_to is not None) and product.price is None:
            return False
        price = product.price or 0.0
        if (self.price_from is not None and price < self.price_from) or (
            self.price_to is not None and price > self.price_to
        ):
            return False
        if self.photo and bool(product.image_url) is (self.photo == "without"):
            return False
        said = word or Word()
        return (
            not self.word
            or {"corrected": bool(said.set), "pinned": said.pinned, "hidden": bool(said.hidden)}[self.word]
        )


async def catalog(request: Request) -> Response:
    """List the products that match `q` and the filters; without `q`, by key, from `after` on."""
    wetink, query = wetink_of(request), request.query_params
    entered, after = query.get("q", "").strip()[:LONGEST], query.get("after", "")[:LONGEST]
    wanted, sort = _filter(query), query.get("sort", "") if query.get("sort", "") in SORTS else ""
    words, more, scanned = wetink.content.curation.products, "", 0
    found: list[Product] = []
    if wanted.word:
        candidates = list((await wetink.store.catalog.products(sorted(words))).values())
        found, scanned = [each for each in candidates if wanted.lets(each, words.get(each.key))], len(candidates)
    elif entered:
        candidates = list(await wetink.store.catalog.search(entered, FOUND if wanted.any or sort else PAGE))
        found, scanned = [each for each in candidates if wanted.lets(each, words.get(each.key))], len(candidates)
    else:
        found, more, scanned = await _scanned(wetink, wanted, after, whole=bool(sort))
    found = _sorted(found, sort)[:PAGE]
    kept = {name: value for name, value in query.items() if name not in ("after",) and value}
    return page(
        request,
        "data/catalog.html",
        running=await wetink.catalog_imports.running(),
        entered=entered,
        after=after,
        products=found,
        more=more,
        scanned=scanned,
        wanted=wanted,
        sort=sort,
        sorts=SORTS,
        kept=kept,
        words=words,
        availabilities=AVAILABILITIES,
        feeds=[each for each in held(wetink) if each.purpose == "catalog"],
    )


async def _scanned(wetink: Wetink, wanted: Filter, after: str, *, whole: bool) -> tuple[list[Product], str, int]:
    """Return products that pass, the key to go on after, and the number of those looked at.

    With `whole`, it fills no page but looks at as many as it may, to sort them.
    """
    found, scanned, words, place = list[Product](), 0, wetink.content.curation.products, after
    step = SLICE if wanted.any or whole else PAGE
    while scanned < SCANNED:
        keys = await wetink.store.catalog.keys(place, step)
        known = await wetink.store.catalog.products(keys)
        for key in keys:
            place, scanned = key, scanned + 1
            product = known.get(key)
            if product is not None and wanted.lets(product, words.get(product.key)):
                found.append(product)
                if len(found) == PAGE and not whole:
                    return found, place, scanned
        if len(keys) < step:
            return found, "", scanned
    return found, place, scanned


def _sorted(found: list[Product], sort: str) -> list[Product]:
    if sort == "name":
        return sorted(found, key=lambda each: (each.name.casefold(), each.key))
    if sort in ("price", "-price"):
        priced = sorted((each for each in found if each.price is not None), key=lambda each: each.price or 0.0)
        return [*(priced[::-1] if sort[0] == "-" else priced), *(each for each in found if each.price is None)]
    return found


def _filter(query: Mapping[str, str]) -> Filter:
    def price(name: str) -> float | None:
        return amount_of(query.get(name, "").strip()[:20]) if query.get(name, "").strip() else None

    availability, photo, word = query.get("availability", ""), query.get("photo", ""), query.get("word", "")
    return Filter(
        query.get("category", "").strip()[:LONGEST],
        query.get("brand", "").strip()[:LONGEST],
        availability if availability in AVAILABILITIES else "",
        price("from"),
        price("to"),
        photo if photo in ("with", "without") else "",
        word if word in ("corrected", "pinned", "hidden") else "",
    )


async def product(request: Request) -> Response:
    """Show the product `key`: its data, its price and stock over time, and the operator's word on it."""
    return await _product(request, request.query_params.get("key", "")[:LONGEST])


async def curate(request: Request) -> Response:
    """Correct, pin or hide a product."""
    form = await form_of(request)
    wetink, key, do = wetink_of(request), form.get("key", "")[:LONGEST], form.get("do", "")
    plain = named(await wetink.plain_catalog.products([key]), key, "product")
    key, by, now, curator = plain.key, session.actor(request), now_ms(), wetink.curator
    try:
        match do:
            case "save":
                await curator.correct(key, _corrections(form, plain), by=by, now=now)
            case "reset":
                await curator.correct(key, {}, by=by, now=now)
            case "pin" | "unpin":
                await curator.pin(key, do == "pin", by=by, now=now)
            case "hide":
                if not form.get("why", "").strip():
                    raise BadContent("enter a reason; traces show it", where="why")
                await curator.hide(key, form["why"].strip(), by=by, now=now)
            case "show":
                await curator.hide(key, "", by=by, now=now)
            case _:
                raise BadRequest("this form asks for an unknown change", hint="reload the page")
    except WetinkError as error:
        place = error.where if error.where in (*CORRECTABLE, "why") else "form"
        return await _product(request, key, form=form, errors={place: error.sentence}, status=status_of(error))
    session.changed(request, DONE[do], f"product {key}")
    return redirect(request, product_path(key), f"{DONE[do][:1].upper()}{DONE[do][1:]}.")


DONE = {
    "save": "corrected",
    "reset": "corrections removed",
    "pin": "pinned",
    "unpin": "unpinned",
    "hide": "hidden",
    "show": "shown again",
}
"""What a change did, in words."""


def _corrections(form: Mapping[str, str], plain: Product) -> dict[str, str]:
    """Return the fields whose value differs from what events and feeds say."""
    found: dict[str, str] = {}
    for name in CORRECTABLE:
        value, known = form.get(name, "").strip(), getattr(plain, name)
        if value and value != ("" if known is None else f"{known:.10g}" if isinstance(known, float) else str(known)):
            found[name] = value
    return found


async def _product(
    request: Request,
    key: str,
    *,
    form: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    wetink = wetink_of(request)
    plain = named(await wetink.plain_catalog.products([key]), key, "product")
    known, word = wetink.content.curation.corrected(plain), wetink.content.curation.products.get(plain.key, Word())
    changes = list((await wetink.store.catalog.changes([key])).get(key, ()))
    now = now_ms()
    facts = msgspec.to_builtins(known)
    return page(
        request,
        "data/product.html",
        status=status,
        product=known,
        word=word,
        plain=msgspec.structs.asdict(plain),
        given={**{name: facts.get(name, "") for name in CORRECTABLE}, **(form or {})},
        errors=errors or {},
        correctable=CORRECTABLE,
        availabilities=AVAILABILITIES,
        changes=changes[::-1],
        price=line([(each.at, each.price) for each in changes], now),
        stock=line([(each.at, each.stock) for each in changes], now),
        facts={
            name: value
            for name, value in facts.items()
            if name not in ("quantity", "coupon", "position", "url", "image_url") and value not in (None, "")
        },
        gone=not known.buyable,
    )


async def put(request: Request) -> Response:
    """Store a file of products and begin to import it; answer the page's script."""
    try:
        session.check_csrf(request)
        name, complete = request.query_params.get("name", "file")[:LONGEST], "complete" in request.query_params
        made = await wetink_of(request).catalog_imports.take(name, request.stream(), complete=complete)
    except WetinkError as error:
        return error_response(error)
    session.changed(request, "imported", f"products from {name}")
    return json_response({"id": made})


async def imported(request: Request) -> Response:
    """Show how far an import is; it asks again until the import is done."""
    state = await wetink_of(request).catalog_imports.state(request.path_params["id"])
    return page(request, "data/catalog_import.html", state=state, id=request.path_params["id"])


async def photo(request: Request) -> Response:
    """Return a product's photo as opens see it; 404 if it is unavailable."""
    wetink, key = wetink_of(request), request.query_params.get("key", "")[:LONGEST]
    known = (await wetink.store.catalog.products([key])).get(key)
    body = None
    if known is not None and known.image_url and wetink.hosts.allowed(known.image_url):
        body = await wetink.pictures.get(known.image_url, PHOTO_MS)
    return photo_image(body)


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
