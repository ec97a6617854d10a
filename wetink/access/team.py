"""Team: signing in with a password, invitations, links for new passwords, and what owners do to accounts."""

import secrets
from collections.abc import Callable, Sequence
from hashlib import sha256

from wetink.access.passwords import Passwords, check_password
from wetink.core.access.account import (
    DAY_MS,
    INVITATION_MS,
    PASSWORD_LINK_MS,
    Account,
    Invitation,
    check_open,
    email_of,
    name_of,
)
from wetink.core.access.role import ROLES, Role, is_role
from wetink.core.errors import BadRequest, Conflict, NotFound
from wetink.ports import Storage

SHOWN_MS = 30 * DAY_MS
"""How long an invitation that expired is still listed, in milliseconds."""


class Team:
    """The accounts of a wetink. A change of an account's password, role or state takes effect at once everywhere."""

    def __init__(self, store: Storage, clock_ms: Callable[[], int]) -> None:
        """Keep accounts in `store`. `clock_ms` returns Unix ms."""
        self._store, self._clock_ms, self._passwords = store, clock_ms, Passwords()

    async def has_owner(self) -> bool:
        """Return whether an owner can sign in. Until then, the server's token opens the dashboard."""
        return await self._store.accounts.has_owner()

    async def with_password(self, email: str, password: str) -> Account | None:
        """Return the account with this email and password; None for a wrong pair. Both answers take the same time."""
        try:
            account = await self._store.accounts.of_email(email_of(email))
        except BadRequest:
            account = None
        usable = account is not None and not account.disabled
        right = await self._passwords.is_right(account.password if account is not None and usable else "", password)
        return account if right else None

    async def proves(self, account: Account, password: str) -> bool:
        """Return whether this is the password of an account."""
        return await self._passwords.is_right(account.password, password)

    async def found(self, email: str, name: str, password: str, role: Role = "owner") -> Account:
        """Add an account at once, as the command line does for the first owner. Raises BadRequest, Conflict."""
        email, name = email_of(email), name_of(name)
        check_password(password, (email, name))
        account = await self._new(email, name, role, password)
        await self._store.accounts.add(account)
        return account

    async def _new(self, email: str, name: str, role: Role, password: str) -> Account:
        hashed = await self._passwords.hash(password)
        return Account(secrets.token_hex(8), email, name, role, hashed, created=self._clock_ms())

    async def invite(self, email: str, role: str, by: str) -> str:
        """Return the secret of a link that invites an address. An earlier one stops working.

        Raises BadRequest for a bad address or role, Conflict for the address of an account.
        """
        email, role = email_of(email), role_of(role)
        if await self._store.accounts.of_email(email) is not None:
            raise Conflict(f"{email} is in the team already", hint="change the role in the table", where="email")
        return await self._link(email, role, "", by, INVITATION_MS)

    async def password_link(self, id_: str, by: str, lasts: int = PASSWORD_LINK_MS) -> str:
        """Return the secret of a link that sets a new password of an account. Raises NotFound."""
        account = await self.account(id_)
        return await self._link(account.email, account.role, account.id, by, lasts)

    async def forgetful(self, email: str) -> Account | None:
        """Return the account whose holder may ask for a new password; None without one. Raises BadRequest.

        An account without a password is its provider's: whoever has lost it there gets no way in by mail.
        """
        found = await self._store.accounts.of_email(email_of(email))
        return found if found is not None and found.password and not found.disabled else None

    async def _link(self, email: str, role: Role, account: str, by: str, lasts: int) -> str:
        secret, now = secrets.token_urlsafe(24), self._clock_ms()
        await self._store.accounts.invite(Invitation(hash_of(secret), email, role, account, by, now, now + lasts))
        return secret

    async def link(self, secret: str) -> Invitation:
        """Return the open link of a secret. Raises Conflict, with the reason, if it cannot be used."""
        return check_open(await self._store.accounts.invitation(hash_of(secret)), self._clock_ms())

    async def accept(self, secret: str, name: str, password: str) -> Account:
        """Use up an invitation, and return its new account. Raises BadRequest for a field, Conflict for the link."""
        link = await self.link(secret)
        if link.account:
            raise Conflict("this link sets a password", hint="open it as it is")
        name = name_of(name)
        check_password(password, (link.email, name))
        account = await self._new(link.email, name, link.role, password)
        await self._store.accounts.accept(link.id, account, self._clock_ms())
        return account

    async def redeem(self, secret: str, password: str) -> Account:
        """Use up a link for a password, set it, and end the account's sessions. Raises BadRequest, Conflict."""
        link = await self.link(secret)
        account = await self.account(link.account)
        check_password(password, (account.email, account.name))
        hashed = await self._passwords.hash(password)
        account = await self._store.accounts.redeem(link.id, hashed, self._clock_ms())
        await self._store.sessions.end_of(account.id)
        await self._store.challenges.forget(account.id)  # sign-ins that the old password has begun
        return account

    async def change_password(self, account: Account, current: str, new: str, session: str) -> None:
        """Change the password of an account, and end its sessions except `session`. Raises BadRequest at a field."""
        if account.password and not await self.proves(account, current):
            raise BadRequest("this is not your current password", where="current")
        check_password(new, (account.email, account.name))
        await self._store.accounts.change(account.id, password=await self._passwords.hash(new))
        await self._store.sessions.end_of(account.id, but=session)
        await self._store.challenges.forget(account.id)

    async def account(self, id_: str) -> Account:
        """Return an account. Raises NotFound."""
        found = await self._store.accounts.get(id_)
        if found is None:
            raise NotFound("there is no such account", hint="somebody may have removed it; reload the page")
        return found

    async def named(self, email: str) -> Account:
        """Return the account of an address, as somebody types it. Raises BadRequest, NotFound."""
        found = await self._store.accounts.of_email(email_of(email))
        if found is None:
            raise NotFound(f"{email.strip()[:80]} has no account", hint="`wetink accounts list` shows those there are")
        return found

    async def set_role(self, id_: str, role: str) -> Account:
        """Give an account another role. Raises BadRequest, NotFound, and Conflict for the last owner."""
        return await self._store.accounts.change(id_, role=role_of(role))

    async def set_disabled(self, id_: str, disabled: bool) -> Account:
        """Disable an account, which ends its sessions, or enable it. Raises NotFound, Conflict for the last owner."""
        account = await self._store.accounts.change(id_, disabled=disabled)
        if disabled:
            await self._store.sessions.end_of(id_)
        return account

    async def remove(self, id_: str) -> Account:
        """Remove an account with its sessions. Its tokens end. Raises NotFound, Conflict for the last owner."""
        account = await self.account(id_)
        await self._store.accounts.remove(id_)
        await self._store.sessions.end_of(id_)
        return account

    async def invitations(self) -> Sequence[Invitation]:
        """Return the invitations that nobody accepted or withdrew, the newest first, for a while after they expired."""
        since, found = self._clock_ms() - SHOWN_MS, await self._store.accounts.invitations()
        return [each for each in found if not each.used and not each.revoked and each.expires > since]


def role_of(text: str) -> Role:
    """Return a role by its name. Raises BadRequest."""
    if not is_role(text):
        raise BadRequest(f"{text[:40]!r} is not a role", hint=f"choose {', '.join(ROLES)}", where="role")
    return ROLES[ROLES.index(text)]


def hash_of(secret: str) -> str:
    """Return what the store has of the secret of a link or a token: its SHA-256, in hexadecimal."""
    return sha256(secret.strip().encode("utf-8", "surrogateescape")).hexdigest()
