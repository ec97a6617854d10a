"""Appearance: the color scheme that somebody chose, and the folded groups of the sidebar, as cookies.

The server reads them, so that a page comes in its colors at once.
"""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.errors import BadRequest
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import inside

THEMES = ("system", "light", "dark")
THEME, FOLDED = "wetink_theme", "wetink_folded"
"""Names of the cookies. The script of the pages writes the second one."""

YEAR_S = 365 * 86_400


def theme_of(request: Request) -> str:
    """Return the color scheme that this browser chose: one of `THEMES`."""
    chosen = request.cookies.get(THEME, "")
    return chosen if chosen in THEMES else THEMES[0]


def folded_of(request: Request) -> str | None:
    """Return the cookie with the folded groups; None if this browser has none."""
    return request.cookies.get(FOLDED)


async def choose(request: Request) -> Response:
    """Remember a color scheme in this browser, and go back to the page. Raises BadRequest for an unknown scheme."""
    form = await form_of(request)
    theme = form.get("theme", "")
    if theme not in THEMES:
        raise BadRequest(f"no theme is called {theme[:40]!r}", hint=f"choose one of {', '.join(THEMES)}", where="theme")
    response = RedirectResponse(inside(form.get("next", "")), 303)
    response.set_cookie(THEME, theme, max_age=YEAR_S, path="/", samesite="lax", httponly=True)
    return response
