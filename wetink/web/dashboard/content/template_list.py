"""Template list: the shop's templates, and new ones from scratch or from a copy."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.content.template_files import copy_of, starter
from wetink.core.app.app import App
from wetink.core.errors import BadContent, BadRequest
from wetink.web import session
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import number_in, wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.request import status_of
from wetink.wiring import Wetink

SHOWN, MOST_PAGES = 40, 1_000
"""Templates on one page, and the number of the last page that is asked for."""
BLANK = "blank"


async def templates(request: Request) -> Response:
    """List the templates, each with its picture, and the blocks that use it."""
    return await _page(request, {})


async def make(request: Request) -> Response:
    """Begin a template: from scratch, from an app's own, or from another one. It is a draft at first."""
    form = await form_of(request)
    wetink, name = wetink_of(request), form.get("name", "").strip()
    try:
        if not name:
            raise BadContent("give the template a name", hint="such as Spring sale", where="name")
        text, companion = await _begun(wetink, form.get("from", BLANK), name)
        made = await wetink.templates.create(name, text, companion, by=session.actor(request))
    except BadContent as error:
        said = error.sentence
        return await _page(request, {error.where or "name": said}, form, status_of(error))
    session.changed(request, "made a draft of", f"template {made}")
    return RedirectResponse(f"/dashboard/templates/{made}", 303)


async def _begun(wetink: Wetink, source: str, title: str) -> tuple[str, str]:
    """Return the text of a new template, and of the file beside it. Raises BadRequest, NotFound."""
    kind, _, name = source.partition(":")
    if kind == "app" and name in (apps := _copied(wetink)):
        return copy_of(apps[name], wetink.app_template(name)), ""
    if kind == "template":
        opened = await wetink.templates.open(name)
        return opened.template.body or "", opened.companion.body or ""
    if source != BLANK:
        raise BadRequest("from: there is no such template to start from", hint="choose one of the list", where="from")
    return starter(title)


def _copied(wetink: Wetink) -> dict[str, App]:
    """Return the apps whose own templates can be copied: those that the content does not declare."""
    return {name: app for name, app in wetink.apps.items() if app.template and name not in wetink.content.apps}


async def _page(
    request: Request, wrong: Mapping[str, str], form: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    wetink, query = wetink_of(request), request.query_params
    search, number = query.get("q", "").strip()[:100], number_in(query, "page", 1, 1, MOST_PAGES)
    everything = await wetink.templates.all(wetink.content)
    found = [each for each in everything if search.casefold() in f"{each.name} {each.title}".casefold()]
    return page(
        request,
        "content/templates.html",
        status=status,
        templates=found[(number - 1) * SHOWN : number * SHOWN],
        names=[each.name for each in everything],
        apps=_copied(wetink),
        search=search,
        found=len(found),
        number=number,
        size=SHOWN,
        problems=[each for each in wetink.content.problems if each.startswith("templates/")],
        wrong=wrong,
        form={"from": query.get("from", BLANK), "name": "", **(form or {})},
    )
