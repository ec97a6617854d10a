"""Report views: reports that the team saves under a title, in the content's `reports.yaml`."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode

import msgspec
import yaml
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import BadRequest, Conflict
from wetink.core.signals.reporting import Reporting, View, reporting_of
from wetink.web import session
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.toasts import Undo, redirect
from wetink.web.report_query import FILTERS
from wetink.wiring import Wetink

FILE = "reports.yaml"
REPORTS = "/dashboard/reports"
KEPT = frozenset(
    (*FILTERS, *("range", "from", "to", "compare", "by", "goal", "model", "currency", "show", "sort", "view"))
)
"""The parameters that a view keeps."""


async def save(request: Request) -> Response:
    """Save the report of a query under a title, in place of the view that has it. Shows the report again."""
    form = await form_of(request)
    title, query = title_in(form), kept(form.get("query", ""))
    wetink = wetink_of(request)
    old = next((each for each in wetink.content.reporting.views if each.title == title), None)
    view = View(title, query)
    await change(wetink, session.actor(request), f"saved the view {title}", lambda found: found.with_view(view))
    onward = f"{REPORTS}?{query}"
    if old is None:
        undo = Undo(f"{REPORTS}/views/delete", {"title": title})
        return redirect(request, onward, f"{title} was saved for your team.", undo)
    return redirect(
        request, onward, f"{title} was replaced.", Undo(f"{REPORTS}/views", {"title": title, "query": old.query})
    )


async def delete(request: Request) -> Response:
    """Delete a view. Shows the reports."""
    form = await form_of(request)
    wetink, title = wetink_of(request), title_in(form)
    old = next((each for each in wetink.content.reporting.views if each.title == title), None)
    if old is None:
        return redirect(request, REPORTS, f"{title} was already deleted.")
    await change(wetink, session.actor(request), f"deleted the view {title}", lambda found: found.without_view(title))
    undo = Undo(f"{REPORTS}/views", {"title": title, "query": old.query})
    return redirect(request, REPORTS, f"{title} was deleted.", undo)


def title_in(form: Mapping[str, str]) -> str:
    """Return the title in a form, without needless spaces. Raises BadRequest."""
    title = " ".join(form.get("title", "")[:1_000].split())
    if not title or len(title) > 80:
        raise BadRequest("title: write a title of at most 80 characters", where="title")
    return title


def kept(query: str) -> str:
    """Return the parameters of a query that a view keeps.

    >>> kept("range=7d&before=5&csrf=x&by=campaign")
    'range=7d&by=campaign'
    """
    pairs = parse_qsl(query[:4_000], max_num_fields=None)
    return urlencode([(name, value[:256]) for name, value in pairs if name in KEPT])[:2_000]


async def change(wetink: Wetink, by: str, message: str, make: Callable[[Reporting], Reporting]) -> None:
    """Change the reporting that is stored now. Raises BadContent, Conflict and Unavailable."""
    for last in (False, True):
        version, files = await wetink.versions.read()
        known = reporting_of(yaml.safe_load(files[FILE])) if FILE in files else Reporting()
        data = msgspec.to_builtins(make(known))
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
        try:
            await wetink.author.save(FILE, text.encode(), by=by, message=message, expected=version.files.get(FILE, ""))
            return
        except Conflict:
            if last:
                raise
