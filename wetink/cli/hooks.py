"""What audiences tell outside, from the command line: what waits, what was given up and why, and telling it again."""

from typing import Any

import click
import msgspec

from wetink.cli.common import DATA, JSON, iso, now_ms, with_wetink
from wetink.core.errors import NotFound
from wetink.core.outbound.delivery import State
from wetink.wiring import Wetink

STATES: tuple[State, ...] = ("waiting", "delivered", "dead")
MOST = 50


@click.command()
@click.argument("name")
@click.option("--again", is_flag=True, help="Retry failed deliveries.")
@DATA
@JSON
def hooks(name: str, again: bool, data: str | None, as_json: bool) -> None:
    """Show webhook deliveries of the audience NAME: waiting, delivered, and failed with the reason."""

    async def work(wetink: Wetink) -> dict[str, Any]:
        kept = wetink.audiences.memberships
        saved = wetink.content.audiences.get(name)
        if saved is None:
            there = ", ".join(sorted(wetink.content.audiences)) or "none"
            raise NotFound(f"there is no audience called {name[:64]!r}", hint=f"audiences: {there}")
        told = await kept.again(name, now_ms()) if again else 0
        return {
            "audience": name,
            "hook": msgspec.to_builtins(saved.hook) if saved.hook is not None else None,
            "again": told,
            "counts": dict(await kept.tallies(name)),
            "dead": [
                {
                    "id": each.change.id,
                    "move": each.change.move,
                    "member": str(each.change.member),
                    "at": iso(each.change.at),
                    "tries": each.tries,
                    "why": each.why,
                }
                for each in await kept.deliveries(name, "dead", MOST)
            ],
        }

    found = with_wetink(data, work)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    if found["hook"] is None:
        click.echo(f"{name} tells nobody: its file has no hook.")
    click.echo(", ".join(f"{found['counts'][state]} {'given up' if state == 'dead' else state}" for state in STATES))
    for each in found["dead"]:
        click.echo(f"{each['at']}  {each['move']:5}  {each['member']}  {each['why']} ({each['tries']} tries)")
    if again:
        click.echo(f"{found['again']} are told again.")
