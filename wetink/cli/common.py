"""Shared by commands: options, a data folder's wetink, times and identifiers, and errors in one line on stderr."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

import click
import msgspec

from wetink.core.errors import BadRequest, BadSettings, Unavailable, WetinkError
from wetink.core.events import clock
from wetink.core.identity.identifier import Identifier
from wetink.opens.recipient import parse
from wetink.settings import Settings, read
from wetink.wiring import Wetink, has_store

T = TypeVar("T")

DATA = click.option("--data", metavar="DIR", help="Data folder.  [WETINK_DATA; default: wetink-data]")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
YES = click.option("--yes", is_flag=True, help="Skip the confirmation prompt.")


def settings_of(**given: Any) -> Settings:
    """Return the settings from a command's options, else from the environment. Raises BadSettings."""
    return read(os.environ, **given)


def with_wetink(
    data: str | None, work: Callable[[Wetink], Awaitable[T]], *, draws: bool = False, makes: bool = False
) -> T:
    """Run `work` with a wetink on a data folder. Set `draws` if it draws pictures.

    Raises BadSettings for a missing folder, unless the command `makes` it: a typo must not create an empty shop.
    """
    settings = settings_of(data=data) if makes else there(data)

    async def run() -> T:
        async with Wetink(settings, draws=draws) as wetink:
            if draws and (why := await wetink.health.drawing()):
                raise Unavailable(f"nothing can be drawn: {why}")
            return await work(wetink)

    return asyncio.run(run())


async def catch_up(wetink: Wetink, block: str) -> None:
    """Read all past events if a block's apps need them, in a command that runs once."""
    used = [wetink.apps.get(variant.app) for variant in wetink.content.block(block).variants]
    if any(app is not None and app.wants is not None for app in used):
        while await wetink.follower.step():
            pass


def there(data: str | None) -> Settings:
    """Return the settings of an existing data folder. Raises BadSettings if it is missing."""
    settings = settings_of(data=data)
    if not has_store(settings):
        if os.environ.get("WETINK_STORE"):
            raise BadSettings(f"WETINK_STORE: {settings.store} does not exist", hint="`wetink serve` makes one")
        where = "--data" if data is not None else "WETINK_DATA"
        what = "is not a data folder of wetink" if settings.data.exists() else "does not exist"
        raise BadSettings(f"{where}: {settings.data} {what}", hint="`wetink serve` makes one", where=where)
    return settings


def print_json(found: object) -> None:
    """Print a value as JSON in one line."""
    click.echo(msgspec.json.encode(found).decode())


def now_ms() -> int:
    """Return the time in Unix ms."""
    return time.time_ns() // 1_000_000


def iso(at: int) -> str:
    """Write a time (Unix ms) as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(text: str | None) -> int:
    """Parse a typed time into Unix ms; None is now. Raises BadRequest."""
    if text is None:
        return now_ms()
    at = clock.parse(text)
    if at is None or not 0 <= at <= clock.LATEST:
        raise BadRequest(f"{text!r} is not a time", hint="write 2026-11-20T09:00:00Z")
    return at


def identifier_of(text: str) -> Identifier:
    """Parse a typed identifier. Raises BadRequest."""
    who = parse(text)
    if who is None:
        raise BadRequest(f"{text!r} names nobody", hint="write user:42, email:a@b.c or anonymous:x")
    return who


class Commands(click.Group):
    """Lists commands in the order they were added, and prints errors in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return list(self.commands)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command. An error prints one line and exits with 1."""
        try:
            return super().main(*args, **kwargs)
        except WetinkError as error:
            _fail(f"{error}{f' ({error.hint})' if error.hint else ''}")
        except BrokenPipeError:
            sys.stderr.close()  # the reader is gone, as with `head`
            sys.exit(1)


def _fail(sentence: str) -> NoReturn:
    click.echo(f"wetink: {' '.join(sentence.split())}", err=True)
    sys.exit(1)
