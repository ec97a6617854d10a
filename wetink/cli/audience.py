"""Audiences and profiles: who is in an audience and why, its webhooks, and the profile of one person."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from wetink.cli.common import DATA, JSON, identifier_of, iso, now_ms, print_json, time_of, with_wetink
from wetink.content.strict_yaml import parse_yaml
from wetink.core.errors import BadContent, BadRequest, NotFound
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import State
from wetink.core.profile.person import Moment
from wetink.core.rules.evaluate import Finding
from wetink.core.rules.tree import Rule
from wetink.core.signals.audience import problems_with, rule_of, rules_of
from wetink.ports.audiences import Count
from wetink.wiring import Wetink

AT = click.option("--at", metavar="TIME", help="Evaluate at this time, such as 2026-11-20T09:00:00Z.  [default: now]")


@click.group()
def audience() -> None:
    """Explain and count audiences. FILE is a rule in YAML or JSON, or an audience file; - is stdin."""


@audience.command("explain")
@click.argument("file")
@click.argument("id_", metavar="ID")
@AT
@DATA
@JSON
def explain(file: str, id_: str, at: str | None, data: str | None, as_json: bool) -> None:
    """Explain why ID (user:42, email:a@b.c, anonymous:x) does or does not match the rule in FILE."""
    rule, who, now = read_rule(file), identifier_of(id_), time_of(at)

    async def work(wetink: Wetink) -> Finding:
        known(wetink, rule)
        return await wetink.opens.explain(wetink.content, rule, who, Moment(now))

    found = with_wetink(data, work)
    if as_json:
        click.echo(json.dumps({"id": str(who), "at": iso(now), **_tree(found)}, ensure_ascii=False))
        return
    click.echo(f"{who} at {iso(now)}: {'in' if found.holds else 'not in'}")
    _print_finding(found, 1)


@audience.command("count")
@click.argument("file")
@AT
@click.option("--list", "listed", is_flag=True, help="List the matching profiles, one per line.")
@DATA
@JSON
def count(file: str, at: str | None, listed: bool, data: str | None, as_json: bool) -> None:
    """Count the profiles that match the rule in FILE.

    The first count in a large store is slow because it builds an index that later counts reuse.
    """
    rule, now = read_rule(file), time_of(at)

    async def work(wetink: Wetink) -> tuple[Count, list[Identifier]]:
        known(wetink, rule)
        members = [who async for who in wetink.audiences.members(wetink.content.audiences, rule, now)] if listed else []
        return await wetink.audiences.count(wetink.content.audiences, rule, Moment(now)), sorted(members)

    found, members = with_wetink(data, work)
    if as_json:
        fields: dict[str, Any] = {"matches": found.matches, "of": found.of}
        click.echo(json.dumps({**fields, "members": [str(each) for each in members]} if listed else fields))
        return
    for member in members:
        click.echo(str(member))
    if not listed:
        click.echo(f"{found.matches} of {found.of}")


def read_rule(file: str) -> Rule:
    """Return the rule in a file, or in stdin for `-`. Raises BadRequest and BadContent."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadRequest(f"{file} cannot be read: {reason}") from error
    return rule_of(parse_yaml(text))


def known(wetink: Wetink, rule: Rule) -> None:
    """Raise BadContent for a rule that names an audience that does not exist."""
    problems = problems_with(rule, "", rules_of(wetink.content.audiences))
    if problems:
        raise BadContent("; ".join(problems))


def _tree(finding: Finding) -> dict[str, Any]:
    """Return a finding with its parts as plain values: each node's kind, whether it holds, why, and the values seen."""
    fields: dict[str, Any] = {"node": finding.node, "holds": finding.holds, "why": finding.why}
    if finding.parts:
        return {**fields, "parts": [_tree(part) for part in finding.parts]}
    return {**fields, "saw": msgspec.to_builtins(finding.saw), "rule": finding.rule}


def _print_finding(finding: Finding, depth: int) -> None:
    mark = "✓" if finding.holds else "✗"
    click.echo(f"{'  ' * depth}{mark} {f'{finding.node}:' if finding.parts else finding.why}")
    for part in finding.parts:
        _print_finding(part, depth + 1)


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
        retried = await kept.again(name, now_ms()) if again else 0
        return {
            "audience": name,
            "hook": msgspec.to_builtins(saved.hook) if saved.hook is not None else None,
            "again": retried,
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
        return print_json(found)
    if found["hook"] is None:
        click.echo(f"{name} has no webhook.")
    click.echo(", ".join(f"{found['counts'][state]} {'given up' if state == 'dead' else state}" for state in STATES))
    for each in found["dead"]:
        click.echo(f"{each['at']}  {each['move']:5}  {each['member']}  {each['why']} ({each['tries']} tries)")
    if again:
        click.echo(f"{found['again']} are sent again.")


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
