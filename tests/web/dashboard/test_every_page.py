"""Every page of the dashboard: nothing that axe finds, in both schemes at three widths; light, and open to keys."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response

from tests.browser import ROOT
from tests.desk import MORE, Desk, desk, name_of, pages

AXE = (ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js").read_text()
WIDTHS = (360, 820, 1280)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LIGHT_KB = 150
"""Largest page with its styles, scripts and fonts, compressed, in KB. Pictures do not count."""

AFTER = ("/static/built/template-code.js",)
"""Scripts that load after the page, which does without them until then."""

RUN = """([exclude, given]) => axe.run({exclude}, given).then(({violations}) => violations.map(
    ({id, help, nodes}) => `${id}: ${help}: ` + nodes.slice(0, 3).map(
        node => node.target.join(' ') + ' ' + (node.any[0]?.message ?? '')).join(' | ')))"""
REACHED = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const style = getComputedStyle(at), around = at.closest('label, .cm-editor') ?? at;
    const seen = style.outlineStyle !== 'none' || style.boxShadow !== 'none'
        || getComputedStyle(around).outlineStyle !== 'none' || at.matches('dialog#search input');
    window.walk ??= new Map();
    if (!window.walk.has(at)) window.walk.set(at, window.walk.size);
    const holds = (at.closest('.cm-editor') !== null) + at.matches('.cm-content');
    return {number: window.walk.get(at), seen, holds, is: at.outerHTML.slice(0, 160)};
}"""
MISSED = """(place) => [...document.querySelector(place).querySelectorAll(
    'a[href], button, input, select, textarea, summary')].filter(each => {
    if (window.walk?.has(each) || each.matches(':disabled') || each.tabIndex < 0) return false;
    if (!each.checkVisibility({visibilityProperty: true})) return false;
    if (each.closest('[inert], dialog:not([open]), [popover]:not(:popover-open), [aria-hidden=true]')) return false;
    if (each.type === 'radio') return ![...document.getElementsByName(each.name)].some(one => window.walk?.has(one));
    return true;
}).map(each => each.outerHTML.slice(0, 160))"""
UNEXPLAINED = """(except) => [...document.querySelectorAll('main :is(input, select, textarea)')].filter(each => {
    if (each.disabled || each.readOnly || each.type === 'hidden' || each.matches(except)) return false;
    const ids = (each.getAttribute('aria-describedby') ?? '').split(' ').filter(id => id && !id.startsWith('wrong-'));
    const words = ids.map(id => document.getElementById(id)?.textContent.trim()).join('');
    const beside = each.closest('.control')?.querySelector('.hint-text')
        ?? each.closest('label')?.querySelector('.soft');
    return !(each.labels?.length || each.ariaLabel) || !(words || each.placeholder || each.title || beside);
}).map(each => `${each.name}: ${each.labels?.[0]?.textContent.trim() ?? each.ariaLabel}`)"""
PLAIN = {
    "[type=search], form[method=get] *, [hx-get] *, [hx-get]": "a search or a filter: its result shows at once",
    "[type=password], [autocomplete~=username]": "everybody knows what belongs there",
    "[type=checkbox], [type=radio], [type=file]": "the label is the sentence",
    "[name*='rule.']": "a rule reads as a sentence",
    ".looks *, .template-controls *, .what-if *": "the preview beside it shows at once what it does",
}
"""Fields without a hint or an example, by the reason."""
UNSTICK = """() => {
    for (const each of document.querySelectorAll('main *')) {
        const {position, overflowY} = getComputedStyle(each);
        if (position === 'sticky') each.style.position = 'static';
        if (overflowY === 'auto') each.style.maxHeight = 'none';
    }
}"""
"""Things that stick to an edge or scroll by themselves cover or cut others only until one scrolls."""

MOST_KEYS = 400

FRAME = [[".skip"], [".side"], [".topbar"], ["dialog#search"]]
"""What all pages have: one of them is looked at with it."""


@pytest.fixture(scope="module")
def running() -> Iterator[Desk]:
    with desk() as found:
        yield found


