"""Fonts of the shop's own: used by their family's name, and told of when they cannot be read."""

import asyncio
from pathlib import Path

import wetink
from tests.render.renderer import Album, plain
from wetink.apps import load
from wetink.content import content as contents
from wetink.content.tree import read_tree
from wetink.render import Renderer
from wetink.render.takumi import Takumi

SCRIPTS = Path(wetink.__file__).parents[1] / "node_modules" / "@fontsource"
OWN = (SCRIPTS / "noto-sans-jp" / "files" / "noto-sans-jp-latin-700-normal.woff2").read_bytes()
"""Latin letters that no font of ours has the name of."""

PAGE = '<div style="font-size: 30px; font-family: {{ family }}">Warm lamp</div>'


def test_a_font_of_ones_own_draws_what_names_its_family() -> None:
    engine = Takumi()
    before = set(engine.families)
    assert engine.use({"own.woff2": OWN}) == []
    [family] = set(engine.families) - before
    renderer = Renderer(Album())
    plainly = asyncio.run(renderer.render(plain(PAGE, 200, 60, data={"family": f"'{family}'"}))).body
    assert asyncio.run(renderer.use({"own.woff2": OWN})) == []
    theirs = asyncio.run(renderer.render(plain(PAGE, 200, 60, data={"family": f"'{family}'"}))).body
    assert theirs != plainly, "what was drawn without it is not given again"
    assert asyncio.run(renderer.use({})) == []
    assert asyncio.run(renderer.render(plain(PAGE, 200, 60, data={"family": f"'{family}'"}))).body == plainly
    renderer.close()


def test_a_broken_font_is_told_and_the_others_go_on() -> None:
    engine = Takumi()
    [problem] = engine.use({"broken.woff2": b"wOF2 but not really", "own.woff2": OWN})
    assert problem.startswith("fonts/broken.woff2: it cannot be read")
    assert engine.draw("<b>Lamp</b>", (), {}, 100, 50, 1).shape == (50, 100, 4)


def test_the_content_folder_takes_fonts_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "fonts"
    place.mkdir()
    (place / "own.woff2").write_bytes(OWN)
    (place / "named.ttf").write_bytes(OWN)
    (place / "notes.txt").write_text("x")
    found = contents.load(read_tree(tmp_path), load())
    assert list(found.fonts) == ["own.woff2"]
    assert found.problems == (
        "fonts/named.ttf: this is not a .ttf font",
        "fonts/notes.txt: fonts are WOFF2, TTF or OTF",
    )
