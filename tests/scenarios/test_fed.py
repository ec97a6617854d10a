"""Data from outside in an email: a feed's entries, a person's own data, and a catalog, all from real HTTP servers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.profiles import received
from tests.feeds.outside import Outside, outside, refreshed, sends
from wetink import settings
from wetink.core.blocks.block import Decision
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.web.request import now_ms
from wetink.wiring import Wetink
from wetink.worker import Worker

JANE = Identifier("user", "jane")
BLOCKS = {
    "journal": "variants: [{name: news, app: live-feed, settings: {feed: news, items: 2}}]",
    "weather": "variants: [{name: sky, app: custom, template: sky.liquid, settings: {feeds: [sky]}}]",
    "forecast": "variants: [{name: sky, app: weather, settings: {offers: [rain; Umbrellas; https://shop.example/u]}}]",
    "missing": "variants: [{name: x, app: live-feed, settings: {feed: absent}}]",
    "sale": "variants: [{name: drop, app: price-drop}]",
}


def shop(folder: Path, there: Outside) -> None:
    files = {
        f"blocks/{name}.yaml": f"{text}\nfallback: {{link: 'https://shop.example/'}}" for name, text in BLOCKS.items()
    }
    files["templates/sky.liquid"] = "<b>{{ facts.feeds.sky[0].temperature }} degrees</b>"
    files["feeds/news.yaml"] = f"url: http://{there.host}/news\nformat: json\nevery: 1h"
    files["feeds/sky.yaml"] = (
        f"url: http://{there.host}/sky/{{city}}\nformat: json\nevery: 15m\n"
        "per_person: {parameters: {city: person.traits.city}, deadline_ms: 2000}"
    )
    files["feeds/weather.yaml"] = (
        f"url: http://{there.host}/forecast\nformat: json\nevery: 15m\n"
        "per_person: {parameters: {near: moment.city | person.traits.city}, deadline_ms: 2000}"
    )
    files["feeds/goods.yaml"] = f"url: http://{there.host}/goods\nformat: csv\npurpose: catalog"
    files["feeds/broken.yaml"] = "url: nowhere\nformat: json"
    for name, text in files.items():
        path = folder / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def told(folder: Path, there: Outside, story: Callable[[Wetink], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        shop(folder, there)
        async with Wetink(settings.read({}, data=folder, private_hosts=there.host)) as wetink, Worker(wetink):
            return await story(wetink)

    return asyncio.run(run())


async def until(decide: Callable[[], Awaitable[Decision]], ready: Callable[[Decision], bool]) -> Decision:
    async with asyncio.timeout(20):
        while not ready(decision := await decide()):  # noqa: ASYNC110 (what is waited for happens in other tasks)
            await asyncio.sleep(0.05)
    return decision


ENTRIES = [{"title": f"Entry {n}", "link": f"https://shop.example/{n}", "image": "", "author": "Ida"} for n in range(5)]


def test_a_feeds_newest_entries_are_shown_with_its_age_in_the_trace(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> Decision:
        return await until(
            lambda: wetink.opens.preview(wetink.content, wetink.content.block("journal"), JANE, Moment(now_ms())),
            lambda found: found.variant != "",
        )

    with outside() as there:
        there.reply = sends(json.dumps(ENTRIES).encode())
        decision = told(tmp_path, there, story)
    assert [entry["title"] for entry in decision.facts["entries"]] == ["Entry 0", "Entry 1"]
    assert decision.links == ("https://shop.example/0",)
    assert "feed news is fresh" in decision.trace[0].why


def test_a_per_person_feed_is_requested_with_their_traits_and_drawn(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> tuple[Decision, Decision]:
        who = {
            "type": "identify",
            "userId": "jane",
            "messageId": "i",
            "timestamp": now_ms() - 1000,
            "receivedAt": now_ms(),
        }
        await wetink.store.log.append([received({**who, "traits": {"city": "Oslo"}})])
        known = await wetink.opens.preview(wetink.content, wetink.content.block("weather"), JANE, Moment(now_ms()))
        return known, await wetink.opens.preview(
            wetink.content, wetink.content.block("weather"), Identifier("user", "nobody"), Moment(now_ms())
        )

    with outside() as there:
        there.reply = sends(b'[{"temperature": 7}]')
        known, unknown = told(tmp_path, there, story)
        assert "/sky/Oslo" in [path for path, _ in there.asked]
    assert known.facts["feeds"]["sky"] == [{"temperature": 7}]
    assert unknown.facts["feeds"]["sky"] == []
    assert "feed sky is none" in unknown.trace[0].why


def test_the_weather_is_that_of_where_the_email_is_opened_else_of_the_address(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> list[Decision]:
        who = {"type": "identify", "userId": "jane", "messageId": "i", "traits": {"city": "Oslo"}}
        await wetink.store.log.append([received({**who, "timestamp": now_ms() - 1000, "receivedAt": now_ms()})])
        moments = (Moment(now_ms(), city="Rome", country="US"), Moment(now_ms()))
        seen = [
            await wetink.opens.preview(wetink.content, wetink.content.block("forecast"), JANE, moment)
            for moment in moments
        ]
        return [
            *seen,
            await wetink.opens.preview(
                wetink.content, wetink.content.block("forecast"), Identifier("user", "nobody"), Moment(now_ms())
            ),
        ]

    with outside() as there:
        there.reply = sends(b'{"current": {"temperature_2m": 8.6, "weather_code": 80, "is_day": 1}}')
        travelling, at_home, nowhere = told(tmp_path, there, story)
        asked = {path for path, _ in there.asked}
    assert {"/forecast?near=Rome", "/forecast?near=Oslo"} <= asked
    assert (travelling.facts["place"], travelling.facts["degrees"]) == ("Rome", "47°F")
    assert (at_home.facts["place"], at_home.facts["degrees"], at_home.links[0]) == (
        "Oslo",
        "9°",
        "https://shop.example/u",
    )
    assert nowhere.variant == ""


def test_a_catalog_feed_sets_names_and_prices_and_its_update_a_price_drop(tmp_path: Path) -> None:
    table = "product_id,name,price,url\nmug,The mug,20,https://shop.example/mug\n"

    async def story(wetink: Wetink) -> Decision:
        viewed = {"type": "track", "event": "Product Viewed", "userId": "jane", "messageId": "v",
                  "properties": {"product_id": "mug", "url": "https://shop.example/mug", "price": 20}}  # fmt: skip
        await wetink.store.log.append([received({**viewed, "timestamp": now_ms() - 1000, "receivedAt": now_ms()})])
        async with asyncio.timeout(20):
            while not await wetink.store.catalog.search("mug"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        [mug] = await wetink.store.catalog.search("mug")
        assert (mug.name, mug.price) == ("The mug", 20.0)
        there.reply = sends(table.replace(",20,", ",15,").encode())
        wetink.feeds._clock = wetink.feeds._schedule._clock = lambda: now_ms() + 2 * 3_600_000
        wetink.catalogs._clock = wetink.feeds._clock
        await refreshed(wetink.feeds)
        return await until(
            lambda: wetink.opens.preview(wetink.content, wetink.content.block("sale"), JANE, Moment(now_ms())),
            lambda found: found.variant != "",
        )

    with outside() as there:
        there.reply = sends(table.encode())
        decision = told(tmp_path, there, story)
    assert decision.items[0].price == 15.0
    assert decision.facts["says"][0]["badge"] == "\u221225%"


def test_a_problem_of_a_feed_is_reported_with_its_file(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> tuple[str, ...]:
        return wetink.content.problems

    with outside() as there:
        problems = told(tmp_path, there, story)
    assert any(problem.startswith("feeds/broken.yaml: ") for problem in problems)
    assert any("blocks/missing.yaml" in problem and "there is no feed absent" in problem for problem in problems)


@pytest.mark.parametrize("fault", ["gone", "garbage"])
def test_a_feed_that_cannot_be_had_leaves_the_fallback_and_says_why(tmp_path: Path, fault: str) -> None:
    async def story(wetink: Wetink) -> Decision:
        await refreshed(wetink.feeds)
        return await wetink.opens.preview(wetink.content, wetink.content.block("journal"), JANE, Moment(now_ms()))

    with outside() as there:
        there.reply = sends(b"", 500) if fault == "gone" else sends(b"<html>")
        decision = told(tmp_path, there, story)
    assert decision.variant == ""
    assert "nothing to show" in decision.trace[0].why
