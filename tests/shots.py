"""`make shots`: every page at three widths, light and dark, in shots/, and a sheet that shows them all."""

import sys
from pathlib import Path

from PIL import Image, ImageDraw

from tests.browser import chromium
from tests.desk import MORE, desk, name_of, pages

ALL_IMAGES = """Promise.all([...document.images].map(each => {
    each.loading = 'eager';
    return each.complete || new Promise(done => { each.onload = each.onerror = done });
}))"""
"""Waits for every image of a page, those far below included."""
SIZES = {
    "phone": (390, "light"),
    "phone-dark": (390, "dark"),
    "tablet": (820, "light"),
    "desktop": (1280, "light"),
    "desktop-dark": (1280, "dark"),
}
SHEETS = ("desktop", "desktop-dark", "phone")
TILE, GAP, LABEL, ACROSS = 400, 24, 22, {"phone": 8}
"""Pixels of a picture on a sheet, between two, and of the name above one; and how many stand in a row, else four."""


def main(*only: str) -> None:
    """Start the demo in a folder that goes away, and take its pictures; `only` names pages."""
    folder = Path("shots")
    folder.mkdir(exist_ok=True)
    with desk() as running, chromium() as browser:
        named = {**{name_of(path): path for path in pages()}, **MORE}
        for size, (width, scheme) in SIZES.items():
            context = running.enter(browser, width, scheme)
            for name, path in named.items():
                if only and name not in only:
                    continue
                page = context.new_page()
                answer = page.goto(running.address + running.address_of(path, context))
                shows = answer is not None and (answer.ok or name in MORE) and "<html" in answer.text()
                if shows:
                    page.evaluate(ALL_IMAGES)
                    page.wait_for_timeout(300)
                    page.screenshot(path=folder / f"{name}-{size}.png", full_page=True)
                page.close()
            context.close()
    for size in SHEETS:
        taken = [folder / f"{name}-{size}.png" for name in named]
        sheet([path for path in taken if path.exists()], size).save(folder / f"sheet-{size}.webp", quality=82)


def sheet(files: list[Path], size: str) -> Image.Image:
    """Return one picture with the upper part of many, each with its name."""
    across = ACROSS.get(size, 4)
    wide = TILE * 4 // across
    tall = wide * (5 if across == 8 else 3) // (2 if across == 8 else 4)
    rows = -(-len(files) // across)
    whole = Image.new("RGB", (across * (wide + GAP) + GAP, rows * (tall + GAP + LABEL) + GAP), "#8a8f99")
    draw = ImageDraw.Draw(whole)
    for at, file in enumerate(files):
        left = GAP + at % across * (wide + GAP)
        top = GAP + at // across * (tall + GAP + LABEL)
        with Image.open(file) as picture:
            high = picture.width * tall // wide
            part = Image.new("RGB", (picture.width, high), picture.convert("RGB").getpixel((0, picture.height - 1)))
            part.paste(picture.crop((0, 0, picture.width, min(high, picture.height))))
            whole.paste(part.resize((wide, tall), Image.Resampling.LANCZOS), (left, top + LABEL))
        draw.text((left, top + 4), file.stem.removesuffix(f"-{size}"), fill="#fff", font_size=14)
    return whole


if __name__ == "__main__":
    main(*sys.argv[1:])
