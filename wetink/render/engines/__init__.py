"""Engines: what turns HTML and CSS into pixels, one file each: Takumi in a worker, and the operator's browser."""

import re

from wetink.core.errors import BadContent

DEFAULT, BROWSER = "takumi", "chromium"
"""The one that draws whatever names no other, and the browser, which has processes of its own."""
ENGINES = DEFAULT, BROWSER

_HEADER = re.compile(r"\s*\{%-?\s*comment\s*-?%\}\s*engine:\s*([\w-]+)\s*\{%-?\s*endcomment\s*-?%\}")


def named(template: str) -> str:
    """Return the engine that a template asks for in its first words, the usual one when it asks for none.

    Raises BadContent when there is no such engine.

    >>> named("{% comment %} engine: chromium {% endcomment %}<p>"), named("<p>")
    ('chromium', 'takumi')
    """
    found = _HEADER.match(template)
    name = found[1] if found else DEFAULT
    if name not in ENGINES:
        raise BadContent(f"there is no engine called {name!r}", hint=f"engines: {', '.join(ENGINES)}")
    return name
