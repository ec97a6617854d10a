"""The team: commands to make the first owner, to invite, and to help somebody who cannot sign in."""

from typing import Any

import click
from msgspec.structs import replace

from wetink.access.passwords import check_password
from wetink.cli.common import DATA, JSON, YES, iso, now_ms, print_json, with_wetink
from wetink.core.access.account import Account, email_of
from wetink.core.access.audit import Entry
from wetink.core.access.role import ROLES
from wetink.core.errors import BadSettings
from wetink.wiring import Wetink

ACTOR = "command line"
EMAIL = click.argument("email")


@click.group()
def accounts() -> None:
    """Add, list, change and remove the accounts of your team."""


@accounts.command("add")
@EMAIL
@click.option("--role", type=click.Choice(ROLES), default="editor", show_default=True, help="What they may do.")
@click.option("--name", metavar="NAME", help="Make the account at once, with a password that is asked for.")
@DATA
def add(email: str, role: str, name: str | None, data: str | None) -> None:
    """Invite EMAIL, and print the link. It works once, for a week.

    With --name, wetink asks for a password instead and the account can sign in at once. The first owner is made this
    way: wetink accounts add ida@shop.example --role owner
    """
    email = email_of(email)
    password = ""
    if name is not None:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        check_password(password, (email, name))

    async def work(wetink: Wetink) -> str:
        if name is not None:
            account = await wetink.team.found(email, name, password, next(each for each in ROLES if each == role))
            await _note(wetink, f"made as {role}", account.email)
            return f"{account.email} can sign in as {role} at {wetink.address}/dashboard"
        secret = await wetink.team.invite(email, role, ACTOR)
        await _note(wetink, f"invited as {role}", email)
        return _link(wetink, secret)

    click.echo(with_wetink(data, work, makes=True))


@accounts.command("list")
@DATA
@JSON
def list_(data: str | None, as_json: bool) -> None:
    """List accounts with their role and last sign-in."""

    async def work(wetink: Wetink) -> list[Account]:
        return list(await wetink.store.accounts.all())

    found = with_wetink(data, work)
    if as_json:
        print_json([_public(each) for each in found])
        return
    for each in found:
        state = "disabled" if each.disabled else each.role
        used = f"signed in {iso(each.used)}" if each.used else "never signed in"
        click.echo(f"{each.email}  {state}  {each.name}  {used}")


def _public(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in account.__struct_fields__ if name != "password"}


@accounts.command("link")
@EMAIL
@DATA
def link(email: str, data: str | None) -> None:
    """Print a link with which EMAIL sets a new password. It works once, for a day."""

    async def work(wetink: Wetink) -> str:
        account = await wetink.team.named(email)
        secret = await wetink.team.password_link(account.id, ACTOR)
        await _note(wetink, "made a password link for", account.email)
        return _link(wetink, secret)

    click.echo(with_wetink(data, work))


@accounts.command("set")
@EMAIL
@click.option("--role", type=click.Choice(ROLES), help="Their new role.")
@click.option("--disable/--enable", "disabled", default=None, help="Disabled accounts cannot sign in.")
@DATA
def set_(email: str, role: str | None, disabled: bool | None, data: str | None) -> None:
    """Change the role of EMAIL, or disable or enable it. It takes effect at once."""
    if role is None and disabled is None:
        raise BadSettings("nothing to change", hint="pass --role, --disable or --enable")

    async def work(wetink: Wetink) -> Account:
        account = await wetink.team.named(email)
        if role is not None:
            account = await wetink.team.set_role(account.id, role)
            await _note(wetink, f"changed the role to {role}", account.email)
        if disabled is not None:
            account = await wetink.team.set_disabled(account.id, disabled)
            await _note(wetink, "disabled" if disabled else "enabled", account.email)
        return account

    account = with_wetink(data, work)
    click.echo(f"{account.email} is {'disabled' if account.disabled else account.role}")


@accounts.command("reset")
@EMAIL
@YES
@DATA
def reset(email: str, yes: bool, data: str | None) -> None:
    """Remove the second factors of EMAIL, for a lost device. The password alone signs in again."""
    if not yes:
        click.confirm(f"Remove the authenticator app, the passkeys and the recovery codes of {email}?", abort=True)

    async def work(wetink: Wetink) -> Account:
        account = await wetink.team.named(email)
        await wetink.factors.reset(account.id)
        await wetink.store.sessions.end_of(account.id)
        await _note(wetink, "reset the second factors of", account.email)
        return account

    click.echo(f"{with_wetink(data, work).email} signs in with the password alone")


@accounts.command("allow-passwords")
@DATA
def allow_passwords(data: str | None) -> None:
    """Let people sign in with a password again, when an owner turned that off and the identity provider fails."""

    async def work(wetink: Wetink) -> None:
        await wetink.sign_in_rules.change(lambda rules: replace(rules, passwords=True))
        await _note(wetink, "turned passwords on", "")

    with_wetink(data, work)
    click.echo("people can sign in with a password")


@accounts.command("remove")
@EMAIL
@YES
@DATA
def remove(email: str, yes: bool, data: str | None) -> None:
    """Remove EMAIL. Its sessions end, and its API tokens stop working."""
    if not yes:
        click.confirm(f"Remove {email}?", abort=True)

    async def work(wetink: Wetink) -> Account:
        account = await wetink.team.remove((await wetink.team.named(email)).id)
        await _note(wetink, "removed", account.email)
        return account

    click.echo(f"{with_wetink(data, work).email} is removed")


def _link(wetink: Wetink, secret: str) -> str:
    return f"{wetink.address}/dashboard/join?link={secret}"


async def _note(wetink: Wetink, action: str, email: str) -> None:
    """Write a change to the audit log, as the dashboard does."""
    await wetink.store.audit_log.write(Entry(now_ms(), ACTOR, action, email))
