"""Permissions: what each route of the dashboard and the API needs. A route without an entry has a safe default.

A page needs `read` of its area, a change `write`. An unknown page of the dashboard is for viewers and an unknown change
for editors; what is unknown in the API is for owners alone.
"""

import re

import msgspec

from wetink.core.access.role import Permission

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""

OPEN = ("/dashboard/login", "/dashboard/join", "/dashboard/session")
"""Paths that need no session, with all below them."""

AREAS: tuple[tuple[str, Permission, Permission], ...] = (
    ("/dashboard/settings/security", "own", "own"),
    ("/dashboard/settings/team", "team:write", "team:write"),
    ("/dashboard/settings/sign-on", "team:write", "team:write"),
    ("/dashboard/settings/audit", "audit:read", "audit:read"),
    ("/dashboard/settings/tokens", "tokens:write", "tokens:write"),
    ("/dashboard/settings", "settings:read", "settings:write"),
    ("/dashboard/status", "settings:read", "settings:write"),
    ("/dashboard/start", "settings:write", "settings:write"),
    ("/dashboard/logout", "own", "own"),
    ("/dashboard/theme", "own", "own"),
    ("/dashboard/audiences", "audiences:read", "audiences:write"),
    ("/dashboard/reports", "reports:read", "reports:write"),
    ("/dashboard/conversions", "reports:read", "reports:write"),
    ("/dashboard/experiments", "reports:read", "reports:write"),
    ("/dashboard/opens", "reports:read", "reports:write"),
    ("/dashboard/people", "people:read", "settings:write"),
    ("/dashboard/live", "data:read", "data:write"),
    ("/dashboard/catalog", "data:read", "data:write"),
    ("/dashboard/feeds", "data:read", "data:write"),
    ("/dashboard/mappings", "data:read", "data:write"),
    ("/dashboard/sources", "data:read", "data:write"),
    ("/dashboard", "content:read", "content:write"),
    ("/api/content", "content:read", "content:write"),
    ("/api/report", "reports:read", "reports:write"),
    ("/api/report.csv", "reports:read", "reports:write"),
    ("/api/conversions", "people:read", "settings:write"),
    ("/api/experiments", "reports:read", "reports:write"),
    ("/api/opens", "people:read", "settings:write"),
    ("/api/preview", "people:read", "people:read"),
    ("/api/feeds", "data:read", "data:write"),
    ("/api", "settings:write", "settings:write"),
)
"""The start of a path, what its pages need, and what its changes need. The first that fits counts."""

FORMS = (
    *("/dashboard/blocks/new", "/dashboard/blocks/{name}/manage", "/dashboard/blocks/{name}/experiment"),
    *("/dashboard/feeds/new", "/dashboard/feeds/new/weather", "/dashboard/feeds/{name}/edit"),
    *("/dashboard/audiences/new", "/dashboard/scenarios/{name}"),
)
"""Pages that are a form and nothing else: they need `write`."""

READS = (
    "/dashboard/audiences/edit",
    "/dashboard/settings/security/passkeys/ask",
    "/dashboard/settings/security/passkeys/prove/ask",
    "/dashboard/audiences/tried",
    "/dashboard/audiences/found",
    "/dashboard/templates/{name}/tried",
    "/api/preview",
    "/api/preview/{slot}",
)
"""Routes that take a form and change nothing: they need `read`, and the audit log leaves them out."""

EDITED = (
    *("/dashboard/apps", "/dashboard/blocks", "/dashboard/media", "/dashboard/templates", "/dashboard/review"),
    *("/dashboard/versions", "/dashboard/audiences", "/dashboard/feeds", "/dashboard/catalog", "/dashboard/sources"),
    *("/dashboard/settings", "/dashboard/start", "/dashboard/experiments"),
)
"""Pages on which something can be changed, with all below them."""

QUIET = (
    *("/dashboard/logout", "/dashboard/theme", "/dashboard/settings/security/confirm"),
    "/dashboard/settings/security/passkeys/prove",
    "/dashboard/blocks/{name}/edit",
)
"""Changes that the audit log leaves out as well: they change nothing that recipients or others see, such as a draft."""


TYPE = re.compile(r":\w+}")


class Rule(msgspec.Struct, frozen=True):
    """What a route needs; None if it needs no session. `changes` is whether the audit log lists it."""

    needs: Permission | None
    changes: bool


def rule_of(method: str, path: str) -> Rule:
    """Return the rule of a route by its path, with parameters in braces.

    >>> rule_of("GET", "/dashboard/blocks"), rule_of("POST", "/dashboard/new-thing")
    (Rule(needs='content:read', changes=False), Rule(needs='content:write', changes=True))
    >>> rule_of("POST", "/dashboard/sources/change").needs, rule_of("GET", "/api/unheard-of").needs
    ('data:write', 'settings:write')
    """
    path = plain(path)
    if any(_within(path, start) for start in OPEN):
        return Rule(None, False)
    reads = method in SAFE or path in READS
    writes = not reads or path in FORMS
    read, write = next(((read, write) for start, read, write in AREAS if _within(path, start)), ("own", "own"))
    return Rule(write if writes else read, not reads and path not in QUIET)


def needed_to_change(path: str) -> Permission | None:
    """Return what the changes of a page need; None for a page that only shows.

    >>> needed_to_change("/dashboard/sources"), needed_to_change("/dashboard/people/user:42")
    ('data:write', None)
    """
    return rule_of("POST", path).needs if any(_within(path, start) for start in EDITED) else None


def _within(path: str, start: str) -> bool:
    return path == start or path.startswith((f"{start}/", f"{start}."))


def plain(path: str) -> str:
    """Return a route's path without the types of its parameters."""
    return TYPE.sub("}", path)
