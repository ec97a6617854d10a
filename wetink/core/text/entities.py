"""Entities: texts that were written for HTML, as in `Tom &amp; Jerry`, as they are meant to be read."""

import html
import re

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def unescaped(text: str) -> str:
    """Return a text with its HTML entities decoded once. Without its semicolon nothing is an entity: `R&D`, `&copy`.

    >>> unescaped("Tom &amp; Jerry &#174;"), unescaped("&amp;lt;"), unescaped("AT&T &nope;")
    ('Tom & Jerry ®', '&lt;', 'AT&T &nope;')
    """
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text).strip()
