"""Routes: the paths of all pages, by their place in the navigation."""

from starlette.routing import Route

from wetink.web.dashboard import (
    appearance,
    apps,
    audiences,
    blocks,
    catalog,
    components,
    feeds,
    keys,
    mappings,
    overview,
    past_opens,
    people,
    preview,
    reports,
    sign_in,
    status,
)

ROUTES: tuple[Route, ...] = (
    # Sign-in and home
    Route("/dashboard/login", sign_in.login, methods=["GET", "POST"]),
    Route("/dashboard/logout", sign_in.logout, methods=["POST"]),
    Route("/dashboard", overview.overview),
    Route("/dashboard/theme", appearance.choose, methods=["POST"]),
    # Content
    Route("/dashboard/apps", apps.apps),
    Route("/dashboard/apps/{name}.img", apps.picture),
    Route("/dashboard/apps/{name}/tried", apps.tried),
    Route("/dashboard/apps/{name}/covered", apps.covered),
    Route("/dashboard/apps/{name}", apps.app),
    Route("/dashboard/apps/{name}", apps.make_block, methods=["POST"]),
    Route("/dashboard/blocks", blocks.blocks),
    Route("/dashboard/blocks/{name}/snippet", blocks.snippet),
    Route("/dashboard/blocks/{name}/covered", blocks.covered),
    Route("/dashboard/blocks/{name}/beside", preview.beside),
    Route("/dashboard/blocks/{name}", blocks.block),
    Route("/dashboard/preview/{block}/{slot:slot}.img", preview.preview),
    Route("/dashboard/preview/{block}/{slot:slot}/weight", preview.weighed),
    # Audiences
    Route("/dashboard/audiences", audiences.audiences),
    Route("/dashboard/audiences/new", audiences.audience),
    Route("/dashboard/audiences/edit", audiences.edit, methods=["POST"]),
    Route("/dashboard/audiences/tried", audiences.tried, methods=["POST"]),
    Route("/dashboard/audiences/found", audiences.found, methods=["POST"]),
    Route("/dashboard/audiences/save", audiences.save, methods=["POST"]),
    Route("/dashboard/audiences/{name}.csv", audiences.as_csv),
    Route("/dashboard/audiences/{name}/again", audiences.again, methods=["POST"]),
    Route("/dashboard/audiences/{name}", audiences.audience),
    # Results
    Route("/dashboard/reports", reports.reports),
    Route("/dashboard/reports.csv", reports.reports_csv),
    Route("/dashboard/conversions", reports.conversions),
    Route("/dashboard/conversions/{id:path}", reports.conversion),
    Route("/dashboard/experiments", reports.experiments),
    Route("/dashboard/experiments/{name}", reports.experiment),
    Route("/dashboard/opens", past_opens.opens),
    Route("/dashboard/opens/{id}/{slot:slot}.img", past_opens.picture),
    Route("/dashboard/opens/{id}/{slot:slot}/weight", past_opens.weighed),
    Route("/dashboard/opens/{id}", past_opens.opened),
    # People
    Route("/dashboard/people", people.people),
    Route("/dashboard/people/{who:path}", people.person),
    # Data
    Route("/dashboard/live", overview.live),
    Route("/dashboard/live/newer", overview.newer),
    Route("/dashboard/catalog", catalog.catalog),
    Route("/dashboard/catalog/photo", catalog.photo),
    Route("/dashboard/catalog/product", catalog.product),
    Route("/dashboard/feeds", feeds.feeds),
    Route("/dashboard/feeds/{name}", feeds.feed),
    Route("/dashboard/feeds/{name}/file", feeds.put, methods=["PUT"]),
    Route("/dashboard/mappings", mappings.mappings),
    Route("/dashboard/keys", keys.keys),
    Route("/dashboard/keys", keys.make_key, methods=["POST"]),
    Route("/dashboard/keys/change", keys.change_key, methods=["POST"]),
    # Settings
    Route("/dashboard/status", status.status),
    Route("/dashboard/components", components.components),
)
