"""`make shots`: every page at three widths, over the demo's data, in shots/."""

import sys
import tempfile
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console

from tests.browser import chromium
from tests.gallery import program
from wetink.demo.run import fill, prepare, serving

PAGES = {
    "overview": "/dashboard",
    "reports": "/dashboard/reports?days=14",
    "conversions": "/dashboard/conversions",
    "experiments": "/dashboard/experiments",
    "experiment": "/dashboard/experiments/cart-words?metric=clicks",
    "live": "/dashboard/live",
    "people": "/dashboard/people",
    "person": "/dashboard/people/email:jane@mercer.example?block=hero",
    "apps": "/dashboard/apps",
    "app": "/dashboard/apps/trending?who=email:jane@mercer.example",
    "app-sample": "/dashboard/apps/price-drop",
    "blocks": "/dashboard/blocks?who=email:bob@adeyemi.example",
    "block": "/dashboard/blocks/hero?who=email:jane@mercer.example",
    "audiences": "/dashboard/audiences",
    "audience": "/dashboard/audiences/good-customers?who=email:jane@mercer.example",
    "audience-new": "/dashboard/audiences/new",
    "catalog": "/dashboard/catalog?q=lamp",
    "product": "/dashboard/catalog/product?key=TW-201",
    "opens": "/dashboard/opens",
    "feeds": "/dashboard/feeds",
    "mappings": "/dashboard/mappings",
    "keys": "/dashboard/keys",
    "status": "/dashboard/status",
    "error": "/dashboard/blocks/absent",
    "login": "/dashboard/login",
    "demo": "/demo",
}
ALL_IMAGES = """Promise.all([...document.images].map(each => {
    each.loading = 'eager';
    return each.complete || new Promise(done => { each.onload = each.onerror = done });
}))"""
"""Waits for every image of a page, those far below included."""
WIDTHS = {"phone": 390, "tablet": 820, "desktop": 1280}


def main(*only: str) -> None:
    """Start the demo in a folder that goes away, and take its pictures; `only` names pages."""
    console, folder = Console(stderr=True), Path("shots")
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        settings = prepare(Path(place) / "data", "127.0.0.1", 0)
        settings = replace(settings, chromium=program(Path(place)))
        with serving(settings):
            fill(settings, console)
            token = (settings.data / "dashboard.token").read_text()
            with chromium() as browser:
                for size, width in WIDTHS.items():
                    page = browser.new_page(viewport={"width": width, "height": 900})
                    page.goto(f"{settings.address}/dashboard/login?token={token}")
                    for name, path in PAGES.items():
                        if only and name not in only:
                            continue
                        page.goto(settings.address + path)
                        page.evaluate(ALL_IMAGES)
                        page.wait_for_timeout(300)
                        page.screenshot(path=folder / f"{name}-{size}.png", full_page=True)
                    page.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
