"""Who would see what of a block, from the command line."""

from typing import Any

import click
import msgspec

from wetink.cli.common import DATA, JSON, now_ms, with_wetink
from wetink.core.profile.person import Moment
from wetink.wiring import Wetink


@click.command()
@click.argument("block")
@DATA
@JSON
def coverage(block: str, data: str | None, as_json: bool) -> None:
    """Check BLOCK against your most recent profiles: what each would see, and which template values are missing."""

    async def work(wetink: Wetink) -> Any:
        await wetink.catch_up(block)
        return await wetink.audit.coverage(wetink.content, wetink.content.block(block), Moment(now_ms()))

    found = with_wetink(data, work)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for group in found.groups:
        click.echo(
            f"{group.people:6} of {found.people}  {group.variant or 'fallback'}{f': {group.why}' if group.why else ''}"
        )
    for lack in found.lacking:
        click.echo(f"{lack.people:6} have no {lack.value}{'' if lack.default else ', and its place stays empty'}")
    if not found.people:
        click.echo("Nobody is known yet.")
