"""Looking after what is kept of opens and clicks; opening as somebody would."""

import asyncio
from pathlib import Path
from typing import Any

import click
import msgspec

from wetink.cli.common import DATA, JSON, identifier_of, iso, time_of, with_wetink
from wetink.core.errors import BadSettings
from wetink.core.person import Moment
from wetink.wiring import Wetink


@click.group()
def opens() -> None:
    """Look after what is kept of opens and clicks."""


@opens.command()
@DATA
def classify(data: str | None) -> None:
    """Tell people from machines anew, by the rules of now and by all that came of each email since."""

    async def work(wetink: Wetink) -> int:
        return await wetink.reclassify()

    changed = with_wetink(data, work)
    click.echo(f"{changed} open{'' if changed == 1 else 's'} or clicks came out differently")


@click.command("open")
@click.argument("block")
@click.argument("recipient")
@click.option("--at", metavar="TIME", help="When it is opened, such as 2026-11-20T09:00:00Z.  [default: now]")
@click.option("--image", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Save the picture.")
@click.option("--slot", type=click.IntRange(1, 12), default=1, show_default=True, help="Which slot's picture to save.")
@DATA
@JSON
def open_(
    block: str, recipient: str, at: str | None, image: Path | None, slot: int, data: str | None, as_json: bool
) -> None:
    """Show what RECIPIENT (user:42, email:a@b.c, anonymous:x) would see in BLOCK, and why.

    Nothing is counted, and nothing is kept: it is a preview by the same code that answers opens.
    """
    who = identifier_of(recipient)
    now = time_of(at)

    async def work(wetink: Wetink) -> Any:
        when = Moment(now=now)
        await wetink.catch_up(block)
        decision = await wetink.preview(block, who, when)
        if image is not None:
            picture = await wetink.picture(decision, slot, when)
            await asyncio.to_thread(image.write_bytes, picture.body)
        return decision

    try:
        decision = with_wetink(data, work)
    except OSError as error:
        raise BadSettings(f"{image} cannot be written: {error.strerror}") from error
    if as_json:
        click.echo(msgspec.json.encode(decision).decode())
        return
    click.echo(f"{block} for {who} at {iso(now)}")
    for step in decision.trace:
        click.echo(f"  {'→' if step.taken else '·'} {step.variant or 'fallback'}: {step.why}")
    for item, link in zip(decision.items, [*decision.links, *("" for _ in decision.items)], strict=False):
        click.echo(f"    {item.name or item.key}  {link or item.url}")
