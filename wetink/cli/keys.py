"""The keys of senders: commands to create, list, rotate, limit, disable and delete them."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import click
import msgspec

from wetink.cli.common import DATA, JSON, YES, iso, now_ms, settings_of, with_wetink
from wetink.core.errors import BadSettings
from wetink.core.events.event import Level
from wetink.core.text.link import own_hosts
from wetink.opens.secrets import SEALS, TOKEN, new_token, with_new_seal
from wetink.ports.keys import NewKey, Orders, Source
from wetink.web.rates import Rates, burst_of
from wetink.wiring import Wetink

NAME = click.argument("name")


@click.group()
def keys() -> None:
    """Create, list, rotate and delete write keys; renew the server's own keys."""


@keys.command("create")
@NAME
@click.option(
    "--level",
    type=click.Choice(["server", "browser"]),
    default="server",
    show_default=True,
    help="Trust level. Use browser for keys in a web page.",
)
@click.option(
    "--host", "hosts", multiple=True, metavar="HOST", help="Host allowed in its links and photos. Repeatable."
)
@DATA
@JSON
def create(name: str, level: Level, hosts: tuple[str, ...], data: str | None, as_json: bool) -> None:
    """Create the keys of a source called NAME.

    Prints them once: wetink stores only hashes. Use the write key in a Segment or RudderStack SDK, and the path, access
    key and secret in a Movable Ink destination. The identity secret proves user IDs that a page sends.
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
    """List sources and their settings."""

    async def work(wetink: Wetink) -> Any:
        return await wetink.store.sources.all()

    sources = with_wetink(data, work)
    if as_json:
        click.echo(msgspec.json.encode([source.without_secrets() for source in sources]).decode())
        return
    with closing(Rates(settings_of(data=data).data / "rates")) as rates:
        refused = rates.refused(sources)
    for source in sources:
        limits = [
            *_limits(source),
            *([f"{refused[source.name][0]} requests refused"] if source.name in refused else []),
        ]
        click.echo(f"{source.name:24} {source.level:8} {'; '.join([', '.join(source.hosts) or 'any host', *limits])}")


@keys.command("rotate")
@NAME
@click.option("--end", is_flag=True, help="Revoke the old key of an earlier rotation without creating a new one.")
@DATA
@JSON
def rotate(name: str, end: bool, data: str | None, as_json: bool) -> None:
    """Create new keys for NAME. The old keys stay valid until you revoke them with --end.

    `wetink keys list` shows when the old key was last used. A second rotation revokes the oldest keys.
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


@keys.command("renew-secret")
@NAME
@DATA
def renew_secret(name: str, data: str | None) -> None:
    """Give NAME a new secret for proving user IDs, and print it once. The one before stays valid until the next."""

    async def work(wetink: Wetink) -> str:
        return await wetink.store.sources.renew_secret(name)

    click.echo(with_wetink(data, work))


RENEW = click.option("--renew", is_flag=True, help="Create a new one.")


@keys.command("dashboard")
@RENEW
@DATA
def dashboard(renew: bool, data: str | None) -> None:
    """Show the token for the API, which also signs in until there is an owner. With --renew, all sessions end."""
    click.echo(_own(data, TOKEN, lambda _: new_token(), renew=renew))


@keys.command("seals")
@RENEW
@DATA
def seals(renew: bool, data: str | None) -> None:
    """Show the keys that seal the links in your emails, to back them up.

    With --renew, a new key seals new links, and links sent earlier stay valid. To use these keys with a new store, put
    this output into a file `seal.keys` in the data folder.
    """
    click.echo(_own(data, SEALS, with_new_seal, renew=renew))


def _own(data: str | None, name: str, make: Callable[[str], str], *, renew: bool) -> str:
    """Return a secret of the installation; to `renew` it, a new one made from it."""

    async def work(wetink: Wetink) -> str:
        secret = (await wetink.store.secrets.all())[name]
        if renew:
            await wetink.store.secrets.replace(name, secret, secret := make(secret))
            await wetink.follow()
        return secret

    return with_wetink(data, work)


@keys.command("set")
@NAME
@click.option("--verify/--no-verify", default=None, help="Require `context.userHash` for user IDs from pages.")
@click.option(
    "--orders",
    type=click.Choice(["count", "wait"]),
    help="Count a page's orders immediately, or wait for a server order with the same ID.",
)
@click.option("--per-second", type=float, help="Average events per second it can send. 0 means no limit.")
@click.option("--burst", type=int, help="Events it can send in a burst. 0 means two seconds' worth.")
@DATA
def set_(
    name: str,
    verify: bool | None,
    orders: Orders | None,
    per_second: float | None,
    burst: int | None,
    data: str | None,
) -> None:
    """Change settings of the source NAME. Omitted settings keep their values."""

    async def work(wetink: Wetink) -> Any:
        changes: dict[str, Any] = {"verify": verify, "orders": orders, "per_second": per_second, "burst": burst}
        return await wetink.store.sources.set_source(name, **changes)

    source = with_wetink(data, work)
    click.echo(f"{source.name}: {'; '.join(_limits(source)) or 'nothing is limited'}")


@keys.command("disable")
@NAME
@DATA
def disable(name: str, data: str | None) -> None:
    """Refuse all requests with the keys of NAME until you enable it again."""
    _switch(name, data, disabled=True)


@keys.command("enable")
@NAME
@DATA
def enable(name: str, data: str | None) -> None:
    """Accept requests with the keys of NAME again."""
    _switch(name, data, disabled=False)


@keys.command("delete")
@NAME
@YES
@DATA
def delete(name: str, yes: bool, data: str | None) -> None:
    """Permanently delete the keys of NAME. Its events stay."""
    if not yes and not click.confirm(f"Delete {name}? wetink will refuse requests with its keys"):
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
        click.echo(f"Identity    {made.identity_secret}  (`wetink keys renew-secret` makes another one)")
    click.echo("They are not shown again.")


def _limits(source: Source) -> list[str]:
    """Return the settings of a source as text, without those that have their default."""
    limits = ["disabled"] if source.disabled else []
    limits += ["user ids need a proof"] if source.verify else []
    limits += ["orders wait for a server's"] if source.orders == "wait" else []
    if source.per_second:
        limits.append(f"{source.per_second:g} events a second, {burst_of(source):g} at once")
    if source.rotated:
        used = f"last used {iso(source.old_used)}" if source.old_used else "not used since"
        limits.append(f"old key valid ({used})")
    return limits
