"""Ports of accounts: members of the team with their credentials and links, API tokens, and the audit log.

Times are Unix ms. Every method may raise StoreUnavailable: then nothing has changed.
"""

from collections.abc import Sequence
from typing import Protocol

from wetink.core.access.account import Account, ApiToken, Credential, Invitation
from wetink.core.access.audit import Entry
from wetink.core.access.role import Role


class Accounts(Protocol):
    """Stores accounts. Once there is an active owner, there always is one."""

    async def has_owner(self) -> bool:
        """Return whether there is an owner who may sign in. Cheap."""
        ...

    async def all(self) -> Sequence[Account]:
        """Return all accounts by email."""
        ...

    async def get(self, id_: str) -> Account | None:
        """Return an account. Cheap."""
        ...

    async def of_email(self, email: str) -> Account | None:
        """Return the account of an address, which is in lower case."""
        ...

    async def add(self, account: Account) -> None:
        """Add an account. Raises Conflict if its email has one."""
        ...

    async def change(
        self,
        id_: str,
        *,
        name: str | None = None,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
        used: int | None = None,
    ) -> Account:
        """Change the given fields of an account, and return it. Raises NotFound, and Conflict for the last owner."""
        ...

    async def remove(self, id_: str) -> None:
        """Remove an account with its credentials and links. Raises NotFound, and Conflict for the last owner."""
        ...

    async def credentials(self, account: str) -> Sequence[Credential]:
        """Return the credentials of an account, the oldest first."""
        ...

    async def credential(self, kind: str, id_: str) -> Credential | None:
        """Return a credential."""
        ...

    async def add_credential(self, credential: Credential) -> None:
        """Add a credential. Raises Conflict if there is one of its kind and ID."""
        ...

    async def use_credential(self, known: Credential, data: str, now: int) -> None:
        """Replace the data of a credential and note its use. Raises Conflict if it is no longer as `known`."""
        ...

    async def remove_credential(self, account: str, kind: str, id_: str) -> None:
        """Remove a credential of an account. Raises NotFound."""
        ...

    async def invite(self, invitation: Invitation) -> None:
        """Store a link. An open one for the same email and purpose is withdrawn."""
        ...

    async def invitations(self) -> Sequence[Invitation]:
        """Return all invitations, the newest first, without links for passwords."""
        ...

    async def invitation(self, id_: str) -> Invitation | None:
        """Return a link."""
        ...

    async def withdraw(self, id_: str, now: int) -> None:
        """Make an open link useless. Raises Conflict if it is not open."""
        ...

    async def accept(self, id_: str, account: Account, now: int) -> None:
        """Use up an invitation and add its account, in one step. Raises Conflict if either cannot be."""
        ...

    async def redeem(self, id_: str, password: str, now: int) -> Account:
        """Use up a link for a password and set its account's hash, in one step. Raises Conflict if it is not open."""
        ...


class ApiTokens(Protocol):
    """Stores API tokens as hashes."""

    async def add(self, token: ApiToken) -> None:
        """Add a token."""
        ...

    async def all(self) -> Sequence[ApiToken]:
        """Return all tokens, the newest first, with those that ended."""
        ...

    async def get(self, id_: str) -> ApiToken | None:
        """Return a token. Cheap."""
        ...

    async def note_use(self, id_: str, now: int) -> None:
        """Note that a token was used."""
        ...

    async def revoke(self, id_: str, now: int) -> None:
        """End a token. A second time does nothing. Raises NotFound."""
        ...


class AuditLog(Protocol):
    """Stores changes. Nothing is ever changed or removed."""

    async def write(self, entry: Entry) -> None:
        """Add an entry; its `seq` is ignored. On disk (fsync) on return."""
        ...

    async def read(
        self,
        limit: int,
        *,
        before: int | None = None,
        actor: str = "",
        thing: str = "",
        since: int = 0,
        until: int | None = None,
    ) -> Sequence[Entry]:
        """Return entries with a seq below `before`, the newest first, of one actor, and whose thing has this text.

        Their time is in [since, until).
        """
        ...

    async def actors(self) -> Sequence[str]:
        """Return the names of those who changed something, in order."""
        ...
