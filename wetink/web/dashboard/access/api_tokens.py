"""API tokens: access of programs, with scopes. A token is shown once."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from wetink.access.tokens import DAYS
from wetink.core.access.role import SCOPES
from wetink.core.errors import BadRequest
from wetink.web import session
from wetink.web.dashboard.access.sign_in import wrong_of
from wetink.web.dashboard.page.form import fields_of, form_of
from wetink.web.dashboard.page.query import wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect
from wetink.web.request import now_ms

PATH = "/dashboard/settings/tokens"
USUAL_DAYS = 90


async def tokens(request: Request) -> Response:
    """Show the tokens, and the form for a new one."""
    return await _page(request)


async def make(request: Request) -> Response:
    """Make a token from the form, and show it once."""
    fields = await fields_of(request)
    form = dict(fields)
    session.check_csrf(request, form)
    session.check_proved(request)
    name, days = form.get("name", ""), whole(form.get("days"))
    scopes = [value for field, value in fields if field == "scopes"]
    who = session.who(request)
    given = {"name": name, "scopes": scopes, "days": days}
    try:
        if who is None or days is None:
            raise BadRequest("choose how long the token lasts", where="days")
        made = await wetink_of(request).tokens.make(name, scopes, days, who)
    except BadRequest as error:
        return await _page(request, status=400, wrong=wrong_of(error), given=given)
    session.changed(request, "made the API token", name.strip(), detail=", ".join(scopes))
    return await _page(request, made=made, made_name=name.strip())


async def revoke(request: Request) -> Response:
    """End a token at once."""
    form = await form_of(request)
    wetink, id_ = wetink_of(request), form.get("id", "")
    await wetink.tokens.revoke(id_)
    found = await wetink.store.api_tokens.get(id_)
    name = found.name if found is not None else ""
    session.changed(request, "revoked the API token", name)
    return redirect(request, PATH, f"{name} no longer works.")


async def _page(
    request: Request,
    *,
    status: int = 200,
    made: str = "",
    made_name: str = "",
    wrong: Mapping[str, str] = {},
    given: Mapping[str, Any] = {},
) -> Response:
    wetink, who = wetink_of(request), session.who(request)
    accounts = {each.id: each for each in await wetink.store.accounts.all()}
    found = await wetink.tokens.all()
    makers = {id_ for id_, each in accounts.items() if not each.disabled} | {""}
    ended = {each.id for each in found if each.account not in makers or not each.is_valid(now_ms())}
    facts: dict[str, Any] = {
        "tokens": found,
        "ended": ended,
        "scopes": {scope: words for scope, words in SCOPES.items() if who is not None and who.may(scope)},
        "days": DAYS,
        "made": made,
        "made_name": made_name,
        "wrong": wrong,
        "given": {"name": "", "scopes": [], "days": USUAL_DAYS, **given},
    }
    return page(request, "access/api_tokens.html", status=status, **facts)
