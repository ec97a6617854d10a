"""Looking at profiles."""

import json
from typing import Any

import click

from wetink.cli.common import DATA, JSON, identifier_of, iso, now_ms, with_wetink
from wetink.core.identity.holding import FOREVER
from wetink.wiring import Wetink


@click.group()
def profile() -> None:
    """Inspect profiles."""


@profile.command("show")
@click.argument("id_", metavar="ID")
@DATA
@JSON
def show(id_: str, data: str | None, as_json: bool) -> None:
    """Show the profile of ID: user:42, email:a@b.c or anonymous:x."""
    who = identifier_of(id_)

    async def work(wetink: Wetink) -> dict[str, Any]:
        now = now_ms()
        found = await wetink.store.profiles.profile(who, now, limit=None)
        events = await wetink.store.profiles.history(who, FOREVER - 1, limit=1_000_000)
        person = await wetink.opens.person(who, now)
        identifiers: dict[str, list[str]] = {"user": [], "email": [], "anonymous": []}
        for identifier in found.identifiers if events else ():
            identifiers[identifier.kind].append(identifier.value)
        return {
            "identifiers": {kind: sorted(values) for kind, values in identifiers.items()},
            "traits": person.traits,
            "events": [
                {"event": event.label, "messageId": event.message_id, "timestamp": iso(event.at)} for event in events
            ],
        }

    found = with_wetink(data, work)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for kind, values in found["identifiers"].items():
        for value in values:
            click.echo(f"{kind:10} {value}")
    for name, value in found["traits"].items():
        click.echo(f"{name:10} {json.dumps(value, ensure_ascii=False)}")
    for event in found["events"]:
        click.echo(f"{event['timestamp']}  {event['event']}")
    if not found["events"]:
        click.echo(f"Nothing is known of {who}.")
