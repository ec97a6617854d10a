"""Runners: each way in which a field case is tried, by real parts, and what was seen of it.

A runner takes the case's input and a shop, and returns what it saw by the names that the cases' `expect` uses.
"""

import base64
import io
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from html import unescape
from typing import Any

from PIL import Image

from tests.asgi import Answer
from tests.cases.shop import NOW, Shop, moment_of, named, plain
from wetink.core.blocks.block import Decision
from wetink.core.blocks.decide import settled
from wetink.core.client_classification import classify_request
from wetink.core.events.event import Event, Product
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.feed import Feed, product_of
from wetink.core.profile.person import Moment
from wetink.core.rules.parse import parse as rule_of
from wetink.feeds.parse import Tally, Unreadable, read
from wetink.ingest.receive import check_body
from wetink.opens.drawing import template_values
from wetink.ports import Scene
from wetink.render.liquid import html

Seen = dict[str, Any]
Runner = Callable[[Any, Shop], Awaitable[Seen]]

SOMEBODY = Identifier("user", "somebody")
LINK = "https://shop.example/"


def told(problems: Any) -> list[str]:
    """Return problems of messages as their paths and their words."""
    return [f"{each['property']}: {each['hint']}" for each in plain(problems)]


def of_event(event: Event) -> Seen:
    """Return what a stored event says, the first product's fields and the order's among it."""
    seen: Seen = {**plain(event), "at": event.at, "event": event.label, "email": event.email, "user": event.user}
    for part in (event.order, event.products[0] if event.products else None):
        if part is not None:
            seen.update({name: getattr(part, name) for name in part.__struct_fields__})
    seen["properties"], seen["traits"] = event.properties, event.traits
    return seen


async def check(message: Any, shop: Shop) -> Seen:
    """What `wetink check` says of a message, and the event that is stored of it."""
    [dry] = check_body(json.dumps(message).encode(), shop.now + 1000)
    answer = await shop.post(message)
    [received] = await shop.received()
    assert received.verdict == dry["verdict"], "a check says what is stored"
    seen: Seen = {
        "status": answer.status,
        "verdict": received.verdict,
        "problems": told(received.problems),
        "paths": [each.property for each in received.problems],
    }
    if received.filed is None:
        return seen
    [event] = [each for each in await shop.history(received.filed) if each.message_id == received.message_id]
    return {**of_event(event), **seen}


async def amount(given: Any, shop: Shop) -> Seen:
    """The money of an order as it was read."""
    return await check(given.get("message", given), shop)


async def opened(case: Any, shop: Shop) -> Seen:
    """What somebody's open of a block gets once these events have happened."""
    block = await shop.block(case["block"])
    await shop.post_all(case["events"])
    decision = await shop.decided(block, named(case["who"]), moment_of(case, 0) or None)
    return of_decision(decision)


def of_decision(decision: Decision) -> Seen:
    items = decision.items
    seen: Seen = {
        **plain(decision.facts),
        "variant": decision.variant,
        "fallback": not decision.variant,
        "items": [item.key for item in items],
        "names": [item.name for item in items],
        "prices": [item.price for item in items],
        "photos": [item.image_url for item in items],
        "lines": sorted([item.variant, item.quantity] for item in items),
        "pieces": sum(item.quantity for item in items),
        "link": decision.links[0],
        "links": list(decision.links),
    }
    if "ends_at" in seen:
        seen["ends"] = seen["ends_at"]
    return seen


async def conversions(case: Any, shop: Shop) -> Seen:
    """The orders there are once these events have happened, and what was given back of them."""
    await shop.post_all(case["events"])
    batches = shop.wetink.reports.conversions(shop.wetink.content, "order", 0, FOREVER)
    found = sorted([each async for batch in batches for each in batch], key=lambda each: (each.at, each.id))
    revenue: dict[str, float] = defaultdict(float)
    for each in found:
        revenue[each.currency] = round(revenue[each.currency] + each.value, 3)
    seen: Seen = {"orders": len(found), "revenue": dict(revenue), "notes": [n for each in found for n in each.notes]}
    received = await shop.received()
    seen["problems"] = [each for message in received for each in told(message.problems)]
    if len(found) == 1:
        [only] = found
        seen |= {"order": only.id, "amount": only.amount, "refunded": only.refunded, "currency": only.currency}
        seen |= {"value": only.value, "cancelled": only.cancelled}
    return seen


