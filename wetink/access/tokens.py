"""Tokens: access of programs to the API, with the scopes that whoever makes one may give."""

import secrets
from collections.abc import Callable, Sequence

from wetink.access.team import hash_of
from wetink.core.access.account import DAY_MS, ApiToken
from wetink.core.access.role import SCOPES
from wetink.core.access.who import Who
from wetink.core.errors import BadRequest
from wetink.ports import Storage

PREFIX = "wetink_"
"""The start of every token, by which programs that look for leaked secrets know it."""
NOTED_MS = 60_000
"""The age of a token's last recorded use, in milliseconds, after which a new use is written."""
LONGEST_NAME = 60
DAYS = (30, 90, 365, 0)
"""Lifetimes in days that are offered; 0 is without an end."""


class Tokens:
    """The API tokens of a wetink."""

    def __init__(self, store: Storage, clock_ms: Callable[[], int]) -> None:
        """Keep tokens in `store`. `clock_ms` returns Unix ms."""
        self._store, self._clock_ms = store, clock_ms

    async def make(self, name: str, scopes: Sequence[str], days: int, who: Who) -> str:
        """Return a new token, shown once. Raises BadRequest at a field, Forbidden for a scope that `who` lacks."""
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise BadRequest(f"enter a name of at most {LONGEST_NAME} characters", where="name")
        given = tuple(scope for scope in SCOPES if scope in scopes)
        if not given or len(given) < len(set(scopes)):
            raise BadRequest("choose at least one scope", where="scopes")
        if days not in DAYS:
            raise BadRequest("choose how long the token lasts", where="days")
        for scope in given:
            who.check(scope)
        token, now = PREFIX + secrets.token_urlsafe(30), self._clock_ms()
        account = who.account.id if who.account is not None else ""
        expires = now + days * DAY_MS if days else 0
        await self._store.api_tokens.add(ApiToken(hash_of(token), name, given, account, who.name, now, expires))
        return token

    async def who(self, token: str) -> Who | None:
        """Return whose requests have this token, and note its use; None if it is no valid one.

        A token may do no more than its maker may at the moment, and nothing once the maker may not sign in.
        """
        if not token.strip().startswith(PREFIX):
            return None
        now, found = self._clock_ms(), await self._store.api_tokens.get(hash_of(token))
        if found is None or not found.is_valid(now):
            return None
        account = await self._store.accounts.get(found.account) if found.account else None
        if found.account and (account is None or account.disabled):
            return None
        if now - found.used >= NOTED_MS:
            await self._store.api_tokens.note_use(found.id, now)
        role = account.role if account is not None else "owner"
        return Who(f"{found.name} (token)", role, account, frozenset(found.scopes))

    async def all(self) -> Sequence[ApiToken]:
        """Return all tokens that were not revoked, the newest first."""
        return [each for each in await self._store.api_tokens.all() if not each.revoked]

    async def revoke(self, id_: str) -> None:
        """End a token at once. Raises NotFound."""
        await self._store.api_tokens.revoke(id_, self._clock_ms())
