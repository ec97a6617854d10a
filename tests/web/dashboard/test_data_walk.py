"""Data by mouse and by keys, in a real browser: a feed from an address to its first items, and one from a file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.feeds.outside import Outside, outside, sends
from tests.serving import Server
from tests.web.dashboard.browsing import fits, signed_in, tab_to

GOODS = [
    {
        "code": f"TW-{number}",
        "title": f"Mug {number}",
        "price": {"amount": f"{number}.50", "currency": "EUR"},
        "page": f"https://shop.example/{number}",
    }
    for number in range(1, 30)
]
STORES = "Filiale;Breite;Länge;Zeiten\nHamburg;53.55;10.00;mon-sat 10:00-20:00\nBerlin;52.52;13.40;always\n"


@pytest.fixture(scope="module")
def there() -> Iterator[Outside]:
    with outside() as made:
        made.reply = sends(json.dumps({"data": {"products": GOODS}}).encode())
        yield made


@pytest.fixture(scope="module")
def server(data: Path, there: Outside) -> Iterator[Server]:
    with Server(data, workers=1, settings={"private_hosts": there.host}) as running:
        yield running


def test_a_feed_is_made_by_mouse_from_its_payload(server: Server, chromium: Browser, there: Outside) -> None:
    page = signed_in(server, chromium)
    page.goto(f"{server.address}/dashboard/feeds")
    page.click("text=From an address")
    page.fill("[name=title]", "Shop products")
    page.select_option("[name=contents]", "catalog")
    page.fill("[name=url]", f"http://{there.host}/goods.json")
    page.click("text=Fetch a sample")
    price = page.locator("#field-price")
    expect(price).to_have_value("price.amount")
    expect(page.locator("#field-url")).to_have_value("page")
    expect(page.locator(".first-items tbody tr").first).to_contain_text("TW-1")
    page.select_option("#field-sku", "title")
    expect(page.locator(".first-items tbody tr").first).not_to_contain_text("TW-1")
    page.select_option("#field-sku", "code")
    expect(page.locator(".first-items tbody tr").first).to_contain_text("TW-1")
    page.select_option("#field-name", "price.amount")
    expect(page.locator(".first-items tbody tr").first).to_contain_text("1.50")
    page.select_option("#field-name", "title")
    expect(page.locator(".first-items tbody tr").first).to_contain_text("Mug 1")
    page.click("text=Create feed")
    page.wait_for_url("**/dashboard/feeds/shop-products")
    page.click("text=Fetch now")
    expect(page.locator("dd", has_text="29")).to_be_visible()
    expect(page.locator("svg.strip rect").first).to_be_attached()
    page.close()


def test_a_list_of_stores_is_dropped_and_its_columns_chosen_with_keys(server: Server, chromium: Browser) -> None:
    page = signed_in(server, chromium, 390)
    page.goto(f"{server.address}/dashboard/feeds/new?kind=file&contents=stores")
    tab_to(page, "title$")
    page.keyboard.type("Our stores")
    page.set_input_files("input[type=file]", {"name": "s.csv", "mimeType": "text/csv", "buffer": STORES.encode()})
    tab_to(page, "Upload$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/feeds/our-stores/edit**")
    for name, column in {"name": "Filiale", "latitude": "Breite", "longitude": "Länge", "hours": "Zeiten"}.items():
        tab_to(page, f"field.{name}$")
        page.keyboard.type(column[:3])
        page.keyboard.press("Tab")
        expect(page.locator(f"#field-{name}")).to_have_value(column)
    expect(page.locator(".noted")).to_contain_text("'always' are not opening hours")
    expect(page.locator("text=Save").last).to_be_enabled()
    fits(page)
    page.locator("button[value=save]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/feeds/our-stores")
    expect(page.locator("text=Hamburg").first).to_be_visible()
    page.close()


def test_a_file_of_products_is_dropped_and_a_product_corrected_and_hidden(server: Server, chromium: Browser) -> None:
    page = signed_in(server, chromium)
    page.goto(f"{server.address}/dashboard/catalog")
    goods = (
        "id,title,price,link\\nDR-1,Dropped mug,12 EUR,https://shop.example/1\\nDR-2,Jug,free,https://shop.example/2\\n"
    )
    dropped = page.evaluate_handle(
        f"""() => {{ const held = new DataTransfer();
        held.items.add(new File(["{goods}"], "goods.csv", {{ type: "text/csv" }})); return held; }}"""
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
    expect(page.locator("[data-drop]")).to_contain_text("goods.csv")
    page.locator("form[data-import] button").click()
    expect(page.locator("#imported")).to_contain_text("1 product imported", timeout=10_000)
    expect(page.locator("#imported")).to_contain_text("line 3")
    page.goto(f"{server.address}/dashboard/catalog/product?key=DR-1")
    page.click("text=Correct this product")
    page.fill("#fix-price", "9.90")
    page.click("text=Save corrections")
    expect(page.locator(".said-card")).to_contain_text("1 field overrides events and feeds")
    page.fill("[name=why]", "recalled")
    page.click("button:has-text('Hide')")
    expect(page.locator(".said-card")).to_contain_text("Never shown: recalled")
    page.close()


def test_a_weather_feed_is_made_and_edited_by_its_places_unit_and_schedule(
    server: Server, chromium: Browser, data: Path, there: Outside
) -> None:
    there.reply = sends(json.dumps({"current": {"temperature_2m": 50.0, "weather_code": 61}}).encode())
    page = signed_in(server, chromium, 390)
    page.goto(f"{server.address}/dashboard/feeds/new/weather")
    page.fill("[name=url]", f"http://{there.host}/forecast?apikey=k")
    page.click("text=Fetch the weather")
    expect(page.locator(".weather-now")).to_contain_text("50.0 °C rain")
    page.click("text=Create feed")
    page.wait_for_url("**/dashboard/feeds/weather")
    page.click("text=Edit")
    expect(page.locator("h1")).to_have_text("Edit Weather")
    expect(page.locator("[name=url]")).to_have_value(f"http://{there.host}/forecast?apikey=k")
    other = signed_in(server, chromium)
    other.goto(page.url)
    page.uncheck("[name='place.address']")
    page.check("[name='place.traits']")
    page.select_option("[name=unit]", "F")
    page.select_option("[name=every]", "3h")
    page.click("text=Fetch the weather")
    expect(page.locator(".weather-now")).to_contain_text("10.0 °C rain")
    page.click("button:has-text('Save')")
    page.wait_for_url("**/dashboard/feeds/weather")
    text = (data / "content" / "feeds" / "weather.yaml").read_text()
    assert "temperature_unit=fahrenheit" in text
    assert "every: 3h" in text
    assert "latitude: moment.latitude | person.traits.latitude" in text
    other.click("text=Fetch the weather")
    other.click("button:has-text('Save')")
    expect(other.locator("[role=alert]")).to_contain_text("Somebody else has changed this feed")
    assert (data / "content" / "feeds" / "weather.yaml").read_text() == text
    page.click("text=Edit")
    page.click("text=form for all feeds")
    expect(page.locator("[name='parameter.0']")).to_have_value("latitude")
    page.close()
    other.close()
