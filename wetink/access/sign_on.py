"""Sign-on: finds or makes the account of somebody whom an identity provider vouches for."""

import secrets
from collections.abc import Mapping
from typing import Any

from wetink.access.second_factors import LINK
from wetink.core.access.account import LONGEST_NAME, Account, Credential, email_of
from wetink.core.access.role import Role
from wetink.core.access.single_sign_on import Provider, check_person, link_id, mapped_role, person_of
from wetink.core.errors import Conflict, Forbidden
from wetink.ports.accounts import Accounts


async def account_of(accounts: Accounts, provider: Provider, claims: Mapping[str, Any], now: int) -> Account:
    """Return the account of the person whom `claims` describe, linked to the provider from now on.

    An account is found by its link, else by its address, which has to be verified. Somebody who is invited or of an
    allowed domain gets one. Groups give an account its role at each sign-in, except that they take it from no owner.
    Raises Forbidden if the person may not come in, and BadRequest for an address that no account can have.
    """
    person = person_of(claims, provider.claim)
    check_person(person, provider)
    email = email_of(person.email)
    role = mapped_role(provider, person.groups)
    link = Credential(LINK, link_id(provider, person), "", provider.title, created=now, used=now)
    known = await accounts.credential(LINK, link.id)
    account = await accounts.get(known.account) if known is not None else await accounts.of_email(email)
    if account is None:
        name = "".join(each for each in person.name if each.isprintable())[:LONGEST_NAME].strip()
        account = await _new(accounts, provider, email, name or email, role, now)
    if account.disabled:
        raise Forbidden(f"the account of {account.email} is disabled", hint="ask an owner to enable it")
    if known is None:
        await _link(accounts, account, link)
    else:
        await accounts.use_credential(known, known.data, now)
    if role is not None and role != account.role and account.role != "owner":
        account = await accounts.change(account.id, role=role)
    return account


async def _new(accounts: Accounts, provider: Provider, email: str, name: str, role: Role | None, now: int) -> Account:
    """Add the account of somebody who is invited or of an allowed domain. Raises Forbidden for anybody else."""
    open_ = (each for each in await accounts.invitations() if each.email == email and each.is_open(now))
    invited = next(open_, None)
    if invited is None and not provider.domains:
        raise Forbidden(f"{email} has no account here", hint="ask an owner to invite you")
    usual = invited.role if invited is not None else provider.role
    account = Account(secrets.token_hex(16), email, name, role or usual, created=now)
    try:
        if invited is not None:
            await accounts.accept(invited.id, account, now)
        else:
            await accounts.add(account)
    except Conflict:
        raise Forbidden("two of your sign-ins ran at the same time", hint="try again") from None
    return account


async def _link(accounts: Accounts, account: Account, link: Credential) -> None:
    """Link an account to a person at a provider. Raises Forbidden if another account was at the same time."""
    try:
        await accounts.add_credential(
            Credential(link.kind, link.id, account.id, link.name, created=link.created, used=link.used)
        )
    except Conflict:
        known = await accounts.credential(link.kind, link.id)
        if known is None or known.account != account.id:
            raise Forbidden("this sign-in belongs to another account", hint="ask an owner") from None
