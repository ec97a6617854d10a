"""Placeholders in a running wetink: they join nobody, an open for one is nobody's, and past ones come right."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.cases.shop import NOW, Shop, named, shop
from tests.days import days
from wetink.core.identity.holding import FOREVER
from wetink.ingest.replay import ReplayQuery

OFF = "!*"
"""The setting with which nothing is a placeholder, as before there was a list."""

BLOCK = {
    "variants": [{"name": "seen", "app": "last-viewed"}],
    "fallback": {"link": "https://shop.example/none"},
    "recipients": ["user", "email"],
}


def seen(sku: str, **who: str) -> dict[str, Any]:
    [value] = who.values()
    called = f"N/A of {value}" if sku == "N/A" else f"The {sku}"
    fields = {"sku": sku, "product_id": f"P-{sku}-{value}", "name": called, "url": f"https://shop.example/{sku}"}
    return {"type": "track", "event": "Product Viewed", **who, "properties": fields}


def ordered(total: int, **who: str) -> dict[str, Any]:
    bought = [{"sku": "A", "price": total}]
    fields = {"order_id": "undefined", "total": total, "currency": "EUR", "products": bought}
    return {"type": "track", "event": "Order Completed", **who, "properties": fields}


STRANGERS = [
    seen("A", anonymousId="a-1"),
    {"type": "identify", "anonymousId": "a-1", "userId": "(null)"},
    seen("B", anonymousId="b-1"),
    {"type": "identify", "anonymousId": "b-1", "userId": "(null)"},
    seen("N/A", userId="u-1"),
    seen("N/A", userId="u-2"),
    {"type": "alias", "userId": "v-1", "previousId": "undefined"},
    {"type": "alias", "userId": "v-2", "previousId": "undefined"},
    {"type": "alias", "userId": "v-2", "previousId": "v-3"},
    seen("V1", userId="v-1"),
    seen("V2", userId="v-2"),
    ordered(11, userId="p"),
    ordered(22, userId="q"),
]


async def told(there: Shop) -> tuple[dict[str, list[str]], float]:
    """What somebody of each kind sees, and what all orders are worth."""
    shown = {}
    for who in ("anonymous:a-1", "user:u-1", "user:v-1", "user:v-3"):
        decision = await there.decided("last-viewed", named(who))
        shown[who] = [item.name for item in decision.items]
    batches = there.wetink.reports.conversions(there.wetink.content, "order", 0, FOREVER)
    return shown, sum([each.value async for batch in batches for each in batch])


APART = (
    {
        "anonymous:a-1": ["The A"],
        "user:u-1": ["N/A of u-1"],
        "user:v-1": ["The V1"],
        "user:v-3": ["The V2"],
    },
    33,
)
JOINED = {
    "anonymous:a-1": ["The B", "The A"],
    "user:u-1": ["N/A of u-2"],
    "user:v-1": ["The V2", "The V1"],
    "user:v-3": ["The V2", "The V1"],
}


def test_what_a_placeholder_has_joined_comes_apart_by_a_replay(tmp_path: Path) -> None:
    async def run() -> None:
        async with shop(tmp_path, placeholders=OFF) as there:
            await there.post_all(STRANGERS)
            joined = await told(there)
            now = there.now
        assert joined[0] == JOINED, "without a list they are joined"
        async with shop(tmp_path, source="again") as there:
            there.now = now
            done = await there.wetink.replay.run(ReplayQuery(0, FOREVER), dry=False)
            assert done.changed == 8
            assert await told(there) == APART
            assert (await there.wetink.replay.run(ReplayQuery(0, FOREVER), dry=False)).changed == 0

    asyncio.run(run())


def test_new_strangers_and_orders_are_apart_from_the_start(tmp_path: Path) -> None:
    async def run() -> None:
        async with shop(tmp_path) as there:
            await there.post_all(STRANGERS)
            assert await told(there) == APART

    asyncio.run(run())


TAGS = [
    "{{ id }}",
    "*|UNIQID|*",
    "%%_subscriberkey%%",
    "(null)",
    "[SUBSCRIBER_ID]",
    "till-7",
    "undefined",
    "${user.id}",
]


@pytest.mark.parametrize("text", TAGS)
def test_an_open_for_a_placeholder_is_nobodys(tmp_path: Path, text: str) -> None:
    """Also where events were filed under it before, and with a token that was sealed for it then."""

    async def run() -> None:
        async with shop(tmp_path, placeholders=OFF) as there:
            await there.put("blocks/case.yaml", BLOCK)
            await there.post(seen("A", userId=text))
            who = there.wetink.seals.named("user", text)
            assert who is not None
            token = there.wetink.seals.seal(who, "case", "click")
            there.now += 60_000
            assert (await there.get(f"/c/case/1?user={quote(text)}")).headers["location"] == "https://shop.example/A"
        async with shop(tmp_path, source="again", placeholders="till-*") as there:
            assert there.wetink.seals.named("user", text) is None
            assert there.wetink.seals.named("email", text) is None
            for target in (f"/c/case/1?user={quote(text)}", f"/c/case/1/{token}", f"/c/case/1?email={quote(text)}"):
                assert (await there.get(target)).headers["location"] == "https://shop.example/none"
            data = await there.get(f"/d/case.json?user={quote(text)}")
            assert data.json["items"] == []
            counted = await days(there.wetink.store.ledger, NOW, NOW)
            assert sum(each.clicks for each in counted) == 1, "nobody's clicks count nothing"

    asyncio.run(run())


def test_a_campaign_that_was_not_filled_in_is_none(tmp_path: Path) -> None:
    async def run() -> None:
        async with shop(tmp_path) as there:
            await there.put("blocks/case.yaml", {**BLOCK, "utm": {"utm_campaign": "{campaign}"}})
            await there.post(seen("A", userId="u"))
            there.now += 60_000
            for campaign, way in (
                ("spring", "?utm_campaign=spring"),
                ("*%7CCAMPAIGN_UID%7C*", ""),
                ("%CAMPAIGNID%", ""),
            ):
                answer = await there.get(f"/c/case/1?user=u&c={campaign}")
                assert answer.headers["location"] == f"https://shop.example/A{way}"

    asyncio.run(run())
