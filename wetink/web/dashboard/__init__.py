"""Pages: the dashboard, rendered here in whole; `ROUTES` is all of it."""

from starlette.routing import BaseRoute, Route

from wetink.web.dashboard.apps import app, apps, covered, make_block, picture, tried
from wetink.web.dashboard.audiences import again, as_csv, audience, audiences, edit, found, save
from wetink.web.dashboard.audiences import tried as audience_tried
from wetink.web.dashboard.blocks import block, blocks
from wetink.web.dashboard.browser_comparison import beside
from wetink.web.dashboard.catalog import catalog, photo, product
from wetink.web.dashboard.coverage import of_block
from wetink.web.dashboard.experiments import experiment, experiments
from wetink.web.dashboard.feeds import feed, feeds
from wetink.web.dashboard.feeds import put as put_feed
from wetink.web.dashboard.keys import change_key, keys, make_key
from wetink.web.dashboard.live import live, newer
from wetink.web.dashboard.mappings import mappings
from wetink.web.dashboard.overview import overview
from wetink.web.dashboard.past_opens import opened, opens
from wetink.web.dashboard.past_opens import picture as opened_picture
from wetink.web.dashboard.past_opens import weighed as opened_weight
from wetink.web.dashboard.people import people
from wetink.web.dashboard.person import person
from wetink.web.dashboard.preview import preview, weighed
from wetink.web.dashboard.reports import conversion, conversions, reports, reports_csv
from wetink.web.dashboard.snippet import snippet

ROUTES: tuple[BaseRoute, ...] = (
    Route("/dashboard", overview),
    Route("/dashboard/reports", reports),
    Route("/dashboard/reports.csv", reports_csv),
    Route("/dashboard/conversions", conversions),
    Route("/dashboard/conversions/{id:path}", conversion),
    Route("/dashboard/experiments", experiments),
    Route("/dashboard/experiments/{name}", experiment),
    Route("/dashboard/live", live),
    Route("/dashboard/live/newer", newer),
    Route("/dashboard/people", people),
    Route("/dashboard/people/{who:path}", person),
    Route("/dashboard/apps", apps),
    Route("/dashboard/apps/{name}.img", picture),
    Route("/dashboard/apps/{name}/tried", tried),
    Route("/dashboard/apps/{name}/covered", covered),
    Route("/dashboard/apps/{name}", app),
    Route("/dashboard/apps/{name}", make_block, methods=["POST"]),
    Route("/dashboard/blocks", blocks),
    Route("/dashboard/blocks/{name}/snippet", snippet),
    Route("/dashboard/blocks/{name}/covered", of_block),
    Route("/dashboard/blocks/{name}/beside", beside),
    Route("/dashboard/blocks/{name}", block),
    Route("/dashboard/opens", opens),
    Route("/dashboard/opens/{id}/{slot:slot}.img", opened_picture),
    Route("/dashboard/opens/{id}/{slot:slot}/weight", opened_weight),
    Route("/dashboard/opens/{id}", opened),
    Route("/dashboard/audiences", audiences),
    Route("/dashboard/audiences/new", audience),
    Route("/dashboard/audiences/edit", edit, methods=["POST"]),
    Route("/dashboard/audiences/tried", audience_tried, methods=["POST"]),
    Route("/dashboard/audiences/found", found, methods=["POST"]),
    Route("/dashboard/audiences/save", save, methods=["POST"]),
    Route("/dashboard/audiences/{name}.csv", as_csv),
    Route("/dashboard/audiences/{name}/again", again, methods=["POST"]),
    Route("/dashboard/audiences/{name}", audience),
    Route("/dashboard/preview/{block}/{slot:slot}.img", preview),
    Route("/dashboard/preview/{block}/{slot:slot}/weight", weighed),
    Route("/dashboard/catalog", catalog),
    Route("/dashboard/catalog/photo", photo),
    Route("/dashboard/catalog/product", product),
    Route("/dashboard/feeds", feeds),
    Route("/dashboard/feeds/{name}", feed),
    Route("/dashboard/feeds/{name}/file", put_feed, methods=["PUT"]),
    Route("/dashboard/mappings", mappings),
    Route("/dashboard/keys", keys),
    Route("/dashboard/keys", make_key, methods=["POST"]),
    Route("/dashboard/keys/change", change_key, methods=["POST"]),
)
