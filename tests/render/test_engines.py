"""One suite for every engine: whatever draws, a scene comes out as what it says."""

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec.structs import replace

from tests.gallery import program
from tests.render.renderer import Album, near, photo, plain, seen
from wetink.core.errors import BadContent, BadSettings
from wetink.ports import Comparison, Picture, Scene
from wetink.render import Renderer, browser
from wetink.render import chromium as browsers
from wetink.render.page import BROWSER, DEFAULT, ENGINES, named

URL = "https://cdn.example/a.jpg?w=1&h=2"


class Drawer:
    """A studio with a browser, in a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.album = Album({URL: photo("#008000")})
        self.browser = browser(program(folder), folder / "browser")
        self.studio = Renderer(self.album, browser=self.browser)

    def draw(self, it: Scene, engine: str) -> Picture:
        return self.runner.run(self.studio.render(replace(it, engine=engine)))

    def compare(self, it: Scene) -> Comparison | None:
        return self.runner.run(self.studio.compare(it))

    def close(self) -> None:
        self.runner.run(self.browser.close())
        self.studio.close()
        self.runner.close()


@pytest.fixture(scope="module")
def drawer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawer]:
    made = Drawer(tmp_path_factory.mktemp("engines"))
    yield made
    made.close()


def running() -> list[psutil.Process]:
    """Return the processes of browsers that this process started."""
    found = psutil.Process().children(recursive=True)
    return [each for each in found if each.name() == "chromium" and each.status() != psutil.STATUS_ZOMBIE]


def pixel(picture: Picture, x: int, y: int) -> Any:
    return seen(picture).getpixel((x, y))


HALF = '<div style="width: 50px; height: 50px; background-color: {{ color }}"></div>'


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_box_lies_where_it_is_put_at_every_scale(drawer: Drawer, engine: str, scale: int) -> None:
    picture = drawer.draw(plain(HALF, data={"color": "#0000ff"}, scale=scale), engine)
    assert (picture.content_type, seen(picture).size) == ("image/jpeg", (100 * scale, 50 * scale))
    assert near(pixel(picture, 45 * scale, 45 * scale), (0, 0, 254))
    assert near(pixel(picture, 55 * scale, 45 * scale), (255, 255, 255))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_box_is_as_wide_as_it_says_with_its_border_and_padding(drawer: Drawer, engine: str) -> None:
    box = "width: 50px; height: 20px; padding: 10px; border: 5px solid #0000ff; background-color: #0000ff"
    picture = drawer.draw(plain(f'<div style="{box}"></div>'), engine)
    assert near(pixel(picture, 90, 20), (0, 0, 254))
    assert near(pixel(picture, 110, 20), (255, 255, 255))


@pytest.mark.parametrize("engine", ENGINES)
def test_transparent_pixels_stay_transparent(drawer: Drawer, engine: str) -> None:
    picture = drawer.draw(plain(HALF, data={"color": "#ff0000"}, transparent=True), engine)
    assert (picture.content_type, seen(picture).mode) == ("image/png", "RGBA")
    assert pixel(picture, 50, 50) == (255, 0, 0, 255)
    assert pixel(picture, 150, 50)[3] == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_photos_and_their_placeholders_are_drawn(drawer: Drawer, engine: str) -> None:
    template = '<img src="{{ url }}" width="100" height="50" style="display: block; object-fit: cover">'
    assert near(pixel(drawer.draw(plain(template, data={"url": URL}, photos=(URL,)), engine), 9, 9), (0, 128, 0))
    for scheme, color in (("light", (0xEC, 0xEE, 0xF1)), ("dark", (0x2C, 0x30, 0x3A))):
        missing = plain(template, data={"url": "https://cdn.example/none.jpg"}, scheme=scheme)
        assert near(pixel(drawer.draw(missing, engine), 5, 5), color)


@pytest.mark.parametrize("engine", ENGINES)
def test_style_sheets_and_the_scheme_are_obeyed(drawer: Drawer, engine: str) -> None:
    template = "<style>.dark .a { background-color: #000000 } .light .a { background-color: #ff0000 }</style>"
    template += '<div class="a" style="width: 100px; height: 50px"></div>'
    for scheme, color in (("light", (254, 0, 0)), ("dark", (0, 0, 0))):
        assert near(pixel(drawer.draw(plain(template, scheme=scheme), engine), 50, 50), color)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("word", ["Lamp", "Łódź", "Лампа", "Φωτιστικό", "مصباح", "מנורה", "โคม", "दीपक", "暖炉"])
def test_letters_are_drawn_and_differ(drawer: Drawer, engine: str, word: str) -> None:
    page = '<div style="font-size: 30px; line-height: 50px; font-family: Inter">{{ word }}</div>'
    drawn = {
        letters: drawer.draw(plain(page, data={"word": letters}), engine).body for letters in (word, word[::-1], "")
    }
    assert len(set(drawn.values())) == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_fetched_and_no_script_runs(drawer: Drawer, engine: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg"><rect width="99" height="99" fill="#ff0000"/></svg>')
    template = f"""<style>@import url("file://{secret}"); .b {{ background: url("file://{secret}") }}</style>
    <div class="b" style="width: 50px; height: 50px"></div><iframe src="file://{secret}"></iframe>
    <script>document.body.style.background = "#ff0000"</script>
    <div onclick="x()" style="background: url(http://127.0.0.1:1/x.png); width: 50px; height: 9px"></div>"""
    assert (255, 0, 0) not in {color for _, color in seen(drawer.draw(plain(template), engine)).getcolors(99999) or ()}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("template", ["", "  ", "words", "<b>open", "</div></div>", "<!doctype html><html><body>x"])
def test_untidy_html_is_drawn_all_the_same(drawer: Drawer, engine: str, template: str) -> None:
    assert seen(drawer.draw(plain(template), engine)).size == (200, 100)


@pytest.mark.parametrize("template", ["<div>" * 20_000, "<b>x</b>" * 2500], ids=["nested too deeply", "too many"])
def test_what_cannot_be_drawn_is_bad_content_and_the_next_is_drawn(drawer: Drawer, template: str) -> None:
    with pytest.raises(BadContent):
        drawer.draw(plain(template), DEFAULT)
    assert drawer.draw(plain("next"), DEFAULT).body


def test_the_largest_picture_there_may_be_can_be_drawn(drawer: Drawer) -> None:
    page = '<div style="width:1200px;height:1600px;background:linear-gradient(#ff0000,#0000ff)">x</div>'
    for transparent in (False, True):
        assert seen(drawer.draw(plain(page, 1200, 1600, transparent=transparent), "")).size == (2400, 3200)


def test_a_template_names_its_engine_in_its_first_words(drawer: Drawer) -> None:
    page = "<div style='columns: 2; width: 100px'>one two three four five six</div>"
    usual = drawer.draw(plain(page), "")
    asked = drawer.draw(plain("{% comment %} engine: chromium {% endcomment %}" + page), "")
    assert asked.body != usual.body
    assert asked.body == drawer.draw(plain(page), BROWSER).body
    with pytest.raises(BadContent, match="no engine called 'netscape'"):
        named("{% comment %}engine: netscape{% endcomment %}")


def test_without_a_browser_the_usual_engine_draws_what_asks_for_one() -> None:
    async def story() -> None:
        alone = Renderer(Album())
        page = plain("{% comment %} engine: chromium {% endcomment %}<b>x</b>")
        assert (await alone.render(page)).body == (await alone.render(plain("<b>x</b>"))).body
        assert await alone.compare(page) is None
        alone.close()

    asyncio.run(story())


def test_a_comparison_says_how_much_looks_different_and_where(drawer: Drawer) -> None:
    same = drawer.compare(plain('<div style="width: 60px; height: 30px; background: #3451d1">Lamp</div>'))
    assert same is not None
    assert same.share < 0.02
    apart = drawer.compare(
        plain('<div style="width: clamp(1px, 40px, 90px); height: 50px; background: #3451d1"></div>')
    )
    assert apart is not None
    assert 0.2 < apart.share < 0.9
    difference = seen(apart.difference).convert("RGB")
    assert difference.size == (200, 100)
    assert near(difference.getpixel((140, 50)), (214, 40, 57)), "red where they differ"
    assert not near(difference.getpixel((20, 50)), (214, 40, 57), 60)


def test_a_browser_that_is_ended_or_takes_too_long_is_started_anew(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert drawer.draw(plain("one"), BROWSER).body
    for each in running():
        each.kill()
    with pytest.raises(BadContent, match="browser"):
        drawer.draw(plain("two"), BROWSER)
    assert drawer.draw(plain("three"), BROWSER).body
    monkeypatch.setattr(browsers, "DRAW_SECONDS", 0.0)
    with pytest.raises(BadContent, match="too long"):
        drawer.draw(plain("four"), BROWSER)
    monkeypatch.undo()
    assert not running()
    assert drawer.draw(plain("five"), BROWSER).body


def test_a_browser_that_is_closed_leaves_no_process(tmp_path: Path) -> None:
    own = Drawer(tmp_path)
    before = running()
    assert own.draw(plain("one"), BROWSER).body
    assert len(running()) > len(before)
    own.close()
    assert running() == before


def test_a_page_cannot_lead_the_browser_to_a_local_file(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.html"
    secret.write_text('<body style="background: #ff0000">')

    def leads(delay: float, meta: str = "meta") -> bool:
        """Whether the browser was about to draw the file, or has drawn it."""
        slow = '<div style="box-shadow: 0 0 90px #000">x</div>' * 2_000  # it is still drawn when the page moves on
        page = f'<{meta} http-equiv="refresh" content="{delay};url=file://{secret}">{slow}'
        try:
            return near(pixel(drawer.draw(plain(page), BROWSER), 150, 80), (254, 0, 0), 60)
        except BadContent:
            return True

    assert not any(leads(delay) for delay in (0, 0.02, 0.08))
    assert not leads(0, "MeTa/")
    monkeypatch.setattr(browsers, "META", re.compile("(?!)"))
    assert any(leads(delay) for delay in (0.0001, 0.0201, 0.0801)), "and it would, were it let"


def test_a_page_that_eats_the_browsers_memory_is_ended_and_the_next_is_drawn(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenfold = "".join(f'<g id="a{n}">{f"""<use href="#a{n - 1}"/>""" * 10}</g>' for n in range(1, 9))
    bomb = f'<svg><defs><g id="a0"><rect width="1" height="1"/></g>{tenfold}</defs><use href="#a8"/></svg>'
    monkeypatch.setattr(browsers, "MOST_BYTES", 300 << 20)
    with pytest.raises(BadContent, match="too much memory"):
        drawer.draw(plain(bomb), BROWSER)
    assert drawer.draw(plain("next"), BROWSER).body


def test_without_playwright_the_setting_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, browsers.__name__)
    monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    with pytest.raises(BadSettings, match="Playwright") as caught:
        browser(tmp_path, tmp_path)
    assert "wetink[chromium]" in caught.value.hint


def test_a_browser_that_is_none_is_told_with_the_setting(tmp_path: Path) -> None:
    async def story() -> None:
        studio = Renderer(Album(), browser=browser(tmp_path / "nowhere", tmp_path))
        with pytest.raises(BadContent, match="no browser at") as caught:
            await studio.render(plain("x", engine=BROWSER))
        assert "chromium" in caught.value.hint
        studio.close()

    asyncio.run(story())


def test_a_browser_whose_driver_ends_at_once_is_bad_content_until_it_starts(
    drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawer.runner.run(drawer.browser.close())
    with monkeypatch.context() as broken:
        broken.setenv("PLAYWRIGHT_NODEJS_PATH", "/bin/false")
        with pytest.raises(BadContent, match="Playwright does not start"):
            drawer.draw(plain("not drawn before"), BROWSER)
    assert drawer.draw(plain("not drawn before"), BROWSER).body
