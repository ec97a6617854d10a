"""Seed: the shop's past, sent through the real Segment SDK over HTTP."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from segment.analytics.client import Client

from wetink.core.errors import Unavailable
from wetink.demo.life import Message

PATIENCE = 60
"""Seconds without a single acknowledged message after which seeding gives up."""


def seed(
    write_key: str, address: str, messages: Sequence[Message], told: Callable[[int], None] = lambda _: None
) -> int:
    """Send the messages to the server at `address`; return how many it acknowledged, which is all of them.

    `told` hears the number acknowledged so far. Raises Unavailable when the server refuses any, or stops answering.
    """
    refused: list[tuple[Exception, int]] = []

    def lost(error: Exception, batch: Iterable[Any]) -> None:
        refused.append((error, len(list(batch))))

    client = Client(
        write_key,
        host=address,
        on_error=lost,
        max_queue_size=len(messages) + 1,
        max_retries=3,
        upload_size=100,
        upload_interval=0.2,
        timeout=20,
    )
    try:
        for message in messages:
            _call(client, message)
        acknowledged = _wait(client, len(messages), refused, told)
    finally:
        client.join()
    return acknowledged


def seed_with_bar(write_key: str, address: str, messages: Sequence[Message], console: Console) -> int:
    """Do what `seed` does, with a progress bar."""
    look = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*look, console=console, transient=True) as progress:
        task = progress.add_task("Two weeks of Tidewick", total=len(messages))
        return seed(write_key, address, messages, lambda count: progress.update(task, completed=count))


def _call(client: Client, message: Message) -> None:
    common = {
        "user_id": message.user or None,
        "anonymous_id": message.anonymous,
        "timestamp": datetime.fromtimestamp(message.at / 1000, UTC),
        "message_id": message.message_id,
        "context": dict(message.context),
    }
    if message.kind == "track":
        client.track(event=message.name, properties=message.properties, **common)
    elif message.kind == "identify":
        client.identify(traits=message.properties, **common)
    else:
        client.page(name=message.name, properties=message.properties, **common)


def _wait(client: Client, total: int, refused: list[tuple[Exception, int]], told: Callable[[int], None]) -> int:
    """Wait until everything was answered. A batch counts once its answer came, so nothing is counted too early."""
    count, moved = 0, time.monotonic()
    while True:
        if refused:
            error, size = refused[0]
            raise Unavailable(f"the server refused {size} messages: {error}", hint="see the server's log")
        answered = total - client.queue.unfinished_tasks
        if answered > count:
            count, moved = answered, time.monotonic()
            told(count)
        if count == total and not refused:
            return count
        if time.monotonic() - moved > PATIENCE:
            raise Unavailable(f"the server has answered nothing for {PATIENCE} s", hint="see the server's log")
        time.sleep(0.02)
