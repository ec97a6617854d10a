"""Editor: how long a keystroke in the block editor takes to be a new picture on the page, in a real Chromium.

The block is warm: its picture was drawn before, and each keystroke changes its words. The server has one core, and the
browser the other. A picture is on the page when the browser has painted the first frame after it was decoded.
"""

import shutil
from statistics import median, quantiles

from playwright.sync_api import Page

from bench import opens
from bench.figure import Figure
from bench.server import one_core, serving
from tests.browser import chromium

PROFILES, KEYSTROKES, BEFORE = 10_000, 60, 8
LIMIT_MS = 300
"""The editor's promise for a warm block, in milliseconds."""
REST_MS = 120
"""Between two keystrokes of somebody who types without haste: the pictures for dark mode and phones follow."""
LONGEST_WORDS = 20
LOOKS = {"the sample shopper": "", "a person with 50 events": "user:person-7"}
"""Those for whom it is drawn: words, and what the editor's field has."""
WATCH = """() => {
    window.times = [];
    let pressed = 0;
    document.addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
    document.addEventListener("load", ({ target }) => {
        if (!(target instanceof HTMLImageElement) || !target.closest("#frames .light") || pressed === 0) return;
        const begun = pressed;
        pressed = 0;
        target.decode().then(() => requestAnimationFrame(() => setTimeout(() => {
            window.times.push(performance.now() - begun);
        })));
    }, true);
}"""


def measure() -> list[Figure]:
    """Return a figure for each look: the editor's promise to the 95th percentile."""
    built = opens.built(PROFILES)
    data = built.with_name("editor")
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(built, data)
    try:
        with serving(data) as settings, one_core(), chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            token = (data / "dashboard.token").read_text().strip()
            page.goto(f"{settings.address}/dashboard/login?token={token}")
            times = {look: _typed(page, settings.address, who) for look, who in LOOKS.items()}
    finally:
        shutil.rmtree(data, ignore_errors=True)
    return [_figure(look, found) for look, found in times.items()]


def _typed(page: Page, address: str, who: str) -> list[float]:
    """Type words into a new block, one key at a time. Returns how long each picture took, in milliseconds."""
    page.goto(f"{address}/dashboard/blocks/new")
    page.locator(".pick").filter(has_text="Last Viewed").first.click()
    page.wait_for_url("**/edit")
    page.locator("#who").fill(who)
    page.wait_for_timeout(1_000)
    page.evaluate(WATCH)
    field = page.locator('[name="v.0.settings.title"]')
    field.click()
    for stroke in range(BEFORE + KEYSTROKES):
        if stroke % LONGEST_WORDS == 0:
            page.keyboard.press("Control+A")
        there = page.evaluate("window.times.length")
        page.keyboard.press("abcdefghijklmnopqrst"[stroke % LONGEST_WORDS])
        page.wait_for_function("there => window.times.length > there", arg=there)
        page.wait_for_timeout(REST_MS)
    times: list[float] = page.evaluate("window.times")
    return times[-KEYSTROKES:]


def _figure(look: str, times: list[float]) -> Figure:
    p50, p95 = median(times), quantiles(times, n=20)[-1]
    cells = {
        "drawn for": look,
        "median": f"{p50:.0f} ms",
        "p95": f"{p95:.0f} ms",
        "of 300 ms, p95": f"{p95 / LIMIT_MS:.0%}",
    }
    told = f"median {p50:.0f} ms, p95 {p95:.0f} ms from a keystroke to the new picture"
    return Figure(f"editor: its {LIMIT_MS} ms to the p95, drawn for {look}", LIMIT_MS / p95, 1.0, told, cells)
