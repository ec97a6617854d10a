"""Good requests: for each route that changes something, a request that is taken. A new route needs one here."""

from collections.abc import Mapping
from typing import NamedTuple

from tests.attacks.data_forms import GOOD_DATA
from tests.attacks.sign_in_requests import SIGN_IN
from tests.web.dashboard import files

RULE = "title: Lookers\nrule: {done: Product Viewed, within: 7d}\n"
BLOCK = b'recipients: [email]\nfallback: {title: Hi, link: "https://shop.example/"}\nvariants: []\n'
BOB, PASSWORD, SECRET = "bob@shop.example", "copper lantern walks north", "a secret of a link"


class Good(NamedTuple):
    """A request that is taken: to which address, with what. `*` in it is a name that is new each time."""

    target: str
    fields: Mapping[str, str] | bytes = {}
    changes: bool = True
    """Whether something is kept after it; else it only answers what it was asked."""


OPEN = (
    *("/dashboard/login", "/dashboard/join", "/dashboard/session/again", "/dashboard/login/passkey/ask"),
    "/dashboard/login/forgotten",
)
"""What nobody is signed in for: a form has another secret, or changes nothing."""
TEAM, SECURITY = "/dashboard/settings/team", "/dashboard/settings/security"

GOOD = {
    **{("POST", path): Good(path, fields, changes=False) for path, fields in SIGN_IN.items()},
    ("POST", "/dashboard/login"): Good("/dashboard/login", {"email": BOB, "password": PASSWORD}),
    ("POST", "/dashboard/join"): Good("/dashboard/join", {"link": SECRET, "name": "Bob", "password": PASSWORD}),
    ("POST", "/dashboard/session/again"): Good("/dashboard/session/again", {"held.to": "/dashboard"}, changes=False),
    ("POST", f"{TEAM}/invite"): Good(f"{TEAM}/invite", {"email": "made-*@shop.example", "role": "viewer"}),
    ("POST", f"{TEAM}/withdraw"): Good(f"{TEAM}/withdraw", {"invitation": "open"}),
    ("POST", f"{TEAM}/change"): Good(f"{TEAM}/change", {"account": "cat", "do": "role", "role": "ROLE"}),
    ("POST", f"{TEAM}/link"): Good(f"{TEAM}/link", {"account": "cat"}, changes=False),
    ("POST", f"{SECURITY}/name"): Good(f"{SECURITY}/name", {"name": "Bob *"}),
    ("POST", f"{SECURITY}/password"): Good(f"{SECURITY}/password", {"current": PASSWORD, "password": PASSWORD}),
    ("POST", f"{SECURITY}/end"): Good(f"{SECURITY}/end", changes=False),
    ("POST", f"{SECURITY}/confirm"): Good(f"{SECURITY}/confirm", {"password": PASSWORD}, changes=False),
    ("POST", "/dashboard/settings/tokens"): Good(
        "/dashboard/settings/tokens", {"name": "made-*", "scopes": "content:read", "days": "30"}
    ),
    ("POST", "/dashboard/settings/tokens/revoke"): Good("/dashboard/settings/tokens/revoke", {"id": "made"}),
    ("POST", "/dashboard/logout"): Good("/dashboard/logout"),
    ("POST", "/dashboard/theme"): Good("/dashboard/theme", {"theme": "dark"}, changes=False),
    ("POST", "/dashboard/blocks/new"): Good("/dashboard/blocks/new", {"title": "Made *"}, changes=False),
    ("POST", "/dashboard/blocks/{name}/edit"): Good("/dashboard/blocks/hero/edit", {"title": "T *"}, changes=False),
    ("POST", "/dashboard/blocks/{name}/edit/copy"): Good("/dashboard/blocks/hero/edit/copy", changes=False),
    ("POST", "/dashboard/blocks/{name}/edit/discard"): Good("/dashboard/blocks/cart/edit/discard", changes=False),
    ("POST", "/dashboard/reports/views"): Good("/dashboard/reports/views", {"title": "Made *", "query": "range=7d"}),
    ("POST", "/dashboard/reports/views/delete"): Good("/dashboard/reports/views/delete", {"title": "Kept"}),
    ("POST", "/dashboard/reports/summary"): Good(
        "/dashboard/reports/summary", {"webhook": "https://hooks.shop.example/*"}
    ),
    ("POST", "/dashboard/reports/summary/test"): Good(
        "/dashboard/reports/summary/test", {"webhook": "https://hooks.shop.example/x"}, changes=False
    ),
    ("POST", "/dashboard/scenarios/{name}/edit"): Good(
        "/dashboard/scenarios/new/edit", {"title": "Made *", "block": "hero", "do": "save"}
    ),
    ("POST", "/dashboard/audiences/edit"): Good("/dashboard/audiences/edit", {"yaml": RULE, "do": ""}, changes=False),
    ("POST", "/dashboard/audiences/tried"): Good("/dashboard/audiences/tried", {"yaml": RULE}, changes=False),
    ("POST", "/dashboard/audiences/found"): Good("/dashboard/audiences/found", {"yaml": RULE}, changes=False),
    ("POST", "/dashboard/audiences/save"): Good("/dashboard/audiences/save", {"name": "made-*", "yaml": RULE}),
    ("POST", "/dashboard/audiences/{name}/again"): Good("/dashboard/audiences/vip/again", changes=False),
    ("POST", "/dashboard/audiences/{name}/delete"): Good("/dashboard/audiences/doomed/delete"),
    **{place: Good(*each) for place, each in GOOD_DATA.items()},
    ("PUT", "/dashboard/feeds/{name}/file"): Good(
        "/dashboard/feeds/made-*/file?format=csv", b"name,city\nHarbor,Oslo\n"
    ),
    ("POST", "/dashboard/blocks/{name}/experiment"): Good(
        "/dashboard/blocks/hero/experiment", {"do": "save", "title": "Made *", "holdout": "10%"}
    ),
    ("POST", "/dashboard/templates"): Good("/dashboard/templates", {"name": "made-*", "from": "blank"}),
    ("POST", "/dashboard/templates/{name}"): Good(
        "/dashboard/templates/card", {"do": "save", "template": "<p>*</p>", "companion": ""}
    ),
    ("POST", "/dashboard/templates/{name}/tried"): Good(
        "/dashboard/templates/card/tried", {"template": "<p>*</p>"}, changes=False
    ),
    ("PUT", "/dashboard/media/{room}/{name}"): Good("/dashboard/media/images/made-*.png", files.png(2, 2)),
    ("POST", "/dashboard/media/{room}/{name}"): Good(
        "/dashboard/media/images/there.png", {"change": "rename", "name": "made-*"}
    ),
    ("POST", "/dashboard/review/publish"): Good("/dashboard/review/publish", {"draft:blocks/drafted.yaml": "0"}),
    ("POST", "/dashboard/review/resolve"): Good(
        "/dashboard/review/resolve", {"path": "blocks/other.yaml", "how": "discard", "revision": "1"}
    ),
    ("POST", "/dashboard/versions/{number}/undo"): Good("/dashboard/versions/LAST/undo"),
    ("POST", "/dashboard/versions/{number}/restore"): Good(
        "/dashboard/versions/FIRST/restore", {"path": "blocks/restored.yaml"}
    ),
    ("POST", "/dashboard/blocks/{name}/manage"): Good(
        "/dashboard/blocks/restored/manage", {"change": "rename", "name": "restored", "title": "Made *"}
    ),
    ("POST", "/dashboard/sources"): Good("/dashboard/sources", {"name": "made-*", "level": "server"}),
    ("POST", "/dashboard/sources/change"): Good("/dashboard/sources/change", {"name": "shop", "change": "rotate"}),
    ("POST", "/api/content"): Good("/api/content", b'{"files": {"blocks/made-*.yaml": "BLOCK"}}'),
    ("POST", "/api/content/rollback"): Good("/api/content/rollback", b'{"version": 2}'),
    ("PUT", "/api/feeds/{name}"): Good("/api/feeds/made-*?format=csv", b"name,city\nHarbor,Oslo\n"),
    ("POST", "/api/preview"): Good("/api/preview", b'{"block": "hero", "who": "user:42"}', changes=False),
    ("POST", "/api/preview/{slot:slot}"): Good("/api/preview/1", b'{"block": "hero"}', changes=False),
}
