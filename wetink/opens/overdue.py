"""Overdue: what an open was still waiting for when its deadline passed, and what became of it afterwards."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from wetink.core.app.app import App
from wetink.core.blocks.block import Decision
from wetink.core.errors import WetinkError
from wetink.core.outbound.feed import Feed

logger = logging.getLogger(__name__)

DEEPEST, SHOWN = 40, 3
"""How far calls are followed, and how many of the innermost are named."""


def still_running(task: asyncio.Task[Any]) -> str:
    """Return what a task waits for, such as `Scenes.draw, Studio.render (app countdown)`.

    It names calls, apps, feeds and the hosts of photos, and nothing of a person.
    """
    calls: list[str] = []
    facts: dict[str, str] = {}
    for coroutine in _chain(task):
        calls.append(getattr(coroutine, "__qualname__", ""))
        facts |= dict(_facts(getattr(coroutine, "cr_frame", None)))
    named = ", ".join(filter(None, calls[-SHOWN:]))
    told = ", ".join(f"{kind} {name}" for kind, name in facts.items())
    return f"{named} ({told})" if told else named


def watch(task: asyncio.Task[Any], block: str) -> None:
    """Log how a task ends that goes on after its deadline, if it fails."""

    def ended(done: asyncio.Task[Any]) -> None:
        error = None if done.cancelled() else done.exception()
        if isinstance(error, WetinkError):
            logger.warning("%s: after the deadline it failed: %s", block, error)
        elif error is not None:
            logger.error("%s: after the deadline it failed", block, exc_info=error)

    task.add_done_callback(ended)


def _chain(task: asyncio.Task[Any]) -> Iterator[Any]:
    coroutine: Any = task.get_coro()
    for _ in range(DEEPEST):
        if not hasattr(coroutine, "cr_frame"):
            return
        yield coroutine
        coroutine = coroutine.cr_await


def _facts(frame: Any) -> Iterator[tuple[str, str]]:
    """Yield the app, the feed and the photo's host that a call is about."""
    for name, value in (frame.f_locals if frame is not None else {}).items():
        if isinstance(value, App):
            yield "app", value.name
        elif isinstance(value, Feed):
            yield "feed", value.name
        elif isinstance(value, Decision) and value.app:
            yield "app", value.app
        elif name == "url" and isinstance(value, str) and (host := urlsplit(value).hostname):
            yield "photo of", host
