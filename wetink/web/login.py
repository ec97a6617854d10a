"""Login: the token in, a session out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.web import session
from wetink.web.pages.asked import form_of
from wetink.web.pages.render import page

HOME = "/dashboard"


async def login(request: Request) -> Response:
    """Show the form; sign in whoever comes with the right token, in the form or behind the printed link."""
    if request.method == "POST":
        form = await form_of(request)
        token, onward = form.get("token", ""), _inside(form.get("next", ""))
    else:
        token, onward = request.query_params.get("token", ""), _inside(request.query_params.get("next", ""))
    if token and session.right_token(request, token):
        response = RedirectResponse(onward, 303)
        session.sign_in(response, request.app.state.wetink)
        return response
    error = "That is not the token. `wetink serve` prints it when it starts." if token else ""
    return page(request, "login.html", status=403 if token else 200, error=error, next=onward, csrf="")


async def logout(request: Request) -> Response:
    """End the session."""
    session.check_csrf(request, await form_of(request))
    response = RedirectResponse("/dashboard/login", 303)
    session.sign_out(response)
    return response


def _inside(path: str) -> str:
    """A page of the dashboard, whatever was asked for: a login must not lead elsewhere."""
    return path if path.startswith(f"{HOME}/") and "//" not in path and "\\" not in path else HOME
