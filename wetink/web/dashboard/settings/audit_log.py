"""Audit log: who changed what, when and from where, with filters and as CSV."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.access.audit import Entry
from wetink.core.units.csv import sheet
from wetink.web.dashboard.page.formats import absolute
from wetink.web.dashboard.page.query import time_of, wetink_of, whole
from wetink.web.dashboard.page.render import page

ON_A_PAGE, IN_A_FILE = 50, 10_000
DAY_MS = 86_400_000


async def audit_log(request: Request) -> Response:
    """Show a page of entries."""
    wetink, query = wetink_of(request), request.query_params
    found = await _entries(request, ON_A_PAGE + 1)
    entries = found[:ON_A_PAGE]
    kept = {name: query.get(name, "") for name in ("actor", "thing", "since", "until") if query.get(name)}
    older = urlencode({**kept, "before": entries[-1].seq}) if len(found) > ON_A_PAGE else ""
    facts: dict[str, Any] = {
        "entries": entries,
        "actors": await wetink.store.audit_log.actors(),
        "given": {"actor": "", "thing": "", "since": "", "until": "", **kept},
        "filtered": bool(kept),
        "older": older,
        "newest": urlencode(kept) if "before" in query else None,
        "csv": urlencode(kept),
    }
    return page(request, "settings/audit_log.html", **facts)


async def as_csv(request: Request) -> Response:
    """Return the newest entries of the same filters as CSV."""
    rows = [
        (absolute(each.at), each.actor, each.action, each.thing, each.version or None, each.detail, each.address)
        for each in await _entries(request, IN_A_FILE)
    ]
    body = sheet(("time", "who", "action", "thing", "version", "detail", "address"), rows)
    headers = {"content-disposition": 'attachment; filename="audit-log.csv"', "cache-control": "no-store"}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


async def _entries(request: Request, limit: int) -> Sequence[Entry]:
    query = request.query_params
    since, until = time_of(query.get("since", ""), 0), time_of(query.get("until", ""), -1)
    return await wetink_of(request).store.audit_log.read(
        limit,
        before=whole(query.get("before")),
        actor=query.get("actor", "")[:200],
        thing=query.get("thing", "")[:200],
        since=since,
        until=until + DAY_MS if until >= 0 else None,
    )
