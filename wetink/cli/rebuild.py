"""Deriving anew what follows from the log."""

import sys

import click

from wetink.cli.common import DATA, with_wetink
from wetink.wiring import Wetink


@click.command()
@click.argument("name", metavar="NAME")
@DATA
def rebuild(name: str, data: str | None) -> None:
    """Rebuild NAME (`catalog` or `conversions`) from the event log.

    Use it after a restore, or when a report or a product looks wrong. You can run it next to a server. Until it
    finishes, the catalog is incomplete and reports wait. It does not change events or imports.
    """

    async def work(wetink: Wetink) -> None:
        await wetink.store.projections.reset(name)
        total = (await wetink.store.projections.behind())[name]
        with click.progressbar(length=total, label=f"Rebuilding {name}", file=sys.stderr) as bar:
            while await wetink.store.projections.settle():
                left = (await wetink.store.projections.behind())[name]
                bar.update(max(0, total - left - bar.pos))
            bar.update(total - bar.pos)
        click.echo(f"{name} is rebuilt from {total:,} messages")

    with_wetink(data, work)
