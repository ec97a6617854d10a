"""Accounts: members of the team, their credentials and links, API tokens and the audit log, in their own file."""

from collections.abc import Sequence
from pathlib import Path

from wetink.core.access.account import (
    Account,
    ApiToken,
    Credential,
    Invitation,
    check_open,
    check_owner_left,
)
from wetink.core.access.audit import Entry
from wetink.core.access.role import Role
from wetink.core.errors import Conflict, NotFound
from wetink.store.accounts import (
    account_of,
    account_row,
    credential_row,
    entry_row,
    found_account,
    invitation_row,
    taken_email,
    token_of,
    token_row,
)
from wetink.store.queries import queries
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import fetch, first, in_thread
from wetink.store.sqlite.side_file import SideFile

SQL = queries(__package__, "account_queries.sql")
MORE = queries(__package__, "token_queries.sql")
FILE, TABLES = "accounts.db", "accounts.sql"
LAST = 2**63 - 1


class SQLiteAccounts(SideFile):
    """`ports.accounts.Accounts` over one SQLite file, shared by all processes. Its methods run in threads."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE, TABLES)

    @in_thread
    def has_owner(self) -> bool:
        with self._used("looking for an owner"):
            return first(self._db, SQL.has_owner) is not None

    @in_thread
    def all(self) -> Sequence[Account]:
        with self._used("listing accounts"):
            return [account_of(row) for row in fetch(self._db, SQL.all)]

    @in_thread
    def get(self, id_: str) -> Account | None:
        with self._used("looking up an account"):
            row = first(self._db, SQL.get, (id_,))
        return account_of(row) if row else None

    @in_thread
    def of_email(self, email: str) -> Account | None:
        with self._used("looking up an account"):
            row = first(self._db, SQL.of_email, (email,))
        return account_of(row) if row else None

    @in_thread
    def add(self, account: Account) -> None:
        with self._used("adding an account"), transaction(self._db):
            self._add(account)

    def _add(self, account: Account) -> None:
        if first(self._db, SQL.add, account_row(account)) is None:
            raise taken_email(account.email)

    @in_thread
    def change(
        self,
        id_: str,
        *,
        name: str | None = None,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
        used: int | None = None,
    ) -> Account:
        with self._used("changing an account"), transaction(self._db):
            found_account(first(self._db, SQL.get, (id_,)))
            if role not in (None, "owner") or disabled:
                self._check_owner_left(id_)
            self._db.execute(SQL.change, (name, role, password, disabled, used, id_))
            return account_of(first(self._db, SQL.get, (id_,)))

    def _check_owner_left(self, id_: str) -> None:
        check_owner_left({owner for (owner,) in fetch(self._db, SQL.owners)}, id_)

    @in_thread
    def remove(self, id_: str) -> None:
        with self._used("removing an account"), transaction(self._db):
            found_account(first(self._db, SQL.get, (id_,)))
            self._check_owner_left(id_)
            for statement in (SQL.remove, SQL.remove_credentials, SQL.remove_links):
                self._db.execute(statement, (id_,))

    @in_thread
    def credentials(self, account: str) -> Sequence[Credential]:
        with self._used("listing credentials"):
            return [Credential(*row) for row in fetch(self._db, SQL.credentials, (account,))]

    @in_thread
    def credential(self, kind: str, id_: str) -> Credential | None:
        with self._used("looking up a credential"):
            row = first(self._db, SQL.credential, (kind, id_))
        return Credential(*row) if row else None

    @in_thread
    def add_credential(self, credential: Credential) -> None:
        with self._used("adding a credential"):
            if first(self._db, SQL.add_credential, credential_row(credential)) is None:
                raise Conflict("this is registered already", hint="remove it where it is first")

    @in_thread
    def use_credential(self, known: Credential, data: str, now: int) -> None:
        row = (data, now, known.kind, known.id, known.account, known.data)
        with self._used("using a credential"):
            if first(self._db, SQL.use_credential, row) is None:
                raise Conflict("this was used in the meantime", hint="try again")

    @in_thread
    def remove_credential(self, account: str, kind: str, id_: str) -> None:
        with self._used("removing a credential"):
            if first(self._db, SQL.remove_credential, (account, kind, id_)) is None:
                raise NotFound("this is removed already", hint="reload the page")

    @in_thread
    def invite(self, invitation: Invitation) -> None:
        with self._used("inviting"), transaction(self._db):
            self._db.execute(SQL.withdraw_others, (invitation.created, invitation.email, invitation.account))
            self._db.execute(SQL.invite, invitation_row(invitation))

    @in_thread
    def invitations(self) -> Sequence[Invitation]:
        with self._used("listing invitations"):
            return [Invitation(*row) for row in fetch(self._db, SQL.invitations)]

    @in_thread
    def invitation(self, id_: str) -> Invitation | None:
        with self._used("looking up a link"):
            return self._invitation(id_)

    def _invitation(self, id_: str) -> Invitation | None:
        row = first(self._db, SQL.invitation, (id_,))
        return Invitation(*row) if row else None

    @in_thread
    def withdraw(self, id_: str, now: int) -> None:
        with self._used("withdrawing a link"), transaction(self._db):
            check_open(self._invitation(id_), now)
            self._db.execute(SQL.withdraw, (now, id_))

    @in_thread
    def accept(self, id_: str, account: Account, now: int) -> None:
        with self._used("accepting an invitation"), transaction(self._db):
            check_open(self._invitation(id_), now)
            self._add(account)
            self._db.execute(SQL.use, (now, id_))

    @in_thread
    def redeem(self, id_: str, password: str, now: int) -> Account:
        with self._used("setting a password"), transaction(self._db):
            link = check_open(self._invitation(id_), now)
            found_account(first(self._db, SQL.get, (link.account,)))
            self._db.execute(SQL.change, (None, None, password, None, None, link.account))
            self._db.execute(SQL.use, (now, id_))
            return account_of(first(self._db, SQL.get, (link.account,)))


class SQLiteApiTokens(SideFile):
    """`ports.accounts.ApiTokens` over the same file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE, TABLES)

    @in_thread
    def add(self, token: ApiToken) -> None:
        with self._used("adding an API token"):
            self._db.execute(MORE.add, token_row(token))

    @in_thread
    def all(self) -> Sequence[ApiToken]:
        with self._used("listing API tokens"):
            return [token_of(row) for row in fetch(self._db, MORE.all)]

    @in_thread
    def get(self, id_: str) -> ApiToken | None:
        with self._used("looking up an API token"):
            row = first(self._db, MORE.get, (id_,))
        return token_of(row) if row else None

    @in_thread
    def note_use(self, id_: str, now: int) -> None:
        with self._used("noting the use of an API token"):
            self._db.execute(MORE.note_use, (now, id_))

    @in_thread
    def revoke(self, id_: str, now: int) -> None:
        with self._used("ending an API token"):
            if first(self._db, MORE.revoke, (now, id_)) is None:
                raise NotFound("there is no such token", hint="reload the page")


class SQLiteAuditLog(SideFile):
    """`ports.accounts.AuditLog` over the same file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE, TABLES)

    @in_thread
    def write(self, entry: Entry) -> None:
        with self._used("writing the audit log"):
            self._db.execute(MORE.write, entry_row(entry))

    @in_thread
    def read(
        self,
        limit: int,
        *,
        before: int | None = None,
        actor: str = "",
        thing: str = "",
        since: int = 0,
        until: int | None = None,
    ) -> Sequence[Entry]:
        last = until if until is not None else LAST
        with self._used("reading the audit log"):
            given = (before or LAST, actor, actor, thing, thing, since, last, limit)
            return [Entry(*row) for row in fetch(self._db, MORE.read, given)]

    @in_thread
    def actors(self) -> Sequence[str]:
        with self._used("reading the audit log"):
            return [actor for (actor,) in fetch(self._db, MORE.actors)]
