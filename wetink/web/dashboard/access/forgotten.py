"""Forgotten: sends a link for a new password to the address of an account, and says the same for others."""

import logging

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.access.account import FORGOTTEN_MS
from wetink.core.errors import BadRequest, TooManyRequests, WetinkError
from wetink.core.outbound.team_letters import forgotten_letter
from wetink.web import session
from wetink.web.dashboard.access.sign_in import join_address
from wetink.web.dashboard.page.form import open_form_of
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page

logger = logging.getLogger(__name__)


async def forgotten(request: Request) -> Response:
    """Ask for an address, and send its account a link. The answer and its time say nothing about who has an account."""
    wetink = wetink_of(request)
    mails = wetink.mail is not None and (await wetink.sign_in_rules.read()).passwords
    status, sent, error, headers, task = 200, "", "", {}, None
    form = await open_form_of(request) if request.method == "POST" else {}
    if form and mails:
        email = form.get("email", "").strip()
        try:
            await session.try_link(request)
            sent, task = email, BackgroundTask(_send, request, email)
        except TooManyRequests as wait:
            status, headers = 429, {"retry-after": str(wait.retry_after)}
            error = f"You asked for many links: {wait.hint}."
    answer = page(request, "access/forgotten.html", status=status, headers=headers, mails=mails, sent=sent, error=error)
    answer.background = task
    return answer


async def _send(request: Request, email: str) -> None:
    """Send a link to the holder of an account, at most one in an hour. Somebody else learns nothing."""
    wetink = wetink_of(request)
    try:
        account = await wetink.team.forgetful(email)
        if account is None or wetink.mail is None or not await session.first_link(request, account.email):
            return
        secret = await wetink.team.password_link(account.id, account.name, FORGOTTEN_MS)
        await session.note(request, account, "asked for a password link for", account.email)
        await wetink.mail.send(forgotten_letter(account.email, join_address(wetink.address, secret), FORGOTTEN_MS))
    except BadRequest:
        return  # it is no address
    except WetinkError as error:
        logger.error("a link for a new password was not sent: %s", error)
        await session.no_link(request, email)
