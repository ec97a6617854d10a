"""`make gallery`: every app in every script, ours beside Chromium's and where they differ, as sheets to look at.

    python -m tests.gallery [FOLDER] [SCRIPT...]

It ends with 1 when any picture looks more different than it may.
"""

import asyncio
import io
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from msgspec.structs import replace
from PIL import Image, ImageDraw

from tests.browser import CHROMIUM, environment
from wetink.apps import load, template_of
from wetink.core.app.app import App
from wetink.core.profile.person import Moment
from wetink.feeds.photos import WithSamples
from wetink.opens.audit import sample_scene
from wetink.ports import Comparison, Scene
from wetink.render import Renderer, browser

NOW = 1_800_000_000_000
"""A Friday morning in January."""
MOST = 0.05
"""Share of a picture that may look different from Chromium's: letters that are a hair wider, and move what follows."""
APPS = {name: app for name, app in load().items() if app.template}
SCRIPTS = {
    "latin": "",
    "cyrillic": "Тёплая лампа", "greek": "Ζεστό φωτιστικό", "arabic": "مصباح دافئ", "hebrew": "מנורה חמה",
    "thai": "โคมไฟอบอุ่น", "devanagari": "गर्म दीपक",
    "japanese": "暖かいランプ", "korean": "따뜻한 램프", "chinese": "温暖的台灯",
    "emoji": "Lamp 💡🎁",
}  # fmt: skip
"""The same lamp, in letters of the world; in Latin all is as the sample says."""


class NoPhotos:
    """What the sample shop does not have, nobody has."""

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        return None

    def at_hand(self, url: str) -> bytes | None:
        return None

    def warm(self, url: str) -> None:
        """There is nothing to fetch."""


def scene(app: App, scheme: str = "light", script: str = "latin", **more: Any) -> Scene:
    """Return what an app shows the sample shopper, with everything called so in a script."""
    one = sample_scene(app, template_of(app), Moment(NOW, scheme=scheme), **more)
    return replace(one, data=said_in(one.data, SCRIPTS[script])) if SCRIPTS[script] else one


def said_in(value: Any, words: str) -> Any:
    """Return a template's data with every product and person called so."""
    if isinstance(value, dict):
        return {
            key: words if key in ("name", "firstName", "title", "text") and isinstance(each, str) and each
            else said_in(each, words)
            for key, each in value.items()
        }  # fmt: skip
    return [said_in(each, words) for each in value] if isinstance(value, list | tuple) else value


def program(folder: Path) -> Path:
    """Return a program that is the tests' Chromium with its libraries."""
    script = folder / "chromium.sh"
    known = "\n".join(f'export {name}="{environment()[name]}"' for name in ("LD_LIBRARY_PATH", "FONTCONFIG_FILE"))
    script.write_text(f'#!/bin/sh\n{known}\nexec "{CHROMIUM / "chromium"}" "$@"\n')
    script.chmod(0o755)
    return script


class Beside:
    """A studio with a browser, in a loop of its own."""

    def __init__(self) -> None:
        self._place = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        folder = Path(self._place.name)
        self._runner = asyncio.Runner()
        self._browser = browser(program(folder), folder / "browser")
        self._studio = Renderer(WithSamples(NoPhotos()), browser=self._browser)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._runner.run(self._browser.close())
        self._studio.close()
        self._runner.close()
        self._place.cleanup()

    def compare(self, it: Scene) -> Comparison:
        found = self._runner.run(self._studio.compare(it))
        assert found is not None
        return found


def sheet(found: Iterable[tuple[str, Comparison]]) -> Image.Image:
    """Return a row for each app: ours, Chromium's, and where they differ."""
    rows = list(found)
    drawn = Image.new("RGB", (3 * 400, len(rows) * 216), "white")
    pen = ImageDraw.Draw(drawn)
    for number, (name, each) in enumerate(rows):
        pen.text((4, number * 216 + 2), f"{name}: {each.share:.1%} looks different", fill="black")
        for column, picture in enumerate((each.ours, each.theirs, each.difference)):
            with Image.open(io.BytesIO(picture.body)) as image:
                drawn.paste(image.convert("RGB").resize((400, 200)), (column * 400, number * 216 + 16))
    return drawn


def main() -> None:
    """Draw them all."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "gallery")
    folder.mkdir(exist_ok=True)
    wrong = []
    with Beside() as beside:
        for script in sys.argv[2:] or SCRIPTS:
            found = [(name, beside.compare(scene(app, script=script))) for name, app in APPS.items()]
            sheet(found).save(folder / f"{script}.png")
            worst = max(found, key=lambda each: each[1].share)
            sys.stdout.write(f"{script}: at most {worst[1].share:.1%} looks different ({worst[0]})\n")
            wrong += [f"{name} in {script}: {each.share:.1%}" for name, each in found if each.share > MOST]
    sys.stdout.write("".join(f"  {each}\n" for each in wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
