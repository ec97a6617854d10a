"""What anybody does in the shop shows in everybody's email a moment later, whichever process heard of it."""

import asyncio
from pathlib import Path
from typing import Any

from tests.contracts.profiles import received
from tests.storage import opened
from wetink import settings
from wetink.core.catalog.trends import HOUR
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.web.request import now_ms
from wetink.wiring import Wetink
from wetink.worker import Worker

SHOP = "https://shop.example"
BLOCK = f"""
fallback: {{link: {SHOP}/}}
variants:
  - {{name: hot, app: trending, settings: {{least: 2, window: 24h}}}}
  - {{name: searched, app: recently-searched}}
  - {{name: back, app: back-in-stock}}
"""


def did(event: str, who: str, number: int, sku: str = "", **more: Any) -> Any:
    product = {"sku": sku, "name": f"The {sku}", "url": f"{SHOP}/{sku}", "price": 5, **more}
    body = {"order_id": f"o{number}", "total": 5, "products": [product]} if event == "Order Completed" else product
    message = {"type": "track", "event": event, "messageId": f"{who}{number}", "userId": who, "properties": body}
    return received({**message, "timestamp": now_ms() - HOUR + number, "receivedAt": now_ms()})


def test_purchases_show_up_in_trends_a_moment_later(tmp_path: Path) -> None:
    async def story() -> tuple[list[str], list[str]]:
        content = tmp_path / "content" / "blocks"
        content.mkdir(parents=True)
        (content / "hot.yaml").write_text(BLOCK)
        async with Wetink(settings.read({}, data=tmp_path)) as wetink, Worker(wetink):
            nobody, moment = Identifier("user", "nobody"), Moment(now_ms())
            before = (await wetink.opens.preview(wetink.content, wetink.content.block("hot"), nobody, moment)).items
            other = opened(tmp_path)
            await other.log.append([did("Order Completed", who, 1, "mug") for who in "ab"])
            async with asyncio.timeout(20):
                hot = wetink.content.block("hot")
                while not (after := (await wetink.opens.preview(wetink.content, hot, nobody, moment)).items):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await other.close()
            return [item.sku for item in before], [item.sku for item in after]

    assert asyncio.run(story()) == ([], ["mug"])


def test_the_catalog_answers_a_search_and_remembers_that_it_was_sold_out(tmp_path: Path) -> None:
    async def story() -> tuple[str, str]:
        content = tmp_path / "content" / "blocks"
        content.mkdir(parents=True)
        (content / "hot.yaml").write_text(BLOCK)
        async with Wetink(settings.read({}, data=tmp_path)) as wetink:
            await wetink.store.log.append(
                [
                    did("Product Viewed", "ann", 1, "lamp"),
                    did("Product Viewed", "shop", 2, "lamp", stock=0, availability="out_of_stock"),
                    did("Product Viewed", "shop", 3, "lamp", stock=4, availability="in_stock"),
                    received({"type": "track", "event": "Products Searched", "userId": "bob", "messageId": "q",
                              "timestamp": now_ms() - HOUR, "receivedAt": now_ms(), "properties": {"query": "lam"}}),
                ]
            )  # fmt: skip
            moment = Moment(now_ms())
            ann = await wetink.opens.preview(
                wetink.content, wetink.content.block("hot"), Identifier("user", "ann"), moment
            )
            bob = await wetink.opens.preview(
                wetink.content, wetink.content.block("hot"), Identifier("user", "bob"), moment
            )
            return ann.variant, bob.variant

    assert asyncio.run(story()) == ("back", "searched")
