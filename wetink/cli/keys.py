"""The keys that senders use: made, listed, rotated, limited, disabled and deleted."""

from contextlib import closing
from typing import Any

import click
import msgspec

from wetink.cli.common import DATA, JSON, iso, now_ms, settings_of, with_wetink
from wetink.core.errors import BadSettings
from wetink.core.event import Level
from wetink.core.own_host import own_hosts
from wetink.ports.keys import NewKey, Orders, Source
from wetink.web.rates import Rates, burst_of
from wetink.wiring import Wetink

NAME = click.argument("name")
YES = click.option("--yes", is_flag=True, help="Do it without asking.")


@click.group()
def keys() -> None:
    """Make, list, rotate and delete the keys that senders use."""


@keys.command("create")
@NAME
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
    access key and secret into a Movable Ink destination. The identity secret proves user ids that a page sends.
    """
    if not name.strip():
        raise BadSettings("a source needs a name")
    clean = own_hosts(hosts)

    async def work(wetink: Wetink) -> Any:
        return await wetink.store.sources.create_key(name.strip(), level, clean, now_ms())

    _show(with_wetink(data, work, makes=True), level, as_json)


@keys.command("list")
@DATA
@JSON
def list_(data: str | None, as_json: bool) -> None:
    """List the sources there are, with what is set of them."""

    async def work(wetink: Wetink) -> Any:
        return await wetink.store.sources.all()

    sources = with_wetink(data, work)
    if as_json:
        click.echo(msgspec.json.encode([source.told() for source in sources]).decode())
        return
    with closing(Rates(settings_of(data=data).data / "rates")) as rates:
        refused = rates.refused(sources)
    for source in sources:
        told = [*_told(source), *([f"{refused[source.name][0]} requests refused"] if source.name in refused else [])]
        click.echo(f"{source.name:24} {source.level:8} {'; '.join([', '.join(source.hosts) or 'any host', *told])}")


@keys.command("rotate")
@NAME
@click.option("--end", is_flag=True, help="End the old key of an earlier rotation, and make no new one.")
@DATA
@JSON
def rotate(name: str, end: bool, data: str | None, as_json: bool) -> None:
    """Give NAME new keys. The old ones stay valid beside them until you end them with --end.

    `wetink keys list` shows when the old key was last used. A second rotation ends the keys before the last.
    """

    async def work(wetink: Wetink) -> Any:
        if end:
            await wetink.store.sources.retire_key(name)
            return None
        return await wetink.store.sources.rotate_key(name, now_ms())

    made = with_wetink(data, work)
    if made is None:
        click.echo(f"The old key of {name} is not valid any more.")
        return
    _show(made, "server", as_json)
    if not as_json:
        click.echo(f"The old ones stay valid until `wetink keys rotate {name} --end`.")


@keys.command("secret")
@NAME
@click.option("--renew", is_flag=True, help="Make a new one; the one before proves user ids as well until the next.")
@DATA
def secret(name: str, renew: bool, data: str | None) -> None:
    """Show the secret with which a server proves the user ids that pages send with the key of NAME."""

    async def work(wetink: Wetink) -> Any:
        if renew:
            return await wetink.store.sources.renew_secret(name)
        return (await wetink.store.sources.set_source(name)).secrets[0]

    click.echo(with_wetink(data, work))


@keys.command("set")
@NAME
@click.option("--verify/--no-verify", default=None, help="Whether a page's user id needs `context.userHash`.")
@click.option(
    "--orders",
    type=click.Choice(["count", "wait"]),
    help="Whether a page's order counts, or waits for a server's order of the same id.",
)
@click.option("--per-second", type=float, help="Events a second it may send on average; 0 for any number.")
@click.option("--burst", type=int, help="Events it may send at once; 0 for what two seconds bring.")
@DATA
def set_(
    name: str,
    verify: bool | None,
    orders: Orders | None,
    per_second: float | None,
    burst: int | None,
    data: str | None,
) -> None:
    """Change what is set of the source NAME; what is not given stays."""

    async def work(wetink: Wetink) -> Any:
        changes: dict[str, Any] = {"verify": verify, "orders": orders, "per_second": per_second, "burst": burst}
        return await wetink.store.sources.set_source(name, **changes)

    source = with_wetink(data, work)
    click.echo(f"{source.name}: {'; '.join(_told(source)) or 'nothing is limited'}")


@keys.command("disable")
@NAME
@DATA
def disable(name: str, data: str | None) -> None:
    """Refuse everything that comes with the keys of NAME, until you enable it again."""
    _switch(name, data, disabled=True)


@keys.command("enable")
@NAME
@DATA
def enable(name: str, data: str | None) -> None:
    """Take what comes with the keys of NAME again."""
    _switch(name, data, disabled=False)


@keys.command("delete")
@NAME
@YES
@DATA
def delete(name: str, yes: bool, data: str | None) -> None:
    """Delete the keys of NAME for good. What it sent stays."""
    if not yes and not click.confirm(f"Delete {name}? What is sent with its keys is refused from then on"):
        raise BadSettings(f"{name} was not deleted", hint="answer yes, or add --yes")

    async def work(wetink: Wetink) -> Any:
        await wetink.store.sources.delete_source(name)

    with_wetink(data, work)
    click.echo(f"{name} is deleted.")


def _switch(name: str, data: str | None, *, disabled: bool) -> None:
    async def work(wetink: Wetink) -> Any:
        return await wetink.store.sources.set_source(name, disabled=disabled)

    with_wetink(data, work)
    click.echo(f"{name} is {'disabled: its keys are refused' if disabled else 'enabled'}.")


def _show(made: NewKey, level: Level, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(made).decode())
        return
    click.echo(f"Write key   {made.write_key}")
    click.echo(f"Path        {made.path}")
    click.echo(f"Access key  {made.access_key}")
    click.echo(f"Secret      {made.secret}")
    if level == "browser":
        click.echo(f"Identity    {made.identity_secret}  (`wetink keys secret` shows it again)")
    click.echo("They are not shown again.")


def _told(source: Source) -> list[str]:
    """Return what is set of a source, in words; nothing of what is as usual."""
    told = ["disabled"] if source.disabled else []
    told += ["user ids need a proof"] if source.verify else []
    told += ["orders wait for a server's"] if source.orders == "wait" else []
    if source.per_second:
        told.append(f"{source.per_second:g} events a second, {burst_of(source):g} at once")
    if source.rotated:
        used = f"last used {iso(source.old_used)}" if source.old_used else "not used since"
        told.append(f"old key valid ({used})")
    return told