async def glyphs(characters: str, shop: Shop) -> Seen:
    """Which of these characters are drawn: in a template alone, and in the words and the button of a fallback."""
    nothing = {await _drawn(shop, missing) for missing in ("\ue123", "\U000f1234", " ")}
    lost = [each for each in characters if await _drawn(shop, each) in nothing]
    pictures = []
    for what in (characters, "\ue123" * len(characters), "A"):
        name = await shop.block({"fallback": {"link": LINK, "title": what, "button": what}})
        decision = await shop.decided(name, None)
        pictures.append((await shop.wetink.opens.picture(shop.wetink.content, decision, 1, Moment(shop.now))).body)
    if len(set(pictures)) < 3:
        lost.append("the fallback's title")
    return {"drawn": not lost, "lost": lost}


async def _drawn(shop: Shop, character: str) -> bytes:
    scene = Scene(f'<div style="font-size:40px">{character}</div>', {}, 60, 60, scale=1)
    return (await shop.wetink.renderer.render(scene)).body


USUAL = {
    "id": "1",
    "title": "Mug",
    "link": "https://shop.example/mug",
    "image_link": "https://shop.example/mug.jpg",
    "price": "15.00 EUR",
    "availability": "in_stock",
}
"""One of Google Merchant's items when nothing else is said of it."""


def _listed(body: str, form: Any, now: int = NOW) -> Seen:
    """What becomes of the products of a file."""
    tally = Tally()
    feed = Feed("case", form, purpose="catalog")
    seen: Seen = {"products": 0, "problems": [], "photo": None}
    try:
        items = list(read(feed, io.BytesIO(body.encode()), tally, now))
    except Unreadable as error:
        return {**seen, "problems": [str(error)], "refused": True}
    products = [each for item in items if (each := product_of(item)) is not None]
    seen |= {"products": len(products), "problems": tally.problems, "left_out": tally.left_out}
    if len(products) == 1:
        [product] = products
        seen |= {name: getattr(product, name) or None for name in Product.__struct_fields__}
        seen |= {"key": product.key, "link": product.url, "photo": product.image_url or None}
        seen |= {"price": product.price, "list_price": product.list_price, "stock": product.stock}
    return seen


async def merchant_item(fields: Mapping[str, Any], shop: Shop) -> Seen:
    """What becomes of one of Google Merchant's items."""
    said = {name: value for name, value in {**USUAL, **fields}.items() if value is not None}
    item = "".join(f"<g:{name}><![CDATA[{value}]]></g:{name}>" for name, value in said.items())
    body = f'<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><item>{item}</item></channel></rss>'
    return _listed(body, "merchant", moment_of(fields, NOW))


async def feed_price(price: Any, shop: Shop) -> Seen:
    """What the price of such an item is read as."""
    return await merchant_item(price if isinstance(price, Mapping) else {"price": price}, shop)


async def merchant_xml(body: str, shop: Shop) -> Seen:
    """What becomes of a whole body of Google Merchant's."""
    return _listed(body, "merchant")


async def catalog_row(row: Mapping[str, Any], shop: Shop) -> Seen:
    """What becomes of one row of a CSV file."""
    cells = ['"' + str(value).replace('"', '""') + '"' for value in row.values()]
    return _listed(f"{','.join(row)}\n{','.join(cells)}\n", "csv")


async def csv(body: str, shop: Shop) -> Seen:
    """What becomes of a file that is imported."""
    file = shop.data / "case.csv"
    file.write_text(body)
    seen = _listed(body, "csv")
    feed = Feed("import", "csv", purpose="catalog")
    try:
        done = await shop.wetink.catalogs.import_file(file, feed, lambda _: None)
    except Unreadable as error:
        return {**seen, "products": 0, "problems": [str(error)]}
    return {**seen, "products": done.products, "problems": [*done.problems]}


