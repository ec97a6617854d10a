"""Forms of the pages for templates and media."""

from tests.attacks.forms import Form

HELD = {"do": "save", "title": "Made", "group.0": "", "holdout": "10%", "control": "", "worth": "10%"}
CARD = {"{name}": "card"}
TRIED = {
    "template": "<p>{{ settings.items }}</p>",
    "companion": "title: T\nsettings: {note: {type: string}}\n",
    "who": "user:42",
    "scheme": "dark",
    "width": "300",
    "height": "200",
    "setting.note": "x",
    "sent": "1",
    "keys": "",
}


def content_forms() -> list[Form]:
    """Return the forms of these pages."""
    return [
        Form("POST", "/dashboard/blocks/{name}/experiment", HELD, holes={"{name}": "ends"},
             shown=("/dashboard/blocks/ends/experiment",),
             words={"do": "change", "title": "name|characters", "group.0": "groups",
                    "worth": "share|100%", "holdout": "share|100%"}),
        Form("POST", "/dashboard/templates", {"name": "made", "from": "blank"}, shown=("/dashboard/templates",),
             words={"name": "template", "from": "from|template called"}),
        Form("POST", "/dashboard/templates/{name}", {"do": "save", "template": "<p>", "companion": "", "revision": "0"},
             holes=CARD, shown=("/dashboard/templates", "/dashboard/templates/card"),
             words={"do": "change", "template": "saved", "companion": "saved", "revision": "saved"}),
        Form("POST", "/dashboard/templates/{name}", {"do": "rename", "name": "made"}, holes=CARD,
             words={"do": "change", "name": "template"}),
        Form("POST", "/dashboard/templates/{name}/tried", TRIED, holes=CARD),
        Form("POST", "/dashboard/media/{room}/{name}", {"change": "rename", "name": "made"},
             holes={"{room}": "images", "{name}": "there.png"}, words={"change": "change", "name": "file"}),
    ]  # fmt: skip
