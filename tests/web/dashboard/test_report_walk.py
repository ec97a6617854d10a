"""A walk through the results in a real browser: a range, a comparison, a value of the chart, and what is behind it."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Server
from tests.web.dashboard.browsing import fits
from wetink.core.client_classification import Facts, classify
from wetink.core.identity.identifier import Identifier
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
AUDIENCE = "title: Regular readers\nrule: [{trait: plan, equals: gold}]\n"
PHONE, GMAIL = Facts("apple-mail", "mobile"), Facts("gmail-proxy")
MUG = {"sku": "mug", "name": "The mug", "price": 25}
OPENS = (40, 20)
"""Opens of the last seven days and of the seven before, of each block."""


async def _regulars() -> AsyncIterator[list[Identifier]]:
    yield [Identifier("user", f"w0-{number}") for number in range(10)]


async def live(data: Path) -> None:
    """Two blocks opened in two weeks, with an order for every tenth open of this week's first block."""
    async with Wetink(read({}, data=data), draws=False) as wetink:
        await wetink.store.sources.create_key("shop", "server", ("shop.example",), 1)
        await wetink.look_again()
        now, messages = now_ms(), []
        await wetink.store.memberships.take("regulars", _regulars(), now, lambda change, first: False)
        for week, count in enumerate(OPENS):
            for number in range(count):
                at = now - week * 7 * DAY - (number % 6) * DAY - 2 * HOUR
                for block in ("hero", "cards"):
                    who = f"user:w{week}-{number}"
                    facts = PHONE if number % 2 else GMAIL
                    seen = Touch("open", block, who, "may", at - 1, "seen", classify(facts).kind, facts)
                    await wetink.store.ledger.record(seen)
                    if block == "hero" and number % 10 == 0 and not week:
                        await wetink.store.ledger.record(Touch("click", block, who, "may", at, "seen"))
                        told = {"order_id": f"O-{number}", "total": 25, "currency": "EUR", "products": [MUG]}
                        order = {"type": "track", "event": "Order Completed", "messageId": f"m{number}"}
                        order |= {"userId": f"w{week}-{number}", "timestamp": at + 1, "properties": told}
                        messages.append(order)
        for number in range(3):
            who = f"user:old-{number}"
            await wetink.store.ledger.record(Touch("open", "then", who, "may", now - 20 * DAY, "seen", "person", PHONE))
        [sender] = await wetink.store.sources.all()
        await wetink.ingest.receive(msgspec.json.encode({"batch": messages}), sender, BATCH, now)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("results") / "data"
    blocks = data / "content" / "blocks"
    blocks.mkdir(parents=True)
    for name, title in (("hero", "Left behind"), ("cards", "Three cards")):
        (blocks / f"{name}.yaml").write_text(BLOCK.format(title=title))
    (blocks / "now.yaml").write_text("aliases: [then]\n" + BLOCK.format(title="Now called so").lstrip())
    (data / "content" / "audiences").mkdir()
    (data / "content" / "audiences" / "regulars.yaml").write_text(AUDIENCE)
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
def test_devices_and_audiences_lead_to_the_opens_and_orders_behind_them(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/dashboard/reports?range=7d")
    page.get_by_label("Break down by").select_option("device")
    page.wait_for_url("**by=device**")
    phone = page.get_by_role("row", name=re.compile("Phone"))
    expect(page.get_by_role("row", name=re.compile("Gmail proxy"))).to_contain_text("40")
    phone.get_by_role("link", name="40 unique opens: list them").click()
    page.wait_for_url("**/dashboard/opens?**device=phone**")
    expect(page.locator("main")).to_contain_text("40 opens by people")
    page.goto(f"{server.address}/dashboard/reports?range=7d&by=audience")
    row = page.get_by_role("row", name=re.compile("Regular readers"))
    row.get_by_role("link", name="1 orders: list them").click()
    page.wait_for_url("**/dashboard/conversions?**audience=regulars**")
    expect(page.locator(".credited > li")).to_have_count(1)
    page.goto(f"{server.address}/dashboard/reports?range=7d&by=audience")
    page.get_by_role("link", name="Regular readers").click()
    page.wait_for_url("**audience=regulars**")
    expect(page.get_by_label("Filters")).to_contain_text("Regular readers")
    expect(page.get_by_label("Figure").get_by_role("link", name=re.compile("Unique opens"))).to_contain_text("20")


def test_a_weekday_leads_to_its_opens_and_orders(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/dashboard/reports?range=14d&by=weekday")
    row = page.locator("table.report tbody tr").first
    day, opens = row.locator("th").inner_text(), row.get_by_role("link", name=re.compile("unique opens"))
    count = int(opens.inner_text())
    opens.click()
    page.wait_for_url(f"**/dashboard/opens?**weekday={day}**")
    expect(page.get_by_label("Filters")).to_contain_text(day)
    expect(page.locator("main")).to_contain_text(f"{count} opens by people")
    assert page.locator(".shown > li").count() == min(count, 60)


def test_opens_of_an_earlier_name_count_for_the_renamed_block(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/dashboard/reports?range=28d")
    row = page.get_by_role("row", name=re.compile("Now called so"))
    row.get_by_role("link", name="3 unique opens: list them").click()
    page.wait_for_url("**/dashboard/opens?**block=now**")
    expect(page.locator(".shown > li")).to_have_count(3)
    expect(page.locator(".shown").first).to_contain_text("Now called so")


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
