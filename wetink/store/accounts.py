"""Accounts: the stored form of accounts, credentials, links, API tokens and the audit log, which all engines share."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from wetink.core.access.account import Account, ApiToken, Credential, Invitation
from wetink.core.access.audit import Entry
from wetink.core.errors import Conflict, NotFound

T = TypeVar("T")

MOST_TEXT = 500
"""Characters that the audit log keeps of a text."""


def account_of(row: Sequence[Any]) -> Account:
    """Return the account of a row."""
    id_, email, name, role, password, disabled, created, used = row
    return Account(id_, email, name, role, password, bool(disabled), created, used)


def account_row(account: Account) -> tuple[Any, ...]:
    """Return the row of an account."""
    return tuple(getattr(account, name) for name in account.__struct_fields__)


def credential_row(credential: Credential) -> tuple[Any, ...]:
    """Return the row of a credential."""
    return tuple(getattr(credential, name) for name in credential.__struct_fields__)


def invitation_row(link: Invitation) -> tuple[Any, ...]:
    """Return the row of a link."""
    return tuple(getattr(link, name) for name in link.__struct_fields__)


def token_of(row: Sequence[Any]) -> ApiToken:
    """Return the token of a row. Scopes are JSON."""
    id_, name, scopes, *rest = row
    return ApiToken(id_, name, tuple(json.loads(scopes)), *rest)


def token_row(token: ApiToken) -> tuple[Any, ...]:
    """Return the row of a token."""
    row = [getattr(token, name) for name in token.__struct_fields__]
    return (*row[:2], json.dumps(list(token.scopes)), *row[3:])


def entry_row(entry: Entry) -> tuple[Any, ...]:
    """Return the row of an entry, without its number."""
    return tuple(
        value[:MOST_TEXT] if isinstance(value, str) else value
        for name in entry.__struct_fields__
        if name != "seq"
        for value in [getattr(entry, name)]
    )


def found_account(row: T | None) -> T:
    """Return the row of an account. Raises NotFound if there is none."""
    if row is None:
        raise NotFound("there is no such account", hint="somebody may have removed it; reload the page")
    return row


def taken_email(email: str) -> Conflict:
    """Return the error for a second account of an address."""
    return Conflict(
        f"{email} has an account already", hint="sign in with it, or ask an owner for a link to a new password"
    )
