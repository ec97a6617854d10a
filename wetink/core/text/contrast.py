"""Contrast: how well a color stands out from another, by the formula of WCAG 2."""

import re
from collections.abc import Iterator

READABLE, LARGE = 4.5, 3.0
"""The least contrast of text, and that of large text and of shapes."""

_HEX = r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})(?![0-9a-fA-F])"
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_INLINE = re.compile(r'\bstyle="([^"]*)"')
_INK = re.compile(rf"(?<![-\w])color\s*:\s*({_HEX})")
_PAPER = re.compile(rf"(?<![-\w])background(?:-color)?\s*:\s*({_HEX})\s*(?:;|$|!)")
_SIZE = re.compile(r"(?<![-\w])font-size\s*:\s*(\d+(?:\.\d+)?)px")
_BOLD = re.compile(r"(?<![-\w])font-weight\s*:\s*(?:bold|[7-9]00)")
_LARGE_PX, _LARGE_BOLD_PX = 24.0, 18.66


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, from 1 (the same) to 21 (black on white).

    >>> round(contrast("#000000", "#ffffff"), 1), round(contrast("#777", "#ffffff"), 2)
    (21.0, 4.48)
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def faint(css: str) -> Iterator[tuple[str, str, float]]:
    """Yield the ink, the paper and the contrast of each style that is too faint, in a style sheet or at an element.

    Only rules that set both are judged. Large text needs less.

    >>> [(ink, paper, round(ratio, 1)) for ink, paper, ratio in faint(".a { color: #999; background: #fff }")]
    [('#999', '#fff', 2.8)]
    """
    for style in (*(rule[2] for rule in _RULE.finditer(css)), *(each[1] for each in _INLINE.finditer(css))):
        ink, paper = _INK.search(style), _PAPER.search(style)
        if ink is None or paper is None:
            continue
        size = _SIZE.search(style)
        large = size is not None and float(size[1]) >= (_LARGE_BOLD_PX if _BOLD.search(style) else _LARGE_PX)
        ratio = contrast(ink[1], paper[1])
        if ratio < (LARGE if large else READABLE):
            yield ink[1], paper[1], ratio


def is_color(text: object) -> bool:
    """Return whether a value is a color such as `#3451d1`."""
    return isinstance(text, str) and _COLOR.fullmatch(text) is not None


def _luminance(color: str) -> float:
    digits = color.removeprefix("#")
    digits = "".join(each * 2 for each in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
