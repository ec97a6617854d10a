"""Scripts: which letters a font file has, as far as its name tells, for engines that are given fonts page by page."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

RANGES = {
    "latin": "U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA, U+02DC, U+2000-206F, U+20AC, U+2122, "
    "U+2191, U+2193, U+2212, U+2215, U+FEFF, U+FFFD",
    "latin-ext": "U+0100-02BA, U+02BD-02C5, U+02C7-02CC, U+02CE-02D7, U+02DD-02FF, U+0304, U+0308, U+0329, "
    "U+1D00-1DBF, U+1E00-1E9F, U+1EF2-1EFF, U+2020, U+20A0-20AB, U+20AD-20C0, U+2113, U+2C60-2C7F, U+A720-A7FF",
    "vietnamese": "U+0102-0103, U+0110-0111, U+0128-0129, U+0168-0169, U+01A0-01A1, U+01AF-01B0, U+0300-0301, "
    "U+1EA0-1EF9, U+20AB",
    "cyrillic": "U+0301, U+0400-045F, U+0490-0491, U+04B0-04B1, U+2116",
    "cyrillic-ext": "U+0460-052F, U+1C80-1C8A, U+20B4, U+2DE0-2DFF, U+A640-A69F, U+FE2E-FE2F",
    "greek": "U+0370-0377, U+037A-037F, U+0384-038A, U+038C, U+038E-03A1, U+03A3-03FF",
    "greek-ext": "U+1F00-1FFF",
    "arabic": "U+0600-06FF, U+0750-077F, U+0870-08FF, U+200C-200F, U+FB50-FDFF, U+FE70-FEFC",
    "hebrew": "U+0590-05FF, U+200C-2010, U+20AA, U+25CC, U+FB1D-FB4F",
    "thai": "U+0E01-0E5B, U+200C-200D, U+25CC",
    "devanagari": "U+0900-097F, U+1CD0-1CF9, U+200C-200D, U+20A8, U+20B9, U+25CC, U+A830-A839, U+A8E0-A8FF",
    "armenian": "U+0530-058F, U+FB13-FB17",
    "bengali": "U+0980-09FF, U+200C-200D, U+25CC",
    "ethiopic": "U+1200-139F, U+2D80-2DDF, U+AB01-AB2E",
    "georgian": "U+10A0-10FF, U+1C90-1CBF, U+2D00-2D2D",
    "gujarati": "U+0A80-0AFF, U+200C-200D, U+25CC",
    "gurmukhi": "U+0A00-0A7F, U+200C-200D, U+25CC",
    "kannada": "U+0C80-0CFF, U+200C-200D, U+25CC",
    "khmer": "U+1780-17FF, U+19E0-19FF, U+200C-200D, U+25CC",
    "lao": "U+0E80-0EFF, U+25CC",
    "malayalam": "U+0D00-0D7F, U+200C-200D, U+25CC",
    "myanmar": "U+1000-109F, U+A9E0-A9FE, U+AA60-AA7F, U+25CC",
    "sinhala": "U+0D80-0DFF, U+200C-200D, U+25CC",
    "tamil": "U+0B80-0BFF, U+200C-200D, U+25CC",
    "telugu": "U+0C00-0C7F, U+200C-200D, U+25CC",
    "thaana": "U+0780-07BF",
    "symbols": "U+02B0-036F, U+1D00-1DFF, U+2000-2BFF, U+2E00-2E7F, U+FB00-FB06, U+1D400-1D7FF, U+1F000-1FAFF",
    "japanese": "U+2E80-2FFF, U+3000-30FF, U+31F0-31FF, U+3400-9FFF, U+F900-FAFF, U+FF00-FFEF",
    "korean": "U+1100-11FF, U+3130-318F, U+A960-A97F, U+AC00-D7FF",
    "chinese-simplified": "U+2E80-2FFF, U+3000-303F, U+3400-9FFF, U+F900-FAFF, U+FF00-FFEF, U+20000-3FFFF",
    "chinese-traditional": "U+2E80-2FFF, U+3000-303F, U+3100-312F, U+3400-9FFF, U+F900-FAFF, U+FF00-FFEF",
    "emoji": "U+00A9, U+00AE, U+200D, U+203C, U+2049, U+20E3, U+2139, U+2194-21AA, U+231A-23FF, U+25AA-27BF, "
    "U+2934-2935, U+2B05-2B55, U+3030, U+303D, U+3297, U+3299, U+FE0F, U+1F000-1FAFF, U+E0020-E007F",
}
"""As CSS writes `unicode-range`. Where two have a letter, the engine takes the family that is named first."""

_INDIC = ("bengali", "gujarati", "gurmukhi", "kannada", "malayalam", "sinhala", "tamil", "telugu")
_TELLING = {
    **{script: RANGES[script].partition(",")[0] for script in (*_INDIC, "khmer", "lao", "myanmar")},
    "latin-ext": "U+0100-02BA, U+1E00-1E9F, U+20A0-20AB",
    "arabic": "U+0600-06FF, U+0750-077F, U+FB50-FDFF, U+FE70-FEFC",
    "hebrew": "U+0590-05FF, U+FB1D-FB4F",
    "thai": "U+0E01-0E5B",
    "devanagari": "U+0900-097F",
    "symbols": "U+2070-20A0, U+2100-218F, U+2190-2BFF, U+FB00-FB06, U+1D400-1D7FF",
    "emoji": "U+2600-27BF, U+2B05-2B55, U+FE0F, U+1F000-1FAFF",
}
"""The letters by which it shows that a page needs a script, where some of its own are everybody's."""

_FAMILY = re.compile(r"(?<![-\w])font(?:-family)?\s*:\s*[^;}\"'&{]*[^;}\"'&{\s][^;}\"'&{]*", re.IGNORECASE)
_NAME = re.compile(rf"-({'|'.join(sorted(RANGES, key=len, reverse=True))})-[1-9]00-")


def script_of(path: Path) -> str:
    """Return the script of a font file such as `inter-latin-ext-400-normal.woff2`, empty when it has another name."""
    if path.name.startswith(("noto-sans-math", "dejavu-sans")):  # they have a bit of everything
        return "symbols"
    found = _NAME.search(path.name)
    return found[1] if found else ""


def naming(css: str, families: Iterable[str]) -> str:
    """Return CSS, or HTML with some in it, in which every font is followed by these families.

    Browsers look no further than the families that are named, but those of the machine.

    >>> naming("a { font-family: Inter } b { font: 9px Inter; }", ["Noto Sans Thai"])
    'a { font-family: Inter , Noto Sans Thai} b { font: 9px Inter, Noto Sans Thai; }'
    """
    more = "".join(f", {family}" for family in families)
    return _FAMILY.sub(lambda found: found[0] + more, css)


def needs(text: str, path: Path) -> bool:
    """Whether some text has letters for whose script a font file is there; Latin is always needed."""
    script = script_of(path)
    return script in ("", "latin") or _letters(script).search(text) is not None


@cache
def _letters(script: str) -> re.Pattern[str]:
    parts = []
    for each in _TELLING.get(script, RANGES[script]).split(", "):
        first, _, last = each.removeprefix("U+").partition("-")
        parts.append(f"{re.escape(chr(int(first, 16)))}-{re.escape(chr(int(last or first, 16)))}")
    return re.compile(f"[{''.join(parts)}]")
