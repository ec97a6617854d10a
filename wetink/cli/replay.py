"""Commands that reprocess past messages and rebuild projections of the log."""

import sys

import click

from wetink.cli.common import DATA, JSON, now_ms, print_json, time_of, with_wetink
from wetink.core.errors import BadContent, BadRequest
from wetink.core.events.event import Verdict
from wetink.core.units import duration
from wetink.ingest.replay import Replayed, ReplayQuery
from wetink.wiring import Wetink


@click.command()
@click.option(
    "--since",
    default="7d",
    show_default=True,
    metavar="TIME",
    help="Only messages received after this duration or time.",
)
@click.option("--until", metavar="TIME", help="Only messages received before this time.  [default: now]")
@click.option("--source", default="", metavar="NAME", help="Only messages from this source.")
@click.option("--verdict", type=click.Choice(["usable", "unusable", "parked"]), help="Only messages with this verdict.")
@click.option("--dry-run", is_flag=True, help="Show the changes without making them.")
@DATA
@JSON
def replay(
    since: str, until: str | None, source: str, verdict: Verdict | None, dry_run: bool, data: str | None, as_json: bool
) -> None:
    """Reprocess past messages with the current mappings.

    Replaces each message's earlier result: a parked or unusable message can become an event that the next open uses.
    You can run it next to a server, and more than once.
    """
    query = ReplayQuery(_since(since), time_of(until), source, verdict)

    async def work(wetink: Wetink) -> Replayed:
        return await wetink.replay.run(query, dry=dry_run)

    done = with_wetink(data, work)
    if as_json:
        return print_json(done)
    would = "would come" if dry_run else "came"
    click.echo(f"{done.changed} of {done.messages} messages {would} to something else")
    for step, count in sorted(done.verdicts.items(), key=lambda each: -each[1]):
        click.echo(f"  {count:>8}  {step}")
    for name, count in sorted(done.names.items(), key=lambda each: -each[1]):
        click.echo(f"  {count:>8}  {name}")


def _since(text: str) -> int:
    try:
        return now_ms() - duration.parse(text)
    except BadContent:
        try:
            return time_of(text)
        except BadRequest as error:
            raise BadRequest(str(error), hint="write 7d, or 2026-11-20T09:00:00Z") from error


@click.command()
@click.argument("name", metavar="NAME")
@DATA
def rebuild(name: str, data: str | None) -> None:
    """Rebuild NAME (`catalog` or `conversions`) from the event log.

    Use it after a restore, or when a report or a product looks wrong. You can run it next to a server. Until it
    finishes, reports wait, and emails show the catalog as it was. It does not change events or imports.
    """

    async def work(wetink: Wetink) -> None:
        with click.progressbar(length=0, label=f"Rebuilding {name}", file=sys.stderr) as bar:

            def progress(left: int) -> None:
                bar.length = max(bar.length or 0, left)
                bar.update(max(0, bar.length - left - bar.pos))

            await wetink.store.projections.rebuild(name, progress)
        click.echo(f"{name} is rebuilt from {bar.length:,} messages")

    with_wetink(data, work)
