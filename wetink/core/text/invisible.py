"""Invisible: controls in texts that show nothing, and turn what stands after them around or hide in it."""

_HIDDEN = (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
_DROPPED = dict.fromkeys((*_HIDDEN, *range(0xFFF9, 0xFFFC), *range(0x80, 0x85), *range(0x86, 0xA0)))
"""Controls without a picture: directions, where a word may break, and what terminals read."""


def controls(text: str) -> str:
    """Return text without such controls. The joiners that scripts and emoji need stay.

    >>> controls("Mug\u202egnp.exe\u2066\u200b"), controls("\U0001f469\u200d\U0001f467") == "\U0001f469\u200d\U0001f467"
    ('Muggnp.exe', True)
    """
    return text if text.isascii() else text.translate(_DROPPED)
