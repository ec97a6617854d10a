"""Making and listing the keys that senders use."""

from typing import Any

import click
import msgspec

from wetink.cli.common import DATA, JSON, now_ms, with_wetink
from wetink.core.errors import BadSettings
from wetink.core.event import Level
from wetink.wiring import Wetink


@click.group()
def keys() -> None:
    """Make and list the keys that senders use."""


@keys.command("create")
@click.argument("name")
@click.option(
    "--level",
    type=click.Choice(["server", "browser"]),
    default="server",
    show_default=True,
    help="How far it is trusted: a key that stands in a web page is a browser's.",
)
@click.option(
    "--host", "hosts", multiple=True, metavar="HOST", help="A host its links and photos may name; repeatable."
)
@DATA
@JSON
def create(name: str, level: Level, hosts: tuple[str, ...], data: str | None, as_json: bool) -> None:
    """Make the keys of a source called NAME.

    They are shown once: only hashes of them are kept. The write key goes into a Segment or RudderStack SDK; path,
    access key and secret into a Movable Ink destination.
    """
    if not name.strip():
        raise BadSettings("a source needs a name")
    clean = [host.strip().lower() for host in hosts if host.strip()]

    async def work(wetink: Wetink) -> Any:
        return await wetink.store.create_key(name.strip(), level, clean, now_ms())

    made = with_wetink(data, work, makes=True)
    if as_json:
        click.echo(msgspec.json.encode(made).decode())
        return
    click.echo(f"Write key   {made.write_key}")
    click.echo(f"Path        {made.path}")
    click.echo(f"Access key  {made.access_key}")
    click.echo(f"Secret      {made.secret}")
    click.echo("They are not shown again.")


@keys.command("list")
@DATA
@JSON
def list_(data: str | None, as_json: bool) -> None:
    """List the sources there are."""

    async def work(wetink: Wetink) -> Any:
        return await wetink.store.sources()

    sources = with_wetink(data, work)
    if as_json:
        click.echo(msgspec.json.encode(sources).decode())
        return
    for source in sources:
        click.echo(f"{source.name:24} {source.level:8} {', '.join(source.hosts) or 'any host'}")
