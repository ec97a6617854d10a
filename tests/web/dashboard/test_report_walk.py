"""A walk through the results in a real browser: a range, a comparison, a value of the chart, and what is behind it."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Server
from tests.web.dashboard.browsing import fits
from wetink.core.signals.attribution import Touch
from wetink.ingest.receive import BATCH
from wetink.settings import read
from wetink.web.request import now_ms
from wetink.wiring import Wetink

DAY, HOUR = 86_400_000, 3_600_000
BLOCK = """
title: {title}
variants: [{{name: seen, app: last-viewed}}]
fallback: {{link: "https://shop.example/", title: Come in}}
recipients: [user]
"""
MUG = {"sku": "mug", "name": "The mug", "price": 25}
OPENS = (40, 20)
"""Opens of the last seven days and of the seven before, of each block."""


async def live(data: Path) -> None:
    """Two blocks opened in two weeks, with an order for every tenth open of this week's first block."""
    async with Wetink(read({}, data=data), draws=False) as wetink:
        await wetink.store.sources.create_key("shop", "server", ("shop.example",), 1)
        await wetink.look_again()
        now, messages = now_ms(), []
        for week, count in enumerate(OPENS):
            for number in range(count):
                at = now - week * 7 * DAY - (number % 6) * DAY - 2 * HOUR
                for block in ("hero", "cards"):
                    who = f"user:w{week}-{number}"
                    await wetink.store.ledger.record(Touch("open", block, who, "may", at - 1, "seen"))
                    if block == "hero" and number % 10 == 0 and not week:
                        await wetink.store.ledger.record(Touch("click", block, who, "may", at, "seen"))
                        told = {"order_id": f"O-{number}", "total": 25, "currency": "EUR", "products": [MUG]}
                        order = {"type": "track", "event": "Order Completed", "messageId": f"m{number}"}
                        order |= {"userId": f"w{week}-{number}", "timestamp": at + 1, "properties": told}
                        messages.append(order)
        [sender] = await wetink.store.sources.all()
        await wetink.ingest.receive(msgspec.json.encode({"batch": messages}), sender, BATCH, now)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("results") / "data"
    blocks = data / "content" / "blocks"
    blocks.mkdir(parents=True)
    for name, title in (("hero", "Left behind"), ("cards", "Three cards")):
        (blocks / f"{name}.yaml").write_text(BLOCK.format(title=title))
    asyncio.run(live(data))
    with Server(data, workers=1) as running:
        yield running


@pytest.fixture
def page(server: Server, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    width = getattr(request, "param", 1280)
    context = chromium.new_context(viewport={"width": width, "height": 900}, locale="en-US", reduced_motion="reduce")
    made = context.new_page()
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.goto(server.sign_in)
    yield made
    assert wrong == []
    fits(made)
    context.close()


def test_a_range_a_comparison_a_value_the_orders_behind_it_and_a_saved_view(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/dashboard/reports")
    page.get_by_role("link", name="Last 7 days").click()
    page.wait_for_url("**range=7d**")
    expect(page.get_by_role("link", name="Last 7 days")).to_have_attribute("aria-current", "true")
    opens = page.get_by_label("Figure").get_by_role("link", name=re.compile("Unique opens"))
    expect(opens).to_contain_text("80")
    expect(opens).to_contain_text("+100%")
    page.locator(".u-over").hover()
    tip = page.locator(".plot-tip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("Unique opens")
    expect(tip.locator(".before")).to_have_count(1)
    page.get_by_label("Compare with").select_option("none")
    page.wait_for_url("**compare=none**")
    page.locator(".u-over").hover()
    expect(page.locator(".plot-tip .tip-row")).to_have_count(1)
    page.get_by_label("Figure").get_by_role("link", name=re.compile("Revenue")).click()
    page.wait_for_url("**show=revenue**")
    expect(page.get_by_role("heading", name=re.compile("Revenue by day"))).to_be_visible()
    row = page.get_by_role("row", name=re.compile("Left behind"))
    expect(row).to_contain_text("€100.00")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Save this view").click()
    page.get_by_label("Title").fill("Revenue of the week")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("Revenue of the week was saved")).to_be_visible()
    page.get_by_role("row", name=re.compile("Left behind")).get_by_role("link", name=re.compile("orders")).click()
    page.wait_for_url("**/dashboard/conversions?**block=hero**")
    expect(page.locator(".credited > li")).to_have_count(4)
    expect(page.locator(".credited")).to_contain_text("O-30")
    page.goto(f"{server.address}/dashboard/reports")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("link", name="Revenue of the week").click()
    page.wait_for_url("**show=revenue**")
    assert "range=7d" in page.url
    assert "compare=none" in page.url


@pytest.mark.parametrize("page", [390, 1280], indirect=True)
def test_the_chart_is_read_and_followed_by_keys_alone(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/dashboard/reports?range=7d")
    page.locator(".u-over").wait_for()
    chart = page.locator(".plot")
    for _ in range(80):
        page.keyboard.press("Tab")
        if chart.evaluate("element => element === document.activeElement"):
            break
    assert chart.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
    said = chart.get_by_role("status")
    page.keyboard.press("End")
    last = said.inner_text()
    assert re.fullmatch(r".+ 20\d\d\. .+: [\d.,]+; Unique opens: [\d.,]+", last) or "Unique opens" in last
    page.keyboard.press("ArrowLeft")
    assert said.inner_text() != last
    page.keyboard.press("Home")
    first = page.locator(".tip-title").inner_text()
    assert first != ""
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/opens?**")
    day = re.search(r"from=([\d-]+)&to=([\d-]+)", page.url)
    assert day is not None
    assert day[1] == day[2]


def test_dates_that_make_no_range_are_said_at_their_field(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/dashboard/reports?range=custom&from=2026-11-20&to=2026-11-10")
    problem = page.locator("#range-problem")
    expect(problem).to_contain_text("It is after the last day")
    field = page.locator('input[name="from"]')
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("2026-11-01")
    page.locator('input[name="to"]').fill("2026-11-10")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**from=2026-11-01**")
    expect(page.locator("main")).to_contain_text("10 Nov 2026")
    page.get_by_role("link", name="Table").click()
    expect(page.get_by_role("rowheader", name="2026-11-05")).to_be_visible()
