"""The template editor in a real browser: typed, completed, marked, drawn, saved and published; by mouse and by keys."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.serving import Server
from tests.web.dashboard.browsing import fits

READ_MS = 200
"""The editor takes Enter for a line break until a list of completions could be read."""
SOON_MS = 3_000
"""A busy machine is given this long for what takes half a second."""


def entered(server: Server, chromium: Browser, path: str, width: int = 1280, **more: bool) -> Page:
    page = chromium.new_context(viewport={"width": width, "height": 900}, **more).new_page()  # type: ignore[arg-type]
    page.goto(server.sign_in)
    page.goto(f"{server.address}/dashboard/templates{path}")
    return page


def write(page: Page, text: str) -> None:
    """Replace the text of the open file by what is typed, without the brackets that the editor closes."""
    code = page.locator(".cm-content:visible")
    code.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def test_a_template_is_made_written_and_published_by_mouse(server: Server, chromium: Browser) -> None:
    page = entered(server, chromium, "")
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.get_by_label("Name", exact=True).fill("Spring sale")
    page.get_by_role("button", name="Create template").click()
    page.wait_for_url("**/dashboard/templates/spring-sale")
    picture = page.locator("#picture")
    expect(picture).to_have_attribute("src", re.compile("^data:image/"), timeout=10_000)
    before = picture.get_attribute("src") or ""
    write(page, "<p>{{ person.")
    page.keyboard.type("tra")
    options = page.locator(".cm-tooltip-autocomplete li")
    expect(options.first).to_contain_text("traits")
    page.wait_for_timeout(READ_MS)
    page.keyboard.press("Enter")
    page.keyboard.type(".first")
    expect(options.first).to_contain_text("firstName")
    page.wait_for_timeout(READ_MS)
    page.keyboard.press("Enter")
    page.keyboard.insert_text(" | upcas }}</p>")
    problem = page.locator("#problems li")
    expect(problem).to_contain_text("There is no filter called upcas; did you mean upcase?", timeout=SOON_MS)
    expect(page.locator(".cm-lintRange-error")).to_have_text("upcas")
    expect(page.locator("#picture-note")).to_contain_text("Correct the mistakes")
    write(page, "<p>{{ person.traits.firstName | upcase }}</p>")
    expect(problem).to_have_count(0, timeout=SOON_MS)
    expect(picture).not_to_have_attribute("src", before)
    second = picture.get_attribute("src") or ""
    page.locator("#template-form").get_by_text("Dark", exact=True).click()
    page.get_by_label("Height").fill("120")
    expect(picture).not_to_have_attribute("src", second, timeout=SOON_MS)
    expect(page.locator("#state")).to_contain_text("Draft saved", timeout=SOON_MS)
    page.get_by_role("link", name="Review and publish").click()
    page.get_by_role("button", name=re.compile("^Publish")).click()
    page.goto(f"{server.address}/dashboard/templates/spring-sale")
    expect(page.locator("#state")).to_have_text("Published")
    assert refused == [], "the policy of the page allows all of it"
    page.context.close()


def test_the_settings_of_a_template_are_edited_beside_it(server: Server, chromium: Browser) -> None:
    page = entered(server, chromium, "")
    page.get_by_label("Name", exact=True).fill("Notice")
    page.get_by_role("button", name="Create template").click()
    page.wait_for_url("**/dashboard/templates/notice")
    page.get_by_role("button", name="Settings (notice.yaml)").click()
    write(page, "title: Notice\nsettings:\n  tone: {type: strong}\n")
    expect(page.locator("#problems li.error")).to_contain_text("Settings, line 3", timeout=SOON_MS)
    write(page, "title: Notice\nsettings:\n  tone: {enum: [calm, loud]}\n")
    tone = page.get_by_label("Tone")
    expect(tone).to_be_visible(timeout=SOON_MS)
    page.get_by_role("button", name="notice.liquid", exact=True).click()
    write(page, "{% if settings.tone == 'loud' %}<h1>LOUD</h1>{% endif %}<p>{{ settings.tonne }}</p>")
    warning = page.locator("#problems li.warning").filter(has_text="settings has no tonne")
    expect(warning).to_contain_text("did you mean tone?", timeout=SOON_MS)
    picture = page.locator("#picture")
    calm = picture.get_attribute("src") or ""
    tone.select_option("loud")
    expect(picture).not_to_have_attribute("src", calm, timeout=SOON_MS)
    page.context.close()


def test_two_tabs_and_an_ended_session_lose_no_text(server: Server, chromium: Browser) -> None:
    first = entered(server, chromium, "/hello")
    second = first.context.new_page()
    second.goto(f"{server.address}/dashboard/templates/hello")
    write(first, "<p>first</p>")
    expect(first.locator("#state")).to_contain_text("Draft saved", timeout=SOON_MS)
    write(second, "<p>second</p>")
    trouble = second.locator("#trouble")
    expect(trouble).to_contain_text("Your text is not saved yet.", timeout=SOON_MS)
    second.get_by_role("button", name="Replace theirs with mine").click()
    expect(second.locator("#state")).to_contain_text("Draft saved", timeout=SOON_MS)
    kept = second.context.cookies()
    second.context.clear_cookies()
    write(second, "<p>third</p>")
    expect(trouble).to_contain_text("Your session has ended.", timeout=SOON_MS)
    second.context.add_cookies(kept)  # type: ignore[arg-type]
    second.keyboard.press("Control+S")
    expect(second.locator("#state")).to_contain_text("Draft saved", timeout=SOON_MS)
    second.reload()
    expect(second.locator(".cm-content").first).to_contain_text("third")
    first.context.close()


def test_keys_alone_reach_the_editor_and_leave_it_on_a_phone(server: Server, chromium: Browser) -> None:
    page = entered(server, chromium, "/picks", 390)
    code = page.locator(".cm-content").first
    expect(code).to_have_attribute("aria-label", "Template")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('cm-content')"):
            break
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('cm-content')"), "Tab indents"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.classList.contains('cm-content')"), "Escape, then Tab leaves"
    fits(page)
    page.context.close()


def test_without_scripts_a_template_is_edited_in_a_plain_form(server: Server, chromium: Browser) -> None:
    page = entered(server, chromium, "/picks", 390, java_script_enabled=False)
    page.get_by_role("textbox", name="Template").fill("<p>{{ a | }}</p>")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#problems li.error")).to_contain_text("something is missing")
    page.get_by_role("textbox", name="Template").fill("<p>Plain</p>")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#problems li")).to_have_count(0)
    expect(page.get_by_role("link", name="Review and publish")).to_be_visible()
    page.context.close()
