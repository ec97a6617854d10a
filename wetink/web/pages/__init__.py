"""Pages: the dashboard, rendered here in whole; `ROUTES` is all of it."""

from starlette.routing import BaseRoute, Route

from wetink.web.pages.blocks import block, blocks
from wetink.web.pages.keys import keys, make_key
from wetink.web.pages.live import live, newer
from wetink.web.pages.overview import overview
from wetink.web.pages.people import people
from wetink.web.pages.person import person
from wetink.web.pages.preview import preview

ROUTES: tuple[BaseRoute, ...] = (
    Route("/dashboard", overview),
    Route("/dashboard/live", live),
    Route("/dashboard/live/newer", newer),
    Route("/dashboard/people", people),
    Route("/dashboard/people/{who:path}", person),
    Route("/dashboard/blocks", blocks),
    Route("/dashboard/blocks/{name}", block),
    Route("/dashboard/preview/{block}/{slot:int}.img", preview),
    Route("/dashboard/keys", keys),
    Route("/dashboard/keys", make_key, methods=["POST"]),
)
