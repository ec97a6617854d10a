"""Components: all parts of which pages are made, in all their states."""

from starlette.requests import Request
from starlette.responses import Response

from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import Toast, Undo

PATH = "/dashboard/components"
COLORS = ("ground", "paper", "sunken", "raised", "ink", "soft", "line", "edge", "accent", "good", "warn", "bad")
"""Names of the tokens of color."""


async def components(request: Request) -> Response:
    """Show each component in each state."""
    undone = Toast("“Summer sale” was archived.", Undo("/dashboard/theme", {"theme": "system", "next": PATH}))
    return page(
        request, "page/components.html", colors=COLORS, undone=undone, view=request.query_params.get("view", "week")
    )
