"""Specimens: an uploaded font is read, and a line of text is drawn with nothing but that font."""

import io
from html import escape
from typing import Any

import numpy as np
import pytakumi

from wetink.core.errors import BadContent
from wetink.ports.media import FontFacts

WIDTH, HEIGHT, SCALE = 480, 200, 2
"""CSS pixels of a specimen, and device pixels of each."""
TEXT = ("Aa", "Hamburgevons 0123")
"""What is drawn, large and small, if the font has it."""
LETTERS, MOST_LETTERS = 2, 14
"""How many of a font's own letters are drawn instead, large and small."""
SUFFIXES = {b"wOF2": ".woff2", b"\0\1\0\0": ".ttf", b"OTTO": ".otf"}
_OTHERS = {
    b"ttcf": ("this is a collection of several fonts", "upload one of them: WOFF2, TTF or OTF"),
    b"true": ("this is an old TrueType font of the Mac", "save it as TTF or WOFF2 and upload that"),
    b"LP": ("this is an EOT font", "upload the WOFF2, TTF or OTF file of it"),
    b"PK\3\4": ("this is an archive", "unpack it and upload the font"),
}
_NO_FONT = "upload a WOFF2, TTF or OTF font"


def facts(body: bytes) -> FontFacts:
    """Return the facts about a font (see `ports.media.Darkroom`). Raises BadContent."""
    if not body:
        raise BadContent("the file is empty", hint=_NO_FONT)
    for mark, (kind, hint) in _OTHERS.items():
        if body.startswith(mark) or (mark == b"LP" and body[34:36] == b"LP"):
            raise BadContent(kind, hint=hint)
    if body.startswith(b"wOFF"):
        body = _unpacked(body)
    suffix = SUFFIXES.get(body[:4])
    if suffix is None:
        raise BadContent("this is not a font", hint=_NO_FONT)
    letters = _letters(body)
    if not letters:
        raise BadContent("the font has no characters", hint="upload a font that has letters")
    _, face = _engine(body)
    return FontFacts(body, suffix, face["family"], float(face["weight"]), str(face["style"]), len(letters))


def drawn(body: bytes, *, dark: bool) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the pixels of a font's specimen, transparent where nothing is drawn. Raises BadContent."""
    letters = _letters(body)
    engine, face = _engine(body)
    large, small = TEXT if all(ord(char) in letters for char in "".join(TEXT) if char != " ") else _own(letters)
    family, ink = escape(face["family"], quote=True).replace("'", ""), "#f2f3f5" if dark else "#1b1d22"
    base = (
        f"font-family:'{family}';font-weight:{face['weight']};font-style:{face['style']};color:{ink};white-space:nowrap"
    )
    page = (
        f'<div style="width:{WIDTH}px;height:{HEIGHT}px;padding:20px 28px;overflow:hidden">'
        f'<div style="{base};font-size:84px;line-height:104px">{escape(large)}</div>'
        f'<div style="{base};font-size:26px;line-height:44px">{escape(small)}</div></div>'
    )
    try:
        pixels = engine.render_html(
            page, width=WIDTH * SCALE, height=HEIGHT * SCALE, format="raw", device_pixel_ratio=float(SCALE),
            font_families=[face["family"]], stylesheets=["* { box-sizing: border-box }"], images={},
        )  # fmt: skip
    except BaseException as error:  # a panic of the engine is no Exception
        raise BadContent(f"the font cannot be drawn: {error}", hint="export it again and upload that") from error
    return np.frombuffer(pixels, np.uint8).reshape(HEIGHT * SCALE, WIDTH * SCALE, 4)


def _engine(body: bytes) -> tuple[pytakumi.Renderer, dict[str, Any]]:
    """Return an engine that has this font alone, and its first face. Raises BadContent."""
    engine = pytakumi.Renderer()
    try:
        found = engine.register_font(body)
    except BaseException as error:  # a panic of the engine is no Exception
        raise BadContent(f"the font cannot be read: {error}", hint="export it again and upload that") from error
    for family in found:
        for face in family["faces"]:
            return engine, {**face, "family": family["name"]}
    raise BadContent("the font cannot be read", hint="export it again and upload that")


def _letters(body: bytes) -> dict[int, Any]:
    """Return the characters of a font. Raises BadContent."""
    from fontTools.ttLib import TTFont

    try:
        with TTFont(io.BytesIO(body), lazy=True) as font:
            return dict(font.getBestCmap() or {})
    except MemoryError:
        raise
    except Exception as error:  # any error of its reader for an unknown file
        raise BadContent("the font is broken or ends early", hint="export it again and upload that") from error


def _unpacked(body: bytes) -> bytes:
    """Return the font in a WOFF file of the first version, which the engine does not read. Raises BadContent."""
    from fontTools.ttLib import TTFont

    try:
        with TTFont(io.BytesIO(body)) as font:
            font.flavor = None
            kept = io.BytesIO()
            font.save(kept)
            return kept.getvalue()
    except MemoryError:
        raise
    except Exception as error:  # any error of its reader for an unknown file
        raise BadContent("the font is broken or ends early", hint="upload its WOFF2, TTF or OTF file") from error


def _own(letters: dict[int, Any]) -> tuple[str, str]:
    """Return texts of a font's own letters: those of a script, or symbols."""
    shown = [chr(code) for code in sorted(letters) if chr(code).isprintable() and not chr(code).isspace()]
    words = [char for char in shown if char.isalpha()] or shown
    step = max(1, len(words) // MOST_LETTERS)
    return "".join(words[:LETTERS]), "".join(words[::step][:MOST_LETTERS])
