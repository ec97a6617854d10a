"""Passkey sign-in: without a password, or as the second factor after one."""

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import Forbidden, TooManyRequests
from wetink.web import session
from wetink.web.dashboard.access.factors import answer
from wetink.web.dashboard.access.second_factor import SECOND, note, signed_in, step_page, waiting
from wetink.web.dashboard.access.sign_in import login_page
from wetink.web.dashboard.page.form import open_form_of
from wetink.web.dashboard.page.query import inside, wetink_of
from wetink.web.request import now_ms, status_of

WRONG = "passkey "
"""What wrong answers of an address are counted by, apart from its wrong passwords."""


async def ask(request: Request) -> Response:
    """Return the options for the browser: of any passkey, or of those of the account that a password has named."""
    form = await open_form_of(request)
    found = await waiting(request, SECOND) if form.get("after") == "password" else None
    passkeys = await wetink_of(request).passkeys()
    asked = await passkeys.ask(found[1].id if found is not None else "", now_ms())
    return answer(asked.challenge, asked.options)


async def enter(request: Request) -> Response:
    """Sign in with the passkey that the browser has asked."""
    form = await open_form_of(request)
    wetink, now, onward = wetink_of(request), now_ms(), inside(form.get("next", ""))
    found = await waiting(request, SECOND) if form.get("after") == "password" else None
    key = f"factor {found[1].id}" if found is not None else f"{WRONG}{session.address_of(request)}"
    try:
        if wait := await wetink.store.sessions.try_from(key, now):
            seconds = -(-wait // 1000)
            raise TooManyRequests(
                "too many passkeys were refused", hint=f"try again in {seconds} s", retry_after=seconds
            )
        used = await (await wetink.passkeys()).check(
            form.get("challenge", ""), form.get("answer", ""), found[1].id if found is not None else "", now
        )
        account = await wetink.store.accounts.get(used.account)
        if account is None or account.disabled:
            raise Forbidden("this account cannot sign in", hint="ask an owner to enable it")
        if found is not None:
            onward = found[2].path
            if await wetink.store.challenges.take(found[0].id, SECOND, now) is None:
                raise Forbidden("this sign-in is already finished", hint="sign in again")
    except (Forbidden, TooManyRequests) as error:
        wait_header = {"retry-after": str(error.retry_after)} if isinstance(error, TooManyRequests) else {}
        if found is None:
            said = error.sentence
            return await login_page(request, status_of(error), wait_header, error=said, next=onward, email="")
        if not wait_header:
            await note(request, found[1], "failed a second factor of", found[1].email)
        return await step_page(request, found[1], status_of(error), error.sentence, wait_header)
    await wetink.store.sessions.forgive(key)
    await note(request, account, "signed in with", f"the passkey {used.name}")
    return await signed_in(request, account, onward)
