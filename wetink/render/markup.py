"""Markup: what the engine needs to have apart, taken out of one piece of HTML."""

import re
from html import unescape

import msgspec

_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style\s*>", re.IGNORECASE | re.DOTALL)
_IMAGE = re.compile(r"<img\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
_SOURCE = re.compile(r"(?<![\w-])src\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)

NO_SOURCE = "none"
"""Stands as the address of an `<img>` that has none: the engine refuses those."""


class Markup(msgspec.Struct, frozen=True):
    """HTML without its `<style>`, the style sheets, and the addresses of the pictures in it."""

    body: str
    styles: tuple[str, ...]
    sources: frozenset[str]
    text: str
    """All of it as plain text, to look for addresses in."""

    def mentions(self, url: str) -> bool:
        """Whether a picture of this address is drawn, by an `<img>` or from CSS."""
        return bool(url) and (url in self.sources or url in self.text)


def taken_apart(html: str, width: int, height: int, *, transparent: bool) -> Markup:
    """Return HTML made ready for the engine, on a page of `width` by `height` CSS pixels, white unless transparent."""
    styles = tuple(_STYLE.findall(html))
    sources: set[str] = set()

    def with_source(image: re.Match[str]) -> str:
        attributes = image[1]
        found = _SOURCE.search(attributes)
        source = unescape(next(filter(None, found.groups()), "")).strip() if found else ""
        if source:
            sources.add(source)
            return image[0]
        rest = _SOURCE.sub("", attributes) if found else attributes
        sources.add(NO_SOURCE)
        return f'<img src="{NO_SOURCE}" {rest.strip()}>'

    body = _IMAGE.sub(with_source, _STYLE.sub("", html))
    paper = "transparent" if transparent else "#ffffff"
    page = f"position: relative; width: {width}px; height: {height}px; overflow: hidden; background-color: {paper}"
    text = "\n".join((unescape(body), *styles))
    return Markup(f'<div style="{page}">{body}</div>', styles, frozenset(sources), text)
