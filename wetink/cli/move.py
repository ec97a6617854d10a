"""The command that moves a store to another engine."""

import asyncio
import sys

import click

from wetink import moves
from wetink.cli.common import YES, settings_of
from wetink.core.errors import BadSettings


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO", required=False)
@click.option("--finish", is_flag=True, help="Finish the move: FROM becomes read-only, and TO gets the last writes.")
@click.option("--cancel", is_flag=True, help="Cancel the move: FROM accepts writes from servers that you start now.")
@YES
def move(source: str, target: str | None, finish: bool, cancel: bool, yes: bool) -> None:
    """Move the store FROM to TO, such as sqlite:////var/lib/wetink and postgresql://wetink@db.example/wetink.

    TO must be empty. Servers continue to use FROM. Run the command once to copy and compare everything; it may
    take hours. Then run it with --finish: it copies what is new until little is left, makes FROM read-only, and copies
    and compares the rest in a second or two. From then on, senders get 503 and try again, and opens are answered. Start
    the servers with WETINK_STORE=TO. If the command is interrupted, run it again.
    """
    if cancel:
        if target is not None or finish:
            raise click.UsageError("--cancel takes FROM alone.")
        asyncio.run(moves.cancel(source, lambda: _be_sure(yes)))
        click.echo("The move is canceled. Restart the servers of the first store. Delete the second one.")
        return
    if target is None:
        raise click.UsageError("Missing argument 'TO'.")
    with click.progressbar(length=1, file=sys.stderr) as bar:

        def progress(doing: str, done: int, of: int) -> None:
            bar.label, bar.length = f"{doing:24}", max(of, 1)
            bar.update(min(done, bar.length) - bar.pos)

        made = asyncio.run(moves.move(source, target, settings_of(), progress, finish=finish))
    merged = f", {made.merged:,} repeated messages left out" if made.merged else ""
    click.echo(f"Compared {made.messages:,} messages and {made.rows:,} rows: all equal{merged}.")
    if made.finished:
        click.echo(
            f"The first store is read-only. The last {made.last:,} messages and rows were copied and compared in "
            f"{made.seconds:.1f} s. Start the servers now, with WETINK_STORE set to the second one."
        )
    else:
        click.echo("Run the command with --finish to hand over.")


def _be_sure(yes: bool) -> None:
    """Ask whether to give up a move that may be complete. Raises BadSettings for a no."""
    if not yes and not click.confirm("FROM is read-only. Give up all that servers may have written to TO?"):
        raise BadSettings("the move was not canceled", hint="answer yes, or add --yes")
