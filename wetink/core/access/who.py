"""Who: the sender of a request, and what they may do."""

import msgspec

from wetink.core.access.account import Account
from wetink.core.access.role import Permission, Role, may, role_for
from wetink.core.errors import Forbidden


class Who(msgspec.Struct, frozen=True):
    """The sender of a request: an account, an API token with its `scopes`, or the server's own token without either.

    `name` is who the history of content and the audit log name.
    """

    name: str
    role: Role
    account: Account | None = None
    scopes: frozenset[Permission] | None = None

    def may(self, permission: Permission) -> bool:
        """Return whether the sender has a permission."""
        return may(self.role, permission) and (self.scopes is None or permission in self.scopes)

    def check(self, permission: Permission) -> None:
        """Raise Forbidden, with the remedy, if the sender lacks a permission."""
        if self.may(permission):
            return
        if self.scopes is not None:
            raise Forbidden(
                f"this token lacks the scope {permission}", hint="make a token that has it", where=permission
            )
        role = role_for(permission)
        raise Forbidden(
            f"you need the role {role} for this, and have the role {self.role}",
            hint="ask an owner to do it" if role == "owner" else f"ask an owner for the role {role}",
        )


SERVER = Who("dashboard", "owner")
"""Whoever has the server's own token."""
