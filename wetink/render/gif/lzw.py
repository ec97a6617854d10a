"""LZW for GIF, in sections that can be joined as bytes (source: GIF89a, appendix F, "Variable-Length-Code LZW").

After a clear code the decoder forgets everything before, so the codes between two clear codes are the same in any
place. With 128 colors a code is at first just one byte wide; as the widths grow, their numbers are powers of two,
so every few codes a clear code ends with a byte. Sections that end there are joined without moving a bit.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

SECTION_SIZE = 7
"""Bits of a pixel in sections: 128 colors."""
WIDEST = 12
_CLEAR, _END = 1 << SECTION_SIZE, (1 << SECTION_SIZE) + 1


class _Code(NamedTuple):
    """A code, its width in bits, the width of the code after it, and the number of pixels encoded up to it."""

    code: int
    width: int
    after: int
    done: int


def image(sections: Iterable[bytes]) -> bytes:
    """Return the data of an image of 128 colors from its sections."""
    return b"".join((bytes((SECTION_SIZE,)), blocks(b"".join((bytes((_CLEAR,)), *sections, bytes((_END,)))))))


def section(pixels: bytes) -> bytes:
    """Return pixels, each below 128, encoded so that the section can follow and precede any other."""
    parts = [_short(pixels)]
    if parts[0]:
        return parts[0]
    while pixels:
        codes = list(_codes(pixels, SECTION_SIZE))
        bits, end = 0, 0
        for number, code in enumerate(codes):
            bits += code.width
            if (bits + code.after) % 8 == 0 and code.code != _CLEAR:
                end = number
        # The first code always qualifies; the few after the last one that does start over, where codes are bytes.
        last = codes[end]
        parts.append(_packed((*codes[: end + 1], _Code(_CLEAR, last.after, 0, 0))))
        pixels = pixels[last.done :]
    return b"".join(parts)


def encoded(pixels: bytes, size: int) -> bytes:
    """Return the data of an image whose pixels have `size` bits, 2 to 8."""
    clear = 1 << size
    codes = [_Code(clear, size + 1, size + 1, 0), *_codes(pixels, size)]
    codes.append(_Code(clear + 1, codes[-1].after, 0, 0))
    return bytes((size,)) + blocks(_packed(codes))


def blocks(body: bytes) -> bytes:
    """Return bytes as GIF blocks: up to 255 bytes each, preceded by their length, and an empty block at the end."""
    parts: list[bytes] = []
    for start in range(0, len(body), 255):
        part = body[start : start + 255]
        parts += (bytes((len(part),)), part)
    return b"".join((*parts, b"\0"))


def _codes(pixels: bytes, size: int) -> Iterator[_Code]:
    """Yield the codes of pixels, as they follow a clear code."""
    clear = 1 << size
    known: dict[int, int] = {}
    following, width = clear + 2, size + 1
    code = pixels[0] if pixels else -1
    for at, pixel in enumerate(pixels[1:], 1):
        longer = known.get(code << 8 | pixel)
        if longer is not None:
            code = longer
            continue
        before = width
        known[code << 8 | pixel] = following
        # The decoder learns this entry only with the next code, so it widens its codes one code later.
        width += following == 1 << width
        following += 1
        yield _Code(code, before, width, at)
        if following == 1 << WIDEST:
            yield _Code(clear, width, size + 1, at)
            known.clear()
            following, width = clear + 2, size + 1
        code = pixel
    if code >= 0:
        yield _Code(code, width, width + (following == 1 << width), len(pixels))


def _short(pixels: bytes) -> bytes:
    """Return a section if all its codes are bytes, else nothing: the result of `section`, but faster."""
    out = bytearray()
    known: dict[int, int] = {}
    following = _END + 1
    code = -1
    for pixel in pixels:
        pair = code << 8 | pixel
        if pair in known:
            code = known[pair]
        elif code < 0:
            code = pixel
        else:
            known[pair] = following
            out.append(code)
            code = pixel
            following += 1
            if following == 256:
                return b""
    if pixels:
        out += bytes((code, _CLEAR))
    return bytes(out)


def _packed(codes: Iterable[_Code]) -> bytes:
    out = bytearray()
    held = bits = 0
    for code, width, _, _ in codes:
        held |= code << bits
        bits += width
        while bits >= 8:
            out.append(held & 255)
            held >>= 8
            bits -= 8
    if bits:
        out.append(held)
    return bytes(out)
