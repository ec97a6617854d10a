"""Role: what a member of the team may do. A role is a set of permissions, and so are the scopes of an API token."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

Permission: TypeAlias = Literal[
    "content:read",
    "content:write",
    "audiences:read",
    "audiences:write",
    "reports:read",
    "reports:write",
    "people:read",
    "data:read",
    "data:write",
    "settings:read",
    "settings:write",
    "tokens:write",
    "team:write",
    "audit:read",
    "own",
]
"""`own` is what everybody may do with their own account. A change needs `write`, a page that only shows `read`."""

PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

Role: TypeAlias = Literal["owner", "editor", "developer", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Roles, in the order in which they are offered."""

_VIEWER: frozenset[Permission] = frozenset(
    ("content:read", "audiences:read", "reports:read", "people:read", "data:read", "settings:read", "own")
)

ALLOWED: Mapping[Role, frozenset[Permission]] = {
    "owner": frozenset(PERMISSIONS),
    "editor": _VIEWER | {"content:write", "audiences:write", "reports:write"},
    "developer": _VIEWER | {"data:write", "tokens:write"},
    "viewer": _VIEWER,
}
"""What each role may do."""

SAYS: Mapping[Role, str] = {
    "owner": "Everything, including the team, settings and the audit log",
    "editor": "Reads everything; changes content, audiences, experiments and reports",
    "developer": "Reads everything; changes data sources, catalog, feeds, keys and API tokens",
    "viewer": "Reads everything; changes nothing",
}
"""Each role in a marketer's words."""

SCOPES: Mapping[Permission, str] = {
    "content:read": "Read content and its versions",
    "content:write": "Publish and roll back content",
    "reports:read": "Read reports and experiments",
    "people:read": "Read opens, conversions and previews, which name people",
    "data:read": "Read feeds and their state",
    "data:write": "Upload feeds",
}
"""Permissions that an API token may have, in words."""


def may(role: Role, permission: Permission) -> bool:
    """Return whether a role has a permission.

    >>> may("viewer", "reports:read"), may("viewer", "content:write"), may("developer", "data:write")
    (True, False, True)
    """
    return permission in ALLOWED[role]


def role_for(permission: Permission) -> Role:
    """Return the smallest role that has a permission.

    >>> role_for("content:write"), role_for("data:write"), role_for("team:write"), role_for("own")
    ('editor', 'developer', 'owner', 'viewer')
    """
    return min((role for role in ROLES if may(role, permission)), key=lambda role: len(ALLOWED[role]))


def is_role(text: str) -> bool:
    """Return whether this is the name of a role."""
    return text in ROLES
