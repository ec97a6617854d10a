"""Sign-in: the login page, invitations and links for new passwords, logging out, and sessions that ended meanwhile."""

from contextlib import suppress

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.access.account import Account
from wetink.core.access.single_sign_on import SignInRules
from wetink.core.access.who import SERVER
from wetink.core.errors import BadRequest, Conflict, TooLarge, TooManyRequests, Unavailable, WetinkError
from wetink.web import session
from wetink.web.dashboard.access import second_factor
from wetink.web.dashboard.page.form import fields_of, form_of, open_form_of
from wetink.web.dashboard.page.query import inside, wetink_of
from wetink.web.dashboard.page.render import page

LARGEST_HELD = 1 << 20
"""Largest form, in bytes, that waits for a sign-in."""

WRONG = "This email and password do not match."
NO_PASSWORDS = "Your team signs in without passwords. Choose another way."
NO_TOKEN = "The server's token opens the dashboard only until there is an owner. Sign in with your account."  # noqa: S105 (a sentence)


async def login(request: Request) -> Response:
    """Show the login page. Sign in with a password, or with the server's token until there is an owner."""
    form = await open_form_of(request) if request.method == "POST" else request.query_params
    onward, email, token = inside(form.get("next", "")), form.get("email", ""), form.get("token", "")
    status, error, headers = 200, "", {}
    try:
        if token and await wetink_of(request).team.has_owner():
            status, error = (403, NO_TOKEN) if request.method == "POST" else (200, NO_TOKEN)
        elif token:
            if await session.right_token(request, token):
                response = RedirectResponse(onward, 303)
                await session.sign_in(request, response)
                return response
            status, error = 403, "That is not the token. `wetink serve` prints it when it starts."
        elif request.method == "POST" and not (await wetink_of(request).sign_in_rules.read()).passwords:
            status, error = 403, NO_PASSWORDS
        elif request.method == "POST":
            account = await session.with_password(request, email, form.get("password", ""))
            if account is not None:
                return await enter(request, account, onward)
            status, error = 403, WRONG
    except TooManyRequests as wait:
        status, headers = 429, {"retry-after": str(wait.retry_after)}
        error = f"There were too many failed sign-ins: {wait.hint}."
    return await login_page(request, status, headers, error=error, next=onward, email=email)


async def login_page(request: Request, status: int, headers: dict[str, str], **facts: str) -> Response:
    """Show the ways to sign in, with what went wrong. While the store does not answer, it offers all that need none."""
    wetink, by_token, by_password = wetink_of(request), True, True
    rules = SignInRules()
    with suppress(Unavailable):
        rules = await wetink.sign_in_rules.read()
        by_token = not await wetink.team.has_owner()
        by_password = rules.passwords and (not by_token or bool(await wetink.store.accounts.all()))
    return page(
        request,
        "access/login.html",
        status=status,
        headers=headers,
        by_token=by_token,
        by_password=by_password,
        providers=rules.providers,
        origin=second_factor.origin_of(request),
        **facts,
    )


async def enter(request: Request, account: Account, onward: str) -> Response:
    """Return the answer to somebody who has just proved to be the holder of an account, on the way to a page."""
    return await second_factor.onward(request, account, onward)


async def join(request: Request) -> Response:
    """Show what a link invites to, or the form for a new password. Use it up, and sign in."""
    team = wetink_of(request).team
    form = await open_form_of(request) if request.method == "POST" else request.query_params
    secret, wrong = form.get("link", ""), {}
    rules = await wetink_of(request).sign_in_rules.read()
    try:
        link = await team.link(secret)
        if not rules.passwords and (link.account or request.method == "POST"):
            raise Conflict("your team signs in without passwords", hint="sign in another way")
        if request.method == "POST":
            try:
                password = form.get("password", "")
                if link.account:
                    account = await team.redeem(secret, password)
                    await session.note(request, account, "set a new password by link for", account.email)
                else:
                    account = await team.accept(secret, form.get("name", ""), password)
                    await session.note(request, account, f"joined as {account.role}", account.email)
                return await enter(request, account, "/dashboard")
            except BadRequest as error:
                wrong = wrong_of(error)
    except Conflict as error:
        return page(request, "access/join_closed.html", status=409, why=str(error), hint=error.hint)
    return page(
        request,
        "access/join.html",
        status=400 if wrong else 200,
        link=link,
        secret=secret,
        given=form.get("name", ""),
        first=not link.account and link.by == SERVER.name,
        providers=() if rules.passwords else rules.providers,
        wrong=wrong,
    )


def join_address(origin: str, secret: str) -> str:
    """Return the address of a link with this secret."""
    return f"{origin}/dashboard/join?link={secret}"


def wrong_of(error: WetinkError) -> dict[str, str]:
    """Return an error by the field where it stands, as a sentence."""
    return {error.where: error.sentence}


async def logout(request: Request) -> Response:
    """End the session."""
    await form_of(request)
    response = RedirectResponse("/dashboard/login", 303)
    await session.sign_out(request, response)
    return response


class State(msgspec.Struct, frozen=True):
    """Whether this browser is signed in, as whom, and the CSRF token for what it sends next."""

    name: str
    csrf: str


async def state(request: Request) -> Response:
    """Tell a script whether the browser is signed in again."""
    who = session.who(request)
    body = msgspec.json.encode(State(who.name if who is not None else "", session.csrf(request)))
    return Response(body, media_type="application/json", headers={"cache-control": "no-store"})


async def back(request: Request) -> Response:
    """Say that the browser is signed in again, in the tab that was opened for it."""
    return page(request, "access/signed_in.html")


async def held(request: Request) -> Response | None:
    """Return a page that keeps a form whose session has ended until its sender is signed in; None for another body."""
    try:
        fields = await fields_of(request, LARGEST_HELD)
    except (BadRequest, TooLarge):
        return None
    path = inside(request.url.path)
    return _held_page(request, path, [each for each in fields if each[0] != "csrf"], asked=False)


async def again(request: Request) -> Response:
    """Show a kept form again, to be sent as whoever is signed in now."""
    fields = await fields_of(request, LARGEST_HELD + 4_096)
    path = next((value for name, value in fields if name == "held.to"), "")
    return _held_page(request, inside(path), [each for each in fields if each[0] != "held.to"], asked=True)


def _held_page(request: Request, path: str, fields: list[tuple[str, str]], *, asked: bool) -> Response:
    who = session.who(request)
    status = 200 if who is not None else 401
    return page(request, "access/session_ended.html", status=status, to=path, fields=fields, asked=asked)