async def rss_item(item: str, shop: Shop) -> Seen:
    """What an item of an RSS feed says."""
    names = 'xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    dublin = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    body = f'<rss version="2.0" {names} {dublin}><channel><title>T</title>{item}</channel></rss>'
    tally = Tally()
    items = list(read(Feed("case", "rss"), io.BytesIO(body.encode()), tally, NOW))
    return {**(items[0] if items else {}), "items": len(items), "problems": tally.problems}


async def click(case: Any, shop: Shop) -> Seen:
    """Where a click leads."""
    block = await shop.block(case.get("block", "last-viewed"))
    await shop.post_all(case["events"])
    who = named(case["who"])
    assert who is not None
    shop.now += 3_600_000
    answer = await shop.get(f"/c/{block}/{case.get('slot', 1)}/{shop.wetink.seals.seal(who, block, 'click')}")
    return {"status": answer.status, "location": answer.headers.get("location")}


async def push(given: Any, shop: Shop) -> Seen:
    """What becomes of a block that is pushed, and of what it sets."""
    text = given if isinstance(given, str) else json.dumps(given)
    tree = {"blocks/case.yaml": text.encode()}
    done = await shop.wetink.versions.push(tree, None, by="case", message="", now=shop.now)
    seen: Seen = {"taken": not done.problems, "problems": list(done.problems), "settings": {}}
    if not done.problems:
        await shop.wetink.look_again()
        for variant in shop.wetink.content.block("case").variants:
            seen["settings"] |= plain(settled(shop.wetink.apps[variant.app], variant)[0])
    return seen


async def agent(given: Any, shop: Shop) -> Seen:
    """What the fetches of a User-Agent are taken for."""
    name, owner = (given, "") if isinstance(given, str) else (given["agent"], given.get("owner", ""))
    facts, fetch = classify_request(name, owner, "GET", False)
    clicked = classify_request(name, owner, "GET", True)[1]
    return {"open": fetch.kind, "click": clicked.kind, "device": facts.device, "client": facts.client}


async def template(case: Any, shop: Shop) -> Seen:
    """The text that a template makes of somebody with these traits, after these events, at this moment."""
    await shop.put("templates/case.liquid", case["template"])
    variant = {"name": "case", "app": "custom", "template": "case.liquid", "settings": case.get("settings", {})}
    name = await shop.block({"variants": [variant], "fallback": {"link": LINK}})
    await shop.post({"type": "identify", "userId": "somebody", "traits": case.get("traits", {})})
    await shop.post_all(case.get("events", ()))
    at = moment_of(case, shop.now)
    moment = Moment(at, language=case.get("lang", ""))
    decision = await shop.wetink.opens.preview(shop.wetink.content, shop.wetink.content.block(name), SOMEBODY, moment)
    person = await shop.wetink.opens.person(SOMEBODY, max(at, shop.now))
    page = html(case["template"], template_values(shop.wetink.content.block(name), decision, 1, person, moment, {}))
    return {"text": unescape(re.sub(r"<[^>]*>", "", page)), "html": page}


async def rule(case: Any, shop: Shop) -> Seen:
    """Whether a rule holds for somebody with these traits, after these events, at this moment, and why."""
    at = moment_of(case, NOW)
    shop.now = at - 60_000
    await shop.post({"type": "identify", "userId": "somebody", "traits": case.get("traits", {})})
    await shop.post_all(case.get("events", ()))
    finding = await shop.wetink.opens.explain(
        shop.wetink.content, rule_of(case["rule"]), SOMEBODY, Moment(at, **case.get("moment", {}))
    )
    return {"holds": finding.holds, "why": finding.why}


