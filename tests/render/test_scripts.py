"""Letters of the world: each script is drawn in a font that has it, also where it is cut short or runs to the left."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from tests.render.renderer import plain, shot

GOLDEN = Path(__file__).parent / "golden"
TO_THE_LEFT = ("Arabic", "Hebrew")
WORDS = {
    "Latin": "Ŵarm lamp for łong evenings by the fire, made by hand",
    "Vietnamese": "Đèn bàn ấm áp cho những buổi tối dài bên lò sưởi",
    "Cyrillic": "Тёплая лампа для долгих вечеров у камина, ручная работа",
    "Greek": "Ζεστό φωτιστικό για μεγάλα βράδια δίπλα στο τζάκι",
    "Arabic": "مصباح دافئ لأمسيات طويلة بجانب المدفأة، مصنوع يدويا",
    "Hebrew": "מנורה חמה לערבים ארוכים ליד האח, עבודת יד",
    "Thai": "โคมไฟอบอุ่นสำหรับค่ำคืนอันยาวนานข้างเตาผิง",
    "Devanagari": "अँगीठी के पास लंबी शामों के लिए हाथ से बना गर्म दीपक",
    "Japanese": "暖炉のそばの長い夜のための手作りの暖かいランプです",
    "Korean": "벽난로 옆 긴 저녁을 위한 손으로 만든 따뜻한 램프",
    "Chinese": "炉边漫长夜晚的手工制作的温暖台灯，柔和的光线",
    "Emoji": "🎁 🚚 ❤️ ☀️ 👩‍👩‍👧 🇩🇪 👍🏽 1️⃣ ⭐ ↔️ ✔️ 🛒 🔥 💡 🪔",
}
LINE = "white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
TWO = "display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden;text-overflow:ellipsis"
PAGE = """<style>.p{width:600px;background:#fff;color:#1c2230;font-family:Inter;font-size:15px;line-height:22px}
.r{display:flex}.r{padding:4px 8px}.n{width:100px;height:66px;color:#6b7386}.a{width:140px;margin-right:12px;%s}
.b{width:150px;margin-right:12px;%s}.c{width:160px}</style>
<div class="p">%s</div>"""


def drawn_from(page: str, width: int, height: int) -> Image.Image:
    return Image.open(io.BytesIO(shot(plain(page, width, height)).body)).convert("RGB")


def row(name: str, words: str) -> str:
    way = "direction:rtl" if name in TO_THE_LEFT else ""
    cells = "".join(f'<div class="{kind}" style="{way}">{words}</div>' for kind in "abc")
    return f'<div class="r"><div class="n">{name}</div>{cells}</div>'


@pytest.mark.parametrize("which", ["scripts", "scripts-to-the-left"])
def test_every_script_looks_as_it_was_meant_to(which: str) -> None:
    """`WETINK_GOLDEN=1` makes the pictures anew: on a line cut short, on two, and whole. Look at them.

    Where words run to the left no dots are drawn, and Thai is broken at spaces only: the engine cannot do better.
    """
    chosen = {name: words for name, words in WORDS.items() if (name in TO_THE_LEFT) == (which != "scripts")}
    page = PAGE % (LINE, TWO, "".join(row(name, words) for name, words in chosen.items()))
    drawn = drawn_from(page, 600, 74 * len(chosen))
    kept = GOLDEN / f"{which}.png"
    if os.environ.get("WETINK_GOLDEN"):
        drawn.quantize(128, dither=Image.Dither.NONE).save(kept, optimize=True)
    with Image.open(kept) as golden:
        assert drawn.size == golden.size
        difference = ImageChops.difference(drawn, golden.convert("RGB"))
    assert max(ImageStat.Stat(difference).mean) < 3.0


@pytest.mark.parametrize("name", WORDS)
def test_no_letter_is_an_empty_box(name: str) -> None:
    """Two different letters of one script look different: boxes would look the same."""
    letters = [letter for letter in dict.fromkeys(WORDS[name]) if letter.isalpha() or ord(letter) > 0x1F000][:6]
    seen = set()
    for letter in letters:
        page = f'<div style="width:60px;height:60px;background:#fff;font-family:Inter;font-size:40px">{letter}</div>'
        pixels = np.asarray(drawn_from(page, 60, 60).convert("L"))
        assert pixels.min() < 220, f"{letter} is blank"
        seen.add(pixels.tobytes())
    assert len(seen) == len(letters)
