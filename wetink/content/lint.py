"""Lint: what a template asks of CSS that the engine cannot draw, with its line and what to write instead.

The list is measured: 53 small cases, each drawn beside a browser's picture of it.
"""

import re
from collections.abc import Iterator

_CSS = {
    r"\bclamp\(": "clamp() takes the whole width: use width and max-width",
    r"(?<![-\w])grid-template(?:-areas)?\s*:": "areas of a grid are not laid out: use grid-template-columns and -rows",
    r"prefers-color-scheme": "pictures know no media query for it: put .dark before a selector",
    r"box-shadow\s*:[^;}]*\binset\b": "shadows inside of a box are not drawn: use a gradient",
    r"(?<![-\w])filter\s*:": "filters are not drawn: change the picture itself",
    r":has\(": ":has() never matches: give the element a class",
    r"<su[pb]\b": "superscript and subscript are not supported: use vertical-align in a span",
    r"writing-mode\s*:": "vertical text is not supported: rotate the box with transform: rotate()",
    r"(?<![-\w])column(?:s|-count)\s*:": "text columns are not supported: use a grid",
    r"background\s*:[^;}]*url\([^)]*\)[^;}]*/": "size in the shorthand is not read: use background-size",
    r"@import\b|<link\b": "nothing is fetched: put the styles into the template",
    r"@font-face\b": "nothing is fetched: put the font into the content folder's fonts/",
    r"(?<![-\w])(?:animation(?:-name)?|transition)\s*:|@keyframes\b": "animations do not run in a picture",
    r"<script\b|\son[a-z]+\s*=\s*[\"']": "scripts do not run in a picture",
    r"<(?:iframe|video|audio|form|input|button|select)\b": "this element is not supported: draw it with a div",
}
_PATTERNS = [(re.compile(pattern, re.IGNORECASE), hint) for pattern, hint in _CSS.items()]
_RULE = re.compile(r"\{([^{}%]*-webkit-line-clamp[^{}%]*)\}|style=\"([^\"]*-webkit-line-clamp[^\"]*)\"")
_COMMENT = re.compile(r"/\*.*?\*/|<!--.*?-->|\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}", re.DOTALL)


def lint(template: str) -> Iterator[str]:
    r"""Yield what the engine cannot draw, in the order of the lines.

    >>> list(lint("<style>\n.a { width: clamp(1px, 2px, 3px) }</style>"))
    ['line 2: clamp() takes the whole width: use width and max-width']
    """
    text = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), template)
    found = [(each.start(), hint) for pattern, hint in _PATTERNS for each in pattern.finditer(text)]
    for rule in _RULE.finditer(text):
        if "text-overflow" not in rule[0]:
            found.append((rule.start(), "a clamped line ends without dots: add text-overflow: ellipsis"))
    told = {(text.count("\n", 0, start) + 1, hint) for start, hint in found}
    for line, hint in sorted(told):
        yield f"line {line}: {hint}"