async def alt(case: Any, shop: Shop) -> Seen:
    """The words of the picture of a product, for a reader of a language."""
    fields = {name: value for name, value in case.items() if name != "lang"}
    properties = {"sku": "X", "name": "Mug", "url": "https://shop.example/mug", **fields}
    await shop.post({"type": "track", "event": "Product Viewed", "userId": "somebody", "properties": properties})
    token = shop.wetink.seals.seal(SOMEBODY, "last-viewed", "picture")
    answer = await shop.get(f"/a/last-viewed/1/{token}.txt?lang={case.get('lang', '')}")
    return {"text": answer.body.decode()}


async def money(case: Any, shop: Shop) -> Seen:
    """What the filter `money` writes."""
    price = case.get("price", case.get("amount"))
    data = {"price": price, "currency": case.get("currency", ""), "moment": {"language": case.get("lang", "")}}
    return {"text": unescape(html("{{ price | money: currency }}", data))}


async def pixel(message: Mapping[str, Any], shop: Shop) -> Seen:
    """What the tracking pixel answers, and whether what it told is stored."""
    kind = message.get("type", "track")
    body = json.dumps({"writeKey": shop.key, **message}).encode()
    shop.now += 1000
    answer = await shop.get(f"/v1/pixel/{kind}?data={base64.b64encode(body).decode()}")
    received = await shop.received()
    seen = {"status": answer.status, "content_type": answer.headers.get("content-type"), "stored": bool(received)}
    return {**seen, **_events(answer, [plain(each.verdict) for each in received])}


async def name(given: Any, shop: Shop) -> Seen:
    """What a greeting with this first name says, and whether it is drawn."""
    first = given if isinstance(given, str) else given["name"]
    lines = "{{ person.traits.firstName }}"
    seen = await template({"template": lines, "traits": {"firstName": first}}, shop)
    decision = await shop.wetink.opens.preview(
        shop.wetink.content, shop.wetink.content.block("hello"), SOMEBODY, Moment(shop.now)
    )
    picture = await shop.wetink.opens.picture(shop.wetink.content, decision, 1, Moment(shop.now))
    other = await shop.wetink.opens.preview(
        shop.wetink.content, shop.wetink.content.block("hello"), None, Moment(shop.now)
    )
    fallback = await shop.wetink.opens.picture(shop.wetink.content, other, 1, Moment(shop.now))
    with Image.open(io.BytesIO(picture.body)) as image:
        image.load()
        inked = image.convert("RGBA").getextrema()[3][1] > 0
    return {**seen, "variant": decision.variant, "drawn": inked and picture.body != fallback.body}


async def behavioral(body: Any, shop: Shop) -> Seen:
    """What Movable Ink's door answers, and what is stored of what it was sent."""
    answer = await shop.relay(body)
    received = await shop.received()
    seen: Seen = {
        "status": answer.status,
        "stored": len(received),
        "problems": [each for message in received for each in told(message.problems)],
        "paths": [each.property for message in received for each in message.problems],
        "names": [each.name for each in received],
    }
    filed = [each.filed for each in received if each.filed is not None]
    if filed:
        event = (await shop.history(filed[-1]))[-1]
        seen = {**of_event(event), **seen}
    return {**seen, **_events(answer, [each.verdict for each in received])}


def _events(answer: Answer, verdicts: list[Any]) -> Seen:
    return {"verdicts": verdicts, "verdict": verdicts[0] if verdicts else None, "answer": answer.body}


RUNNERS: dict[str, Runner] = {
    "check": check,
    "open": opened,
    "amount": amount,
    "conversions": conversions,
    "glyphs": glyphs,
    "merchant_item": merchant_item,
    "feed_price": feed_price,
    "catalog_row": catalog_row,
    "csv": csv,
    "rss_item": rss_item,
    "click": click,
    "push": push,
    "agent": agent,
    "template": template,
    "rule": rule,
    "alt": alt,
    "money": money,
    "pixel": pixel,
    "name": name,
    "merchant_xml": merchant_xml,
    "behavioral": behavioral,
}
"""`how` of a case -> what tries it."""

DRAWING = ("glyphs", "name")
"""Those for which pictures are drawn."""
