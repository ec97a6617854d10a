"""Media in a real browser: files dropped on the page, with what is said about each at its line."""

from base64 import b64encode

from playwright.sync_api import Browser, Page, expect

from tests.serving import Server
from tests.web.dashboard import files
from tests.web.dashboard.browsing import fits, signed_in

DROP = """([name, type, body]) => {
    const bytes = Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type }));
    for (const kind of ["dragenter", "dragover", "drop"]) {
        const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer });
        document.getElementById("page").dispatchEvent(event);
    }
}"""


def entered(server: Server, chromium: Browser, width: int) -> Page:
    page = signed_in(server, chromium, width)
    page.goto(f"{server.address}/dashboard/media")
    return page


def drop(page: Page, name: str, body: bytes, kind: str = "image/jpeg") -> None:
    page.evaluate(DROP, [name, kind, b64encode(body).decode()])


def test_files_are_dropped_on_the_page_and_each_says_how_it_went(server: Server, chromium: Browser) -> None:
    page = entered(server, chromium, 1280)
    lines, grid = page.locator(".uploads > li"), page.locator(".media-grid")
    drop(page, "Summer.JPG", files.photo(exif=files.exif()))
    expect(lines.first).to_contain_text("Saved as summer.jpg")
    expect(grid).to_contain_text("summer.jpg")
    drop(page, "drawing.svg", b"<svg/>", "image/svg+xml")
    expect(lines.first).to_contain_text("This is an SVG drawing, which mail clients do not show: export it as PNG.")
    drop(page, "summer.jpg", files.photo(90, 30))
    expect(lines.first).to_contain_text("There is already a file called summer.jpg.")
    page.get_by_role("button", name="Keep both").click()
    expect(lines.first).to_contain_text("Saved as summer-2.jpg (90 \u00d7 30")
    drop(page, "wall.jpg", files.noise(4_500, 900, quality=30))
    expect(lines.first).to_contain_text("4,500 \u00d7 900 pixels")
    page.get_by_role("button", name="Scale it down").click()
    expect(lines.first).to_contain_text("Saved as wall.jpg (2,400 \u00d7 480")
    drop(page, "Acme.ttf", files.font(), "font/ttf")
    expect(lines.first).to_contain_text("Saved as acme.ttf")
    page.get_by_role("link", name="Fonts").click()
    expect(grid).to_contain_text("Acme Sans")
    expect(grid.locator("img").first).not_to_have_js_property("naturalWidth", 0)
    page.context.close()


def test_a_lost_connection_and_an_ended_session_lose_no_file(server: Server, chromium: Browser) -> None:
    page = entered(server, chromium, 390)
    line = page.locator(".uploads > li").first
    page.context.set_offline(True)
    drop(page, "boat.jpg", files.photo())
    expect(line).to_contain_text("The connection was lost. Nothing was saved.")
    page.context.set_offline(False)
    kept = page.context.cookies()
    page.context.clear_cookies()
    page.get_by_role("button", name="Try again").click()
    expect(line).to_contain_text("Your session has ended.")
    fits(page)
    page.context.add_cookies(kept)  # type: ignore[arg-type]
    page.get_by_role("button", name="Try again").click()
    expect(line).to_contain_text("Saved as boat.jpg")
    page.context.close()


def test_a_picture_is_renamed_replaced_and_deleted_with_keys_alone(server: Server, chromium: Browser) -> None:
    page = entered(server, chromium, 390)
    drop(page, "old.png", files.png(), "image/png")
    page.get_by_role("link", name="old.png").press("Enter")
    page.wait_for_url("**/images/old.png")
    name = page.get_by_role("textbox", name="Name")
    name.press("Control+A")
    page.keyboard.type("new")
    page.keyboard.press("Enter")
    page.wait_for_url("**/images/new.png")
    fits(page)
    page.locator("#upload-file").set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": files.photo()})
    expect(page.locator(".traits")).to_contain_text("60 \u00d7 40")
    page.get_by_role("button", name="Delete new.png").press("Enter")
    page.wait_for_url("**/dashboard/media?kind=images")
    expect(page.locator("#files")).not_to_contain_text("new.png")
    page.context.close()
