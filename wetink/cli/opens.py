"""Commands for archived opens and clicks, and for opens on behalf of a person."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from wetink.cli.common import DATA, JSON, catch_up, identifier_of, iso, print_json, time_of, with_wetink
from wetink.core.blocks.block import Decision
from wetink.core.errors import BadSettings
from wetink.core.messages.simulation import events_of, read
from wetink.core.profile.person import Moment
from wetink.opens.drawing import weight
from wetink.ports.ledger import Opened
from wetink.wiring import Wetink

DEVICES = ("mobile", "tablet", "desktop", "proxy")


@click.group()
def opens() -> None:
    """Inspect past opens and re-run bot detection."""


@opens.command()
@DATA
def classify(data: str | None) -> None:
    """Re-run bot detection on past opens and clicks with the current rules."""

    async def work(wetink: Wetink) -> int:
        return await wetink.reports.reclassify(wetink.content)

    changed = with_wetink(data, work)
    click.echo(f"{changed} open{'' if changed == 1 else 's'} or clicks reclassified")


@opens.command("list")
@click.option("--who", metavar="RECIPIENT", help="Only opens by user:42, email:a@b.c or anonymous:x.")
@click.option("--block", default="", metavar="NAME", help="Only opens of this block.")
@click.option("--until", metavar="TIME", help="Only opens before this time.  [default: now]")
@click.option(
    "-n", "limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="Maximum number of results."
)
@DATA
@JSON
def list_(who: str | None, block: str, until: str | None, limit: int, data: str | None, as_json: bool) -> None:
    """List past opens, newest first."""
    recipients = [str(identifier_of(who))] if who is not None else None
    at = time_of(until)

    async def work(wetink: Wetink) -> Sequence[Opened]:
        return await wetink.store.archive.newest(at, limit, recipients=recipients, block=block)

    for each in with_wetink(data, work):
        decision = each.decision
        if as_json:
            print_json(decision)
        else:
            shown = ", ".join(item.name or item.key for item in decision.items)
            click.echo(
                f"{decision.id}  {iso(decision.at)}  {decision.recipient}  {decision.block}: "
                f"{decision.variant or 'fallback'}  {shown}".rstrip()
            )


@opens.command("show")
@click.argument("id_", metavar="ID")
@click.option(
    "--image", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Re-render its picture to FILE."
)
@click.option("--slot", type=click.IntRange(1, 12), default=1, show_default=True, help="Slot to render.")
@DATA
@JSON
def show(id_: str, image: Path | None, slot: int, data: str | None, as_json: bool) -> None:
    """Show one past open, explain its decision, and re-render its picture."""

    async def work(wetink: Wetink) -> tuple[Opened, str]:
        found, weighs = await wetink.reports.past(id_), ""
        if image is not None:
            picture = await wetink.opens.again(wetink.content, found, slot)
            await asyncio.to_thread(_write, image, picture.body)
            weighs = weight(found.block, picture)
        return found, weighs

    found, weighs = with_wetink(data, work, draws=image is not None)
    if as_json:
        return print_json({"decision": found.decision, "moment": found.moment})
    _print_decision(found.decision, found.decision.recipient or "nobody", weighs)


@click.command("open")
@click.argument("block")
@click.argument("recipient")
@click.option("--at", metavar="TIME", help="Time of the open, such as 2026-11-20T09:00:00Z.  [default: now]")
@click.option("--with", "extra", type=click.File("rb"), metavar="FILE", help="JSON messages to simulate.")
@click.option("--device", type=click.Choice(["any", *DEVICES]), default="any", show_default=True, help="Device.")
@click.option(
    "--scheme", type=click.Choice(["light", "dark"]), default="light", show_default=True, help="Color scheme."
)
@click.option("--ratio", type=click.IntRange(1, 3), default=2, show_default=True, help="Device pixel ratio.")
@click.option("--campaign", default="", metavar="NAME", help="Campaign of the email.")
@click.option("--language", default="", metavar="TAG", help="Language, such as de or pt-BR.")
@click.option(
    "--image", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Save the picture to FILE."
)
@click.option("--slot", type=click.IntRange(1, 12), default=1, show_default=True, help="Slot to save.")
@DATA
@JSON
def open_(
    block: str,
    recipient: str,
    at: str | None,
    extra: BinaryIO | None,
    image: Path | None,
    slot: int,
    data: str | None,
    as_json: bool,
    **moment: Any,
) -> None:
    """Preview BLOCK for RECIPIENT (user:42, email:a@b.c, anonymous:x) and explain the decision.

    The preview runs the same code as a real open, but wetink neither counts nor stores it.
    """
    who = identifier_of(recipient)
    now = time_of(at)

    supposed = events_of(read(extra.read()), now) if extra is not None else ()

    async def work(wetink: Wetink) -> Any:
        when = Moment(now=now, **{**moment, "device": moment["device"].replace("any", "")})
        await catch_up(wetink, block)
        decision, weighs = (
            await wetink.opens.preview(wetink.content, wetink.content.block(block), who, when, supposed),
            "",
        )
        if image is not None:
            picture = await wetink.opens.picture(wetink.content, decision, slot, when, supposed)
            await asyncio.to_thread(_write, image, picture.body)
            weighs = weight(wetink.content.block(block), picture)
        return decision, weighs

    decision, weighs = with_wetink(data, work, draws=image is not None)
    if as_json:
        return print_json(decision)
    _print_decision(decision, who, weighs)


def _write(path: Path, body: bytes) -> None:
    try:
        path.write_bytes(body)
    except OSError as error:
        raise BadSettings(f"{path} cannot be written: {error.strerror}") from error


def _print_decision(decision: Decision, who: object, weighs: str) -> None:
    click.echo(f"{decision.block} for {who} at {iso(decision.at)}")
    for step in decision.trace:
        click.echo(f"  {'→' if step.taken else '·'} {step.variant or 'fallback'}: {step.why}")
    if weighs:
        click.echo(f"  · picture: {weighs}")
    for item, link in zip(decision.items, [*decision.links, *("" for _ in decision.items)], strict=False):
        click.echo(f"    {item.name or item.key}  {link or item.url}")
