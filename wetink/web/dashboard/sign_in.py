"""Sign-in: the login form, and logging out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.errors import TooManyRequests
from wetink.web import session
from wetink.web.dashboard.query import form_of, inside
from wetink.web.dashboard.render import page


async def login(request: Request) -> Response:
    """Show the login form. Sign in with the token from the form or from the printed link."""
    if request.method == "POST":
        form = await form_of(request)
        token, onward = form.get("token", ""), inside(form.get("next", ""))
    else:
        token, onward = request.query_params.get("token", ""), inside(request.query_params.get("next", ""))
    status, error, headers = 200, "", {}
    try:
        if token and await session.right_token(request, token):
            response = RedirectResponse(onward, 303)
            await session.sign_in(request, response)
            return response
        if token:
            status, error = 403, "That is not the token. `wetink serve` prints it when it starts."
    except TooManyRequests as wait:
        status, error, headers = 429, f"Too many wrong tokens came from your address: {wait.hint}.", _after(wait)
    return page(request, "login.html", status=status, headers=headers, error=error, next=onward)


def _after(wait: TooManyRequests) -> dict[str, str]:
    return {"retry-after": str(wait.retry_after)}


async def logout(request: Request) -> Response:
    """End the session."""
    session.check_csrf(request, await form_of(request))
    response = RedirectResponse("/dashboard/login", 303)
    await session.sign_out(request, response)
    return response
