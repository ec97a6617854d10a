"""Forms of the pages for data: feeds."""

from tests.attacks.forms import Form

FEED = {
    "title": "Made",
    "url": "https://feeds.shop.example/{city}",
    "every": "1h",
    "format": "json",
    "contents": "data",
    "root": "items",
    "key": "",
    "encoding": "",
    "as.title": "title",
    "header.0": "X-Api-Key",
    "value.0": "k",
    "person": "on",
    "parameter.0": "city",
    "from.0": "moment.city",
    "try.0": "Oslo",
}
SIGNALS = {
    "zone": "Europe/Oslo",
    "model": "linear",
    "into": "EUR",
    "as_of": "2026-11-20",
    "rate.0.code": "USD",
    "rate.0.value": "0.92",
    "goal.1.event": "Signed Up",
    "goal.1.name": "sign-up",
    "goal.1.clicks": "7d",
    "goal.1.opens": "7d",
    "goal.1.value": "plan.price",
    "holdout": "on",
    "share": "5%",
    "do": "",
}
PLACES = {"place.open": "on", "latitude": "53.5", "longitude": "10.0"}


def data_forms() -> list[Form]:
    """Return the forms of these pages."""
    return [
        Form("POST", "/dashboard/start/connect", {"way": "snippet"}, words={"way": "way"}),
        Form("POST", "/dashboard/start/sample", {"do": "remove"}, shown=("/dashboard/start",)),
        Form(
            *("POST", "/dashboard/start/address"),
            {"public_url": "http://127.0.0.1:8000", "do": "anyway"},
            shown=("/dashboard",),
            words={"public_url": "address|host|answer", "do": "address"},
        ),
        Form("POST", "/dashboard/start/dismiss", {"do": "show"}, shown=("/dashboard",)),
        Form(
            "POST",
            "/dashboard/settings/address",
            {"public_url": "", "link_hosts": "cdn.shop.example"},
            shown=("/dashboard/settings",),
            words={"public_url": "address", "link_hosts": "host"},
        ),
        Form("POST", "/dashboard/settings/signals", SIGNALS, shown=("/dashboard/settings", "/dashboard/reports")),
        Form("POST", "/dashboard/feeds/new", FEED),
        Form("POST", "/dashboard/feeds/{name}/edit", {**FEED, "title": "News"}, holes={"{name}": "news"}),
        Form(
            *("POST", "/dashboard/feeds/new/weather"),
            {"title": "Made", "url": "https://weather.shop.example/v1", "unit": "F", "every": "30m", **PLACES},
            words={"url": "url|URL|host", "every": "duration|least", "title": "name|characters"},
        ),
        *(
            Form(
                *("POST", "/dashboard/feeds/{name}/change"),
                {"change": change, "title": "News", "handle": "news", "sure": "no" if change == "delete" else "yes"},
                holes={"{name}": "news"},
                shown=("/dashboard/feeds", "/dashboard/feeds/news"),
                words={"change": "unknown change", "title": "name|use", "handle": "uses this feed|file name"},
            )
            for change in ("disable", "rename", "enable")
        ),
    ]
