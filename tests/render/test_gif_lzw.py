"""LZW as GIF has it: what is encoded is what every reader of GIFs gets back, in one piece or in sections."""

import io
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wetink.render.gif import lzw


def read(data: bytes, width: int, height: int) -> bytes:
    """Return the pixels Pillow makes of the data of an image."""
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    body = b"GIF89a" + size + b"\xf7\0\0" + bytes(768) + b"," + bytes(4) + size + b"\0" + data + b";"
    with Image.open(io.BytesIO(body)) as image:
        return image.tobytes()


@st.composite
def drawings(draw: st.DrawFn, size: int) -> bytes:
    """Pixels with runs and with noise, long enough to fill the table of codes now and then."""
    pixel = st.integers(0, (1 << size) - 1)
    runs = draw(st.lists(st.tuples(pixel, st.integers(1, 600)), min_size=1, max_size=30))
    noise = random.Random(draw(st.integers(0, 1 << 16))).choices(range(1 << size), k=draw(st.integers(0, 9000)))
    return b"".join(bytes((color,)) * length for color, length in runs) + bytes(noise)


@given(st.integers(2, 8).flatmap(lambda size: st.tuples(st.just(size), drawings(size))))
def test_lzw_output_decodes_to_its_input(case: tuple[int, bytes]) -> None:
    size, pixels = case
    assert read(lzw.encoded(pixels, size), len(pixels), 1) == pixels


@given(drawings(lzw.SECTION_SIZE), st.lists(st.floats(0, 1), max_size=12))
def test_sections_join_wherever_pixels_are_cut(pixels: bytes, cuts: list[float]) -> None:
    edges = [0, *sorted(int(cut * len(pixels)) for cut in cuts), len(pixels)]
    sections = [lzw.section(pixels[start:end]) for start, end in itertools.pairwise(edges)]
    assert read(lzw.image(sections), len(pixels), 1) == pixels


def test_a_section_is_the_same_wherever_it_stands() -> None:
    one, other = bytes(range(128)) * 40, bytes((5, 9)) * 700
    first, second = lzw.section(one), lzw.section(other)
    assert read(lzw.image((first, second, first)), 2 * len(one) + len(other), 1) == one + other + one


def test_no_clear_code_follows_another() -> None:
    """Some readers take the code after a clear for a color, whatever it is."""
    for pixels in (b"\x01", bytes(range(126)), bytes(range(127)), bytes(range(128)) * 200, bytes(40_000)):
        assert b"\x80\x80" not in lzw.section(pixels)[-2:]
        assert not lzw.section(pixels).startswith(b"\x80")
    assert lzw.section(b"") == b""


@pytest.mark.parametrize("length", [0, 1, 254, 255, 256, 510, 511])
def test_blocks_hold_up_to_255_bytes_and_end_with_an_empty_one(length: int) -> None:
    body = lzw.blocks(bytes(length))
    held = 0
    while body[0]:
        held += body[0]
        body = body[1 + body[0] :]
    assert (held, body) == (length, b"\0")