@pytest.fixture(scope="module")
def context(running: Desk, chromium: Browser) -> Iterator[BrowserContext]:
    context = running.enter(chromium, WIDTHS[-1])
    context.add_init_script(AXE)
    yield context
    context.close()


NAMED = {**{name_of(path): path for path in pages()}, **MORE}


@pytest.mark.parametrize("name", NAMED)
def test_a_page_is_open_to_everybody(running: Desk, context: BrowserContext, name: str) -> None:
    page = context.new_page()
    try:
        said, answers = list[str](), list[Response]()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("response", lambda answer: answers.append(answer))
        address = running.address_of(NAMED[name], context)
        assert "{" not in address, f"give {address} an example in tests/desk.py"
        answer = page.goto(running.address + address)
        assert answer is not None
        if "<html" not in answer.text():  # a part of a page
            return
        assert answer.status < 500
        page.wait_for_load_state("networkidle")
        own = [each for each in answers if each.request.resource_type != "image"]
        assert [each.url for each in own[1:] if each.status >= 400] == []
        assert [each for each in said if "the server responded with a status of 4" not in each] == []
        weigh(answers)
        if name != "components":
            assert page.evaluate(UNEXPLAINED, ", ".join(PLAIN)) == [], "give each a label, and a hint or an example"
        walk(page, whole=name == "home")
        problems = [each for width in WIDTHS for each in look(page, width, whole=name == "home")]
        assert problems == [], "\n".join(problems)
    finally:
        page.close()


def look(page: Page, width: int, *, whole: bool) -> Iterator[str]:
    """Yield what is wrong at a width, in both schemes; with `whole`, in the frame as well."""
    page.evaluate(UNSTICK)
    page.evaluate("document.activeElement.blur()")  # or else the link to the page lies over its top
    page.evaluate("scrollTo(0, 0)")  # or else the head lies over whatever is there
    page.set_viewport_size({"width": width, "height": 900})
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if over > 0:
        yield f"{width}px: the page is {over} px wider than the screen"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        only: dict[str, Any] = (
            {"type": "tag", "values": TAGS} if scheme == "light" else {"type": "rule", "values": ["color-contrast"]}
        )
        for each in page.evaluate(RUN, [[] if whole else FRAME, {"runOnly": only, "resultTypes": ["violations"]}]):
            yield f"{width}px {scheme}: {each}"


def walk(page: Page, *, whole: bool) -> None:
    """Press Tab through a page: it reaches everything that can be used, shows where it is, and is held nowhere."""
    if not whole:
        page.evaluate("document.querySelector('main').setAttribute('tabindex', '-1')")
        page.locator("main").focus()
    reached, hidden = 0, list[str]()
    if whole:
        page.evaluate(REACHED)
    for _ in range(MOST_KEYS):
        page.keyboard.press("Tab")
        at = page.evaluate(REACHED)
        if at is None or at["number"] < reached:
            break
        for _ in range(at["holds"]):  # an editor of code takes the Tab key until Escape, as its help says
            page.keyboard.press("Escape")
        reached = at["number"]
        if not at["seen"]:
            page.wait_for_timeout(100)  # an editor of code shows it a moment later
            hidden += [each["is"] for each in [page.evaluate(REACHED)] if not each["seen"]]
    else:
        raise AssertionError(f"{MOST_KEYS} times Tab do not lead through the page")
    assert hidden == [], "nobody sees that these have the focus"
    assert page.evaluate(MISSED, "body" if whole else "main") == [], "no key leads to these"


def weigh(answers: list[Response]) -> None:
    """Add up what the page's own files weigh."""
    sizes = dict[str, int]()
    for answer in answers:
        kind, path = answer.request.resource_type, answer.url.partition("?")[0]
        if 300 <= answer.status < 400:
            continue
        if kind in ("document", "stylesheet", "font") or (kind == "script" and not path.endswith(AFTER)):
            body = answer.body()
            sizes[path] = len(body) if kind == "font" else len(gzip.compress(body))
    assert sum(sizes.values()) <= LIGHT_KB * 1024, sizes
