"""Accounts: members of the team with their credentials and links."""

from collections.abc import Sequence
from typing import Any

from wetink.core.access.account import Account, Credential, Invitation, check_open, check_owner_left
from wetink.core.access.role import Role
from wetink.core.errors import Conflict, NotFound
from wetink.store.accounts import (
    account_of,
    account_row,
    credential_row,
    found_account,
    invitation_row,
    taken_email,
)
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "account_queries.sql")


class PostgresAccounts:
    """`ports.accounts.Accounts` over three tables."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def has_owner(self) -> bool:
        return await self._one("looking for an owner", SQL.has_owner) is not None

    async def all(self) -> Sequence[Account]:
        return [account_of(row) for row in await self._rows("listing accounts", SQL.all)]

    async def get(self, id_: str) -> Account | None:
        row = await self._one("looking up an account", SQL.get, id_)
        return account_of(row) if row else None

    async def of_email(self, email: str) -> Account | None:
        row = await self._one("looking up an account", SQL.of_email, email)
        return account_of(row) if row else None

    async def add(self, account: Account) -> None:
        if await self._one("adding an account", SQL.add, *account_row(account)) is None:
            raise taken_email(account.email)

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
        async def work(connection: Connection) -> Account:
            found_account(await connection.fetchrow(SQL.get, storable(id_)))
            if role not in (None, "owner") or disabled:
                await _check_owner_left(connection, id_)
            row = storable(id_), None if name is None else storable(name), role, password, disabled, used
            return account_of(found_account(await connection.fetchrow(SQL.change, *row)))

        return await self._database.transact("changing an account", work)

    async def remove(self, id_: str) -> None:
        async def work(connection: Connection) -> None:
            found_account(await connection.fetchrow(SQL.get, storable(id_)))
            await _check_owner_left(connection, id_)
            for statement in (SQL.remove, SQL.remove_credentials, SQL.remove_links):
                await connection.execute(statement, storable(id_))

        await self._database.transact("removing an account", work)

    async def credentials(self, account: str) -> Sequence[Credential]:
        return [Credential(*row) for row in await self._rows("listing credentials", SQL.credentials, account)]

    async def credential(self, kind: str, id_: str) -> Credential | None:
        row = await self._one("looking up a credential", SQL.credential, kind, id_)
        return Credential(*row) if row else None

    async def add_credential(self, credential: Credential) -> None:
        row = credential_row(credential)
        if await self._one("adding a credential", SQL.add_credential, *row) is None:
            raise Conflict("this is registered already", hint="remove it where it is first")

    async def use_credential(self, known: Credential, data: str, now: int) -> None:
        row = (data, now, known.kind, known.id, known.account, known.data)
        if await self._one("using a credential", SQL.use_credential, *row) is None:
            raise Conflict("this was used in the meantime", hint="try again")

    async def remove_credential(self, account: str, kind: str, id_: str) -> None:
        if await self._one("removing a credential", SQL.remove_credential, account, kind, id_) is None:
            raise NotFound("this is removed already", hint="reload the page")

    async def invite(self, invitation: Invitation) -> None:
        async def work(connection: Connection) -> None:
            row = (invitation.created, storable(invitation.email), invitation.account)
            await connection.execute(SQL.withdraw_others, *row)
            await connection.execute(SQL.invite, *map(_storable, invitation_row(invitation)))

        await self._database.transact("inviting", work)

    async def invitations(self) -> Sequence[Invitation]:
        return [Invitation(*row) for row in await self._rows("listing invitations", SQL.invitations)]

    async def invitation(self, id_: str) -> Invitation | None:
        row = await self._one("looking up a link", SQL.invitation, id_)
        return Invitation(*row) if row else None

    async def withdraw(self, id_: str, now: int) -> None:
        async def work(connection: Connection) -> None:
            await _open(connection, id_, now)
            await connection.execute(SQL.withdraw, now, id_)

        await self._database.transact("withdrawing a link", work)

    async def accept(self, id_: str, account: Account, now: int) -> None:
        async def work(connection: Connection) -> None:
            await _open(connection, id_, now)
            if await connection.fetchval(SQL.add, *map(_storable, account_row(account))) is None:
                raise taken_email(account.email)
            await connection.execute(SQL.use, now, id_)

        await self._database.transact("accepting an invitation", work)

    async def redeem(self, id_: str, password: str, now: int) -> Account:
        async def work(connection: Connection) -> Account:
            link = await _open(connection, id_, now)
            row = await connection.fetchrow(SQL.change, link.account, None, None, password, None, None)
            await connection.execute(SQL.use, now, id_)
            return account_of(found_account(row))

        return await self._database.transact("setting a password", work)

    async def close(self) -> None:
        """Do nothing: the storage closes the database."""

    async def _one(self, doing: str, query: str, *values: Any) -> Any:
        """Return the first row of a statement; None without one."""
        async with self._database.reading(doing) as connection:
            return await connection.fetchrow(query, *map(_storable, values))

    async def _rows(self, doing: str, query: str, *values: Any) -> Sequence[Any]:
        async with self._database.reading(doing) as connection:
            found: Sequence[Any] = await connection.fetch(query, *map(_storable, values))
            return found


async def _check_owner_left(connection: Connection, id_: str) -> None:
    check_owner_left({owner for (owner,) in await connection.fetch(SQL.owners)}, id_)


async def _open(connection: Connection, id_: str, now: int) -> Invitation:
    """Return a link that can be used, locked until the transaction ends. Raises Conflict."""
    row = await connection.fetchrow(SQL.locked_invitation, storable(id_))
    return check_open(Invitation(*row) if row else None, now)


def _storable(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value
