"""Every character that a phone shows is drawn, or the one that is not is named and a box stands in for it."""

import io
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.render.renderer import plain, shot
from wetink.core.blocks.block import Block, Fallback, Variant
from wetink.core.text.characters import controls
from wetink.opens.audit import glyph_notes, named
from wetink.render.fonts import STAND_IN, Letters, noted

BLOCKS = {
    "Latin-1": (0xA0, 0xFF), "Latin Extended-A": (0x100, 0x17F), "Latin Extended-B": (0x180, 0x24F),
    "IPA": (0x250, 0x2AF), "Modifier letters": (0x2B0, 0x2FF), "Greek": (0x370, 0x3FF), "Cyrillic": (0x400, 0x52F),
    "Armenian": (0x530, 0x58F), "Hebrew": (0x5D0, 0x5F4), "Arabic": (0x600, 0x6FF), "Thaana": (0x780, 0x7BF),
    "Devanagari": (0x900, 0x97F), "Bengali": (0x980, 0x9FF), "Gurmukhi": (0xA00, 0xA7F), "Gujarati": (0xA80, 0xAFF),
    "Tamil": (0xB80, 0xBFF), "Telugu": (0xC00, 0xC7F), "Kannada": (0xC80, 0xCFF), "Malayalam": (0xD00, 0xD7F),
    "Sinhala": (0xD80, 0xDFF), "Thai": (0xE00, 0xE7F), "Lao": (0xE80, 0xEFF), "Myanmar": (0x1000, 0x109F),
    "Georgian": (0x10A0, 0x10FF), "Ethiopic": (0x1200, 0x137F), "Khmer": (0x1780, 0x17FF),
    "Latin Extended Additional": (0x1E00, 0x1EFF), "Greek Extended": (0x1F00, 0x1FFF), "Punctuation": (0x2000, 0x206F),
    "Superscripts and subscripts": (0x2070, 0x209F), "Currency": (0x20A0, 0x20C0), "Letterlike": (0x2100, 0x214B),
    "Number forms": (0x2150, 0x218B), "Arrows": (0x2190, 0x21FF), "Mathematical operators": (0x2200, 0x22FF),
    "Technical": (0x2300, 0x23B9), "Technical, more": (0x23BE, 0x23FF), "Enclosed alphanumerics": (0x2460, 0x24FF),
    "Box drawing": (0x2500, 0x257F), "Block elements": (0x2580, 0x259F), "Geometric shapes": (0x25A0, 0x25FF),
    "Miscellaneous symbols": (0x2600, 0x26FF), "Dingbats": (0x2700, 0x27BF), "Braille": (0x2800, 0x28FF),
    "Supplemental arrows": (0x2900, 0x297F), "Symbols and arrows": (0x2B00, 0x2BFF), "CJK symbols": (0x3000, 0x3003),
    "CJK brackets": (0x3005, 0x301E), "Hiragana": (0x3041, 0x3096), "Katakana": (0x30A0, 0x30FF),
    "Hangul letters": (0x3131, 0x318E), "Enclosed CJK": (0x3200, 0x3247), "CJK units": (0x3300, 0x33FF),
    "Hangul syllables": (0xAC00, 0xD7A3), "Latin ligatures": (0xFB00, 0xFB06), "Full and half width": (0xFF01, 0xFF9F),
    "Mathematical letters": (0x1D400, 0x1D7FF), "Pictographs": (0x1F300, 0x1F5FF), "Emoticons": (0x1F600, 0x1F64F),
    "Transport": (0x1F680, 0x1F6F0), "More pictographs": (0x1F90C, 0x1F9FF),
}  # fmt: skip
COMMON = {"gb2312": (0xB0, 0xD7), "euc_jp": (0xB0, 0xCF), "euc_kr": (0xB0, 0xC8)}
"""The rows of the characters that are used most, by the national standards of China, Japan and Korea."""
LETTERS = Letters(noted())
CASES = "★☆✓→≈≤≥∞■○◆℃⅓₂№™♥✔✗€₹₽₺₿½¼⅛⁴①Ⓜ♀♂☎♫"
AWAY = frozenset("\ufffc\ufffd")


def assigned(first: int, last: int) -> list[str]:
    """Return the characters of a block that show something, as the Unicode of this Python has them."""
    chars = map(chr, range(first, last + 1))
    return [char for char in chars if unicodedata.category(char) not in ("Cn", "Co", "Cs", "Cf", "Cc", "Zs")]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_assigned_character_of_a_common_block_can_be_drawn(block: str) -> None:
    chars = assigned(*BLOCKS[block])
    assert len(chars) >= 3
    assert [named(char) for char in LETTERS.missing("".join(chars))] == []


