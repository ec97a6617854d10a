"""What an open waits for when its deadline passes: named by calls, apps, feeds and hosts, and nothing of a person."""

import asyncio
import logging

import pytest

from wetink.apps import load
from wetink.core.app.app import App
from wetink.core.errors import BadContent
from wetink.core.outbound.declaration import feed_of
from wetink.core.outbound.feed import Feed
from wetink.opens.drawing import still_running, watch

NEWS = feed_of("news", {"format": "json", "url": "https://feeds.example/", "every": "1h"})


async def never(person: str) -> None:
    await asyncio.Event().wait()


async def _feed(feed: Feed, person: str) -> None:
    await never(person)


async def _photo(url: str, person: str) -> None:
    await never(person)


async def _app(app: App, person: str) -> None:
    await _feed(NEWS, person) if app.name == "live-feed" else await _photo("https://cdn.example/jane@x.example", person)


@pytest.mark.parametrize(
    ("app", "told"), [("live-feed", ("app live-feed", "feed news", "_feed")), ("countdown", ("photo of cdn.example",))]
)
def test_what_is_still_running_is_named_without_personal_data(app: str, told: tuple[str, ...]) -> None:
    async def story() -> str:
        task = asyncio.create_task(_app(load()[app], "jane@x.example"))
        await asyncio.sleep(0.01)
        said = still_running(task)
        task.cancel()
        return said

    said = asyncio.run(story())
    assert all(each in said for each in told), said
    assert "jane" not in said
    assert len(said) < 300


def test_a_failure_after_the_deadline_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise BadContent("the template needs 9 seconds")

    async def story() -> None:
        task = asyncio.create_task(fails())
        watch(task, "hero")
        await asyncio.wait([task])
        await asyncio.sleep(0)

    with caplog.at_level(logging.WARNING):
        asyncio.run(story())
    assert "hero: after the deadline it failed: the template needs 9 seconds" in caplog.text
