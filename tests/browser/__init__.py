"""A real Chromium, from the npm package that `make test` unpacked, driven by Playwright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = ROOT / ".build" / "chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><dir>{ours}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


def environment() -> dict[str, str | float | bool]:
    """Return the environment in which this Chromium finds its libraries and fonts."""
    configuration = CHROMIUM / "ours.conf"
    configuration.write_text(
        FONTS.format(
            fonts=CHROMIUM / "fonts", ours=ROOT / "wetink" / "render" / "fonts", cache=CHROMIUM / "fonts-cache"
        )
    )
    return {
        **os.environ,
        "LANG": "en_US.UTF-8",
        "LC_ALL": "en_US.UTF-8",
        "LD_LIBRARY_PATH": str(CHROMIUM / "lib"),
        "FONTCONFIG_FILE": str(configuration),
    }


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser for the length of a `with`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM / "chromium", args=list(FLAGS), env=environment(), chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            browser.close()
