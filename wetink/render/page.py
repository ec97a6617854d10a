"""Pages: splits HTML into the parts that the engine needs, and adds the photos to draw it."""

import re
from collections.abc import Iterable, Mapping
from html import unescape

import msgspec

from wetink.core.errors import BadContent
from wetink.ports import Scene
from wetink.render.cache import key_of

_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style\s*>", re.IGNORECASE | re.DOTALL)
_IMAGE = re.compile(r"<img\b([^>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^>\"']*)*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+)))?")

NO_SOURCE = "none"
"""Replaces the missing address of an `<img>`: the engine refuses an `<img>` without one."""

TILES = """
[data-tile] { position: absolute !important; z-index: 1; margin: 0 !important; box-sizing: border-box }
[data-tile] { overflow: hidden }
[data-tile][data-bleed] { overflow: visible }
"""
"""Tiles lie at the position in their own style, above everything else, and show nothing outside of their box."""

NO_DOTS = "* { text-overflow: clip !important }"
"""For pages with right-to-left letters: the engine's ellipsis leaves hardly any of them."""

BORDER_BOX = "*, ::before, ::after { box-sizing: border-box }"
"""How boxes are measured unless a template says otherwise: as the default engine does, so that all engines agree."""

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")

Box = tuple[int, int]

DEFAULT, BROWSER = "takumi", "chromium"
"""Engines: the default one, which runs in a worker, and the operator's browser."""
ENGINES = DEFAULT, BROWSER

_HEADER = re.compile(r"\s*\{%-?\s*comment\s*-?%\}\s*engine:\s*([\w-]+)\s*\{%-?\s*endcomment\s*-?%\}")


def named(template: str) -> str:
    """Return the engine that a template names in its first line, the default one if it names none.

    Raises BadContent if there is no such engine.

    >>> named("{% comment %} engine: chromium {% endcomment %}<p>"), named("<p>")
    ('chromium', 'takumi')
    """
    found = _HEADER.match(template)
    name = found[1] if found else DEFAULT
    if name not in ENGINES:
        raise BadContent(f"there is no engine called {name!r}", hint=f"engines: {', '.join(ENGINES)}")
    return name


class Markup(msgspec.Struct, frozen=True):
    """HTML without its `<style>`, the style sheets, and the addresses of the pictures in it.

    `boxes` are the sizes in CSS pixels from `<img width height>`, the largest for each address; an address that some
    `<img>` uses without a size has none.
    """

    body: str
    styles: tuple[str, ...]
    sources: frozenset[str]
    boxes: dict[str, Box]

    @property
    def strange(self) -> list[str]:
        """The addresses in `<img>` elements. An address that may not be fetched becomes a placeholder."""
        return [source for source in self.sources if not source.startswith("data:")]

    def mentioned(self, urls: Iterable[str]) -> list[str]:
        """Return those of these addresses whose pictures an `<img>` or CSS draws."""
        text = "\n".join((unescape(self.body), *self.styles))
        return [url for url in urls if url and (url in self.sources or url in text)]


def taken_apart(html: str) -> Markup:
    """Return HTML prepared for the engine."""
    styles = tuple(_STYLE.findall(html))
    boxes: dict[str, Box | None] = {}

    def with_source(image: re.Match[str]) -> str:
        attrs = attributes(image[1])
        source = unescape(attrs.pop("src", "")).strip()
        _enlarge(boxes, source or NO_SOURCE, attrs)
        return image[0] if source else tag("img", {"src": NO_SOURCE, **attrs})

    body = _IMAGE.sub(with_source, _STYLE.sub("", html))
    if "data-tile" in body:
        styles = (TILES, *styles)
    if _RIGHT_TO_LEFT.search(body):
        styles = (*styles, NO_DOTS)
    return Markup(body, styles, frozenset(boxes), {url: box for url, box in boxes.items() if box})


def _enlarge(boxes: dict[str, Box | None], source: str, attrs: Mapping[str, str]) -> None:
    sides = [attrs.get(name, "").removesuffix("px") for name in ("width", "height")]
    known = boxes.get(source, (0, 0))
    if known is None or not all(side.isdecimal() and len(side) < 5 for side in sides):
        boxes[source] = None
    else:
        boxes[source] = (max(int(sides[0]), known[0]), max(int(sides[1]), known[1]))


def attributes(inside: str) -> dict[str, str]:
    """Return the attributes of a tag by name, unescaped. `inside` is the text between its name and its end.

    >>> attributes(' alt="a > b" src=x.jpg hidden')
    {'alt': 'a > b', 'src': 'x.jpg', 'hidden': ''}
    """
    found: dict[str, str] = {}
    for each in _ATTRIBUTE.finditer(inside):
        found.setdefault(each[1].lower(), each[2] or each[3] or each[4] or "")
    return found


def tag(name: str, attrs: Mapping[str, str]) -> str:
    """Return an opening tag with these attributes."""
    written = "".join(f' {key}="{value.replace(chr(34), "&#34;")}"' for key, value in attrs.items())
    return f"<{name}{written}>"


def page(body: str, width: float, height: float, *, scheme: str, paper: str = "transparent") -> str:
    """Return a piece of HTML on a page of its own, cut at `width` by `height` CSS pixels.

    Its element has the class of the scheme, `light` or `dark`, for style sheets to select.
    """
    look = f"position: relative; width: {width:g}px; height: {height:g}px; overflow: hidden; background-color: {paper}"
    return f'<div class="{scheme}" style="{look}">{body}</div>'


MOST_PHOTOS = 24
"""Photos of one picture; the rest are drawn as placeholders."""


class Photo(msgspec.Struct, frozen=True):
    """A photo as a page draws it: its bytes, the device pixels it must cover if known, and a hash of both.

    Without bytes (None) only a worker that has drawn it before can draw it; with empty bytes there is no photo.
    """

    body: bytes | None
    box: Box | None
    version: bytes


class Scenery(msgspec.Struct, frozen=True):
    """The properties of a scene that a page needs besides its HTML."""

    width: int
    height: int
    scale: int
    transparent: bool
    scheme: str
    """`light` or `dark`: the class of the page's element, for style sheets to select."""


class Sheet(Scenery, frozen=True):
    """A page ready to be drawn: filled in, with its photos by address, in the order of their addresses."""

    markup: Markup
    photos: dict[str, Photo]
    look: bytes
    """A hash of the values that all parts share."""
    key: bytes
    """A hash of all values that determine the picture."""

    @property
    def css(self) -> str:
        """All its style sheets."""
        return "\n".join(self.markup.styles)


def photo(body: bytes | None, hashed: bytes, box: Box | None, scale: int) -> Photo:
    """Return a photo that must cover a box of CSS pixels; `hashed` is the hash of its bytes."""
    if box is not None:
        box = (box[0] * scale, box[1] * scale)
    return Photo(body, box, key_of(hashed, *(box or ())))


NO_PHOTO = key_of(b"")
"""The hash of a missing photo."""


def sheet(scene: "Scene | Scenery", markup: Markup, photos: Mapping[str, Photo]) -> Sheet:
    """Return a page ready to be drawn."""
    photos = dict(sorted(photos.items()))
    scheme = "dark" if scene.scheme == "dark" else "light"
    versions = (part for url, photo in photos.items() for part in (url, photo.version))
    look = key_of(scene.scale, scheme, *markup.styles)
    key = key_of(look, markup.body, scene.width, scene.height, scene.transparent, *versions)
    return Sheet(scene.width, scene.height, scene.scale, scene.transparent, scheme, markup, photos, look, key)
