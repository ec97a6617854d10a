"""Team: the accounts with their roles, and invitations. A link goes by mail, or is shown once to be copied."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.access.team import Team, role_of
from wetink.core.access.account import INVITATION_MS, PASSWORD_LINK_MS, Account, initials
from wetink.core.access.role import ROLES, may
from wetink.core.errors import BadRequest, Conflict, Unavailable, WetinkError
from wetink.core.outbound.letter import Letter
from wetink.core.outbound.team_letters import invitation_letter, password_letter
from wetink.web import session
from wetink.web.dashboard.access.sign_in import join_address, wrong_of
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import Undo, redirect
from wetink.web.request import now_ms, status_of

PATH = "/dashboard/settings/team"
DAY_MS = 86_400_000


class Shown(NamedTuple):
    """A link that is shown once: for whom, what it is for, how many days it works, and why it did not go by mail."""

    email: str
    what: str
    url: str
    days: int
    why: str = ""


async def team(request: Request) -> Response:
    """Show the team."""
    return await _page(request)


async def invite(request: Request) -> Response:
    """Invite somebody, and show the link. Whoever has the server's token goes on to their own account."""
    form = await form_of(request)
    who = session.who(request)
    first = form.get("mine") == "yes" and who is not None and who.account is None
    email, role = form.get("email", ""), "owner" if first else form.get("role", "")
    if role == "owner" and not first:
        session.check_proved(request)
    try:
        secret = await wetink_of(request).team.invite(email, role, session.actor(request))
    except (BadRequest, Conflict) as error:
        return await _page(
            request, status=status_of(error), wrong=wrong_of(error), given={"email": email, "role": role}
        )
    session.changed(request, f"invited as {role}", email.strip().lower())
    if first:
        return RedirectResponse(f"/dashboard/join?link={secret}", 303)
    shown = Shown(email.strip().lower(), "join the team", _url(request, secret), _days(INVITATION_MS))
    letter = invitation_letter(shown.email, shown.url, role_of(role), session.actor(request), INVITATION_MS)
    return await _passed_on(request, shown, letter)


async def withdraw(request: Request) -> Response:
    """Make an invitation useless."""
    form = await form_of(request)
    link = await wetink_of(request).store.accounts.invitation(form.get("invitation", ""))
    await wetink_of(request).store.accounts.withdraw(form.get("invitation", ""), now_ms())
    email = link.email if link is not None else ""
    session.changed(request, "withdrew the invitation of", email)
    return _back(request, f"The invitation of {email} no longer works.")


async def change(request: Request) -> Response:
    """Change the role or the state of an account, remove it, or show a link that sets its password."""
    form = await form_of(request)
    do, id_ = CHANGES.get(form.get("do", "")), form.get("account", "")
    if do is None:
        raise BadRequest("this form asks for an unknown change", hint="reload the page", where="do")
    if form.get("do") in DANGEROUS or form.get("role") == "owner":
        session.check_proved(request)
    try:
        before = await wetink_of(request).team.account(id_)
        account, action = await do(wetink_of(request).team, id_, form)
    except WetinkError as error:
        return await _page(request, status=status_of(error), error=error.sentence)
    session.changed(request, action, account.email)
    who = session.who(request)
    if who is not None and who.account is not None and who.account.id == id_ and not may(account.role, "team:write"):
        return RedirectResponse("/dashboard", 303)
    undo = {"role": before.role} if form.get("do") == "role" else None
    return _back(request, f"{account.name}: {action}.", undo and {"account": id_, "do": "role", **undo})


async def link(request: Request) -> Response:
    """Show a link with which the holder of an account sets a new password."""
    form = await form_of(request)
    session.check_proved(request)
    wetink, id_ = wetink_of(request), form.get("account", "")
    secret = await wetink.team.password_link(id_, session.actor(request))
    account = await wetink.team.account(id_)
    session.changed(request, "made a password link for", account.email)
    shown = Shown(account.email, "choose a new password", _url(request, secret), _days(PASSWORD_LINK_MS))
    return await _passed_on(
        request, shown, password_letter(account.email, shown.url, session.actor(request), PASSWORD_LINK_MS)
    )


async def _passed_on(request: Request, shown: Shown, letter: Letter) -> Response:
    """Send a link by mail. Without a mail server, or if that fails, show it."""
    mail = wetink_of(request).mail
    if mail is None:
        return await _page(request, shown=shown)
    try:
        await mail.send(letter)
    except Unavailable as error:
        return await _page(request, shown=shown._replace(why=error.sentence))
    return _back(request, f"A link is on its way to {shown.email}.")


Change = Callable[[Team, str, Mapping[str, str]], Awaitable[tuple[Account, str]]]


async def _role(team: Team, id_: str, form: Mapping[str, str]) -> tuple[Account, str]:
    account = await team.set_role(id_, form.get("role", ""))
    return account, f"changed the role to {account.role}"


async def _disable(team: Team, id_: str, form: Mapping[str, str]) -> tuple[Account, str]:
    return await team.set_disabled(id_, True), "disabled"


async def _enable(team: Team, id_: str, form: Mapping[str, str]) -> tuple[Account, str]:
    return await team.set_disabled(id_, False), "enabled"


async def _remove(team: Team, id_: str, form: Mapping[str, str]) -> tuple[Account, str]:
    return await team.remove(id_), "removed"


CHANGES: Mapping[str, Change] = {"role": _role, "disable": _disable, "enable": _enable, "remove": _remove}
"""Changes of an account by their name in the form."""
DANGEROUS = ("disable", "remove")
"""Those before which somebody proves who they are."""


async def _page(
    request: Request,
    *,
    status: int = 200,
    shown: Shown | None = None,
    error: str = "",
    wrong: Mapping[str, str] = {},
    given: Mapping[str, str] = {},
) -> Response:
    wetink = wetink_of(request)
    accounts = await wetink.store.accounts.all()
    facts: dict[str, Any] = {
        "accounts": accounts,
        "invitations": await wetink.team.invitations(),
        "has_owner": await wetink.team.has_owner(),
        "mails": wetink.mail is not None,
        "by_password": (await wetink.sign_in_rules.read()).passwords,
        "all_roles": ROLES,
        "initials": initials,
        "shown": shown,
        "error": error,
        "wrong": wrong,
        "given": {"email": "", "role": "editor", **given},
    }
    return page(request, "access/team.html", status=status, **facts)


def _url(request: Request, secret: str) -> str:
    """Return the address of a link, as this browser reaches the dashboard."""
    origin = request.headers.get("origin") or f"{request.url.scheme}://{request.url.netloc}"
    return join_address(origin, secret)


def _back(request: Request, text: str, undo: Mapping[str, str] | None = None) -> Response:
    return redirect(request, PATH, text, Undo(f"{PATH}/change", undo) if undo else None)


def _days(ms: int) -> int:
    return ms // DAY_MS