@pytest.mark.parametrize("standard", COMMON)
def test_the_most_used_characters_of_a_national_standard_can_be_drawn(standard: str) -> None:
    first, last = COMMON[standard]
    cells = (bytes((row, cell)) for row in range(first, last + 1) for cell in range(0xA1, 0xFF))
    chars = "".join(cell.decode(standard, "ignore") for cell in cells)
    assert len(chars) > 2_300
    assert LETTERS.missing(chars) in ("", "毖谰耪锨"), "four that the font of simplified Chinese lacks"


def drawn(chars: str) -> list[bytes]:
    """Return the pixels of each character, all drawn at once."""
    cells = "".join(f'<div class="c">{char}</div>' for char in chars)
    style = (
        "<style>.p{display:flex;width:1200px;background:#fff;font-family:Inter}.c{width:40px;font-size:24px}</style>"
    )
    picture = shot(plain(f'{style}<div class="p">{cells}</div>', 1200, 40))
    pixels = np.asarray(Image.open(io.BytesIO(picture.body)).convert("L"))
    return [pixels[:, at * 80 : at * 80 + 80].tobytes() for at in range(len(chars))]


@pytest.mark.parametrize("at", range(4))
def test_characters_of_every_block_look_like_no_other_and_like_no_box(at: int) -> None:
    """Of every block one that is no mark and no relative of another: none is blank, none the box of what lacks."""
    names = list(BLOCKS)[at::4]
    chosen = [next((char for char in assigned(*BLOCKS[name])[5:] if unicodedata.category(char)[0] in "LNS"), "x")
              for name in names]  # fmt: skip
    blank, box, *cells = drawn(" \u0b05" + "".join(chosen))
    assert blank != box
    for char, cell in zip(chosen, cells, strict=True):
        assert cell not in (blank, box), named(char)
    assert len(set(cells)) == len(set(chosen))


def test_symbols_of_shops_are_drawn_each_as_itself() -> None:
    blank, box, *cells = drawn(" \u0b05" + CASES[:28])
    assert blank not in cells
    assert box not in cells
    assert len(set(cells)) == len(cells)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("A → B", "A → B"), ("⭐ New ✔️", "⭐ New ✔️"), ("ﬁne ㎏", "ﬁne ㎏"), ("plain", "plain"),
        ("Odia ଅ", f"Odia {STAND_IN}"), ("&#2821; &#9733; &#38;", f"{STAND_IN} ★ &#38;"),
        ("Mug\u202egnp.exe", "Muggnp.exe"), ("a\u200bb\u2060c\ufeffd\u00ade", "abcde"), ("\u0085x\u009b", "\u0085x"),
        ("می\u200cخواهم", "می\u200cخواهم"), 
        ("👩\u200d👧 1\ufe0f\u20e3", "👩\u200d👧 1\ufe0f\u20e3"),
        ("क\u094d\u200dष", "क\u094d\u200dष"),
    ],
)  # fmt: skip
def test_what_no_font_has_is_a_box_and_what_hides_in_a_text_is_dropped(said: str, shown: str) -> None:
    got = LETTERS.drawable(said)
    assert got == shown or unicodedata.normalize("NFKC", got) == unicodedata.normalize("NFKC", shown)


def test_a_character_that_no_font_has_is_named() -> None:
    assert [named(char) for char in LETTERS.missing("ଅ Lamp ଆଅ")] == [
        "ଅ (U+0B05 oriya letter a)", "ଆ (U+0B06 oriya letter aa)",
    ]  # fmt: skip


def test_content_with_such_a_character_is_told_with_its_place() -> None:
    settings = {"title": "Sale ★ ଅ", "nested": {"labels": ["DAYS", "ଆ"]}}
    block = Block("hero", Fallback("https://shop.example/", button="Go ଅ"), (Variant("v", "x", settings=settings),))
    templates = {"a.liquid": "<p>★</p>\n<p>ଅ</p>", "b.liquid": "→ ℃"}
    assert list(glyph_notes({"hero": block}, templates, LETTERS.missing)) == [
        "templates/a.liquid: line 2: no font has ଅ (U+0B05 oriya letter a)",
        "blocks/hero.yaml: fallback.button: no font has ଅ (U+0B05 oriya letter a)",
        "blocks/hero.yaml: variants[0].settings.title: no font has ଅ (U+0B05 oriya letter a)",
        "blocks/hero.yaml: variants[0].settings.nested.labels[1]: no font has ଆ (U+0B06 oriya letter aa)",
    ]


def test_without_a_note_of_what_the_fonts_have_nothing_is_replaced() -> None:
    unknown = Letters(())
    assert unknown.missing("ଅ★") == ""
    assert unknown.drawable("ଅ\u202e★") == "ଅ★"


@given(st.text())
def test_what_is_drawn_can_be_drawn_and_stays_as_it_is(text: str) -> None:
    shown = LETTERS.drawable(text)
    assert LETTERS.missing(shown) == ""
    assert controls(shown) == shown
    if text.isascii():
        assert shown == text or "&#" in text
