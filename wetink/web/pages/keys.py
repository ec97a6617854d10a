"""Keys: the sources that may send, and the form that makes a new one. A key is shown once."""

import re

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import BadSettings
from wetink.core.event import Level
from wetink.ports import NewKey
from wetink.web import session
from wetink.web.clock import now_ms
from wetink.web.pages.asked import form_of, wetink_of
from wetink.web.pages.render import page

LONGEST_NAME = 64
_NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?")


async def keys(request: Request) -> Response:
    """Show the sources and the form."""
    return await _page(request)


async def make_key(request: Request) -> Response:
    """Make the key the form asks for, and show it this once."""
    form = await form_of(request)
    session.check_csrf(request, form)
    name, hosts = form.get("name", "").strip(), _hosts(form.get("hosts", ""))
    level: Level = "browser" if form.get("level") == "browser" else "server"
    given = {"name": name, "level": level, "hosts": form.get("hosts", "")}
    try:
        if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
            raise BadSettings("a key needs a name", hint=f"of at most {LONGEST_NAME} characters, such as shop-backend")
        wrong = [host for host in hosts if not _HOST.fullmatch(host)]
        if wrong:
            raise BadSettings(f"{wrong[0]!r} is no host", hint="write shop.example, without https:// or a path")
        made = await wetink_of(request).store.create_key(name, level, hosts, now_ms())
    except BadSettings as error:
        return await _page(request, status=400, error=f"{error}{f' ({error.hint})' if error.hint else ''}", given=given)
    return await _page(request, made=made, given={"name": name, "level": level, "hosts": ""})


async def _page(
    request: Request,
    *,
    status: int = 200,
    error: str = "",
    given: dict[str, str] | None = None,
    made: NewKey | None = None,
) -> Response:
    wetink = wetink_of(request)
    return page(
        request,
        "keys.html",
        status=status,
        sources=await wetink.store.sources(),
        address=wetink.settings.address,
        error=error,
        given=given or {"name": "", "level": "server", "hosts": ""},
        made=made,
    )


def _hosts(text: str) -> list[str]:
    """Return the hosts of a field that takes them with commas or spaces between."""
    return list(dict.fromkeys(each.lower() for each in re.split(r"[\s,]+", text) if each))
