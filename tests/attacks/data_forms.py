"""Forms of the pages for data: feeds."""

from typing import Any

from tests.attacks.forms import Form
from wetink.core.events.event import Product

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

MUG = Product(sku="S-1", name="Mug", price=9.0)
"""A product of the catalog."""

GOOD_DATA: dict[tuple[str, str], tuple[Any, ...]] = {
    ("POST", "/dashboard/catalog/product"): (
        "/dashboard/catalog/product",
        {"key": "S-1", "do": "hide", "why": "old *"},
    ),
    ("PUT", "/dashboard/catalog/file"): ("/dashboard/catalog/file?name=a.csv", b"id,title\nA,Mug\n", False),
    ("POST", "/dashboard/start/connect"): ("/dashboard/start/connect", {"way": "shopify"}),
    ("POST", "/dashboard/start/sample"): ("/dashboard/start/sample", {"do": "remove"}, False),
    ("POST", "/dashboard/start/address"): (
        *("/dashboard/start/address", {"public_url": "https://open.shop.example", "do": "anyway"}, False),
    ),
    ("POST", "/dashboard/start/dismiss"): ("/dashboard/start/dismiss", {"do": ""}, False),
    ("POST", "/dashboard/settings/address"): ("/dashboard/settings/address", {"do": "check"}, False),
    ("POST", "/dashboard/settings/signals"): (
        *("/dashboard/settings/signals", {"do": "save", "zone": "Europe/Oslo", "goal.1.event": "Made *"}),
    ),
    ("POST", "/dashboard/feeds/new"): ("/dashboard/feeds/new", {"title": "Made", "do": ""}, False),
    ("POST", "/dashboard/feeds/new/weather"): ("/dashboard/feeds/new/weather", {"title": ""}, False),
    ("POST", "/dashboard/feeds/{name}/edit"): ("/dashboard/feeds/stores/edit", {"do": ""}, False),
    ("POST", "/dashboard/feeds/{name}/change"): (
        *("/dashboard/feeds/stores/change", {"change": "rename", "title": "Stores *", "handle": "stores"}),
    ),
}
"""A request that each route takes: its target, its fields or body, and whether something is kept after it."""


def data_forms() -> list[Form]:
    """Return the forms of these pages."""
    return [
        *(
            Form(
                *("POST", "/dashboard/catalog/product"),
                {"key": "S-1", "do": do, "name": "Mug", "price": "5", "url": "https://shop.example/s", "why": "old"},
                shown=("/dashboard/catalog", "/dashboard/catalog/product?key=S-1"),
                words={
                    "key": "no product",
                    "do": "unknown change",
                    "price": "price|does not fit",
                    "why": "say why|characters",
                    "url": "URL",
                },
            )
            for do in ("save", "hide", "reset")
        ),
        Form("PUT", "/dashboard/catalog/file", {"body": "csv"}, "file", query="name=a.csv", words={"body": "table"}),
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
