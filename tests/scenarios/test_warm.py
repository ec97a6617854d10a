"""Warm: what a feed says of a person is there before they open, whichever process took their event in."""

import asyncio
from pathlib import Path
from typing import Any

from tests.feeds.outside import outside, sends
from tests.scenarios.test_fed import JANE, told
from tests.scenarios.test_fed import shop as _shop
from wetink.core.profile.person import Moment
from wetink.ingest.receive import Endpoint
from wetink.ports import Source
from wetink.web.request import now_ms
from wetink.wiring import Wetink

_ = _shop
SHOP = Source("shop", "server")


async def says(wetink: Wetink, message: str) -> None:
    await wetink.ingest.receive(message.encode(), SHOP, Endpoint(type="identify"), now_ms())


async def reached(there: Any, path: str) -> None:
    async with asyncio.timeout(20):
        while path not in [asked for asked, _ in there.asked]:  # noqa: ASYNC110 (what happens is in other tasks)
            await asyncio.sleep(0.05)


def test_an_event_prefetches_a_persons_feed_so_that_opens_need_not_wait(tmp_path: Path) -> None:
    with outside() as there:
        there.reply = sends(b'[{"temperature": 7}]')

        async def story(wetink: Wetink) -> Any:
            await wetink.prefetcher.step(wetink.content.blocks)  # from here on
            await says(wetink, '{"type": "identify", "userId": "jane", "traits": {"city": "Oslo"}}')
            await reached(there, "/sky/Oslo")
            await asyncio.sleep(0.2)
            count = len(there.asked)
            decision = await wetink.opens.preview(
                wetink.content, wetink.content.block("weather"), JANE, Moment(now_ms())
            )
            return decision, len(there.asked) - count

        decision, asked = told(tmp_path, there, story)
    assert asked == 0
    assert decision.facts["feeds"]["sky"] == [{"temperature": 7}]
    assert "feed sky is fresh" in decision.trace[0].why


def test_every_process_warms_its_own_and_visitors_that_get_no_email_cost_nothing(tmp_path: Path) -> None:
    with outside() as there:
        there.reply = sends(b'[{"temperature": 7}]')

        async def story(wetink: Wetink) -> None:
            await wetink.prefetcher.step(wetink.content.blocks)
            async with Wetink(wetink.settings) as other:  # which takes messages in, and does nothing else
                await says(other, '{"type": "identify", "anonymousId": "v", "traits": {"city": "Rome"}}')
                await says(other, '{"type": "identify", "userId": "bob", "traits": {"city": "Bern"}}')
                await says(other, '{"type": "identify", "userId": "eve"}')
            await reached(there, "/sky/Bern")

        told(tmp_path, there, story)
        paths = [path for path, _ in there.asked]
    assert "/sky/Rome" not in paths
    assert paths.count("/sky/Bern") == 1
