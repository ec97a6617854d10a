"""Repair: make bytes that are almost JSON readable, before they are decoded.

A 400 makes a client drop its whole batch for good, so what a browser cuts in half or a database cannot keep becomes
U+FFFD here instead: half of a surrogate pair, NUL, and bytes that are no UTF-8.
"""

import re

_BOM = b"\xef\xbb\xbf"
_REPLACEMENT = rb"\ufffd"
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2}|u0000)"  # what is to be replaced
    rb"|.)",  # any other escape, so that the second backslash of a pair begins nothing
    re.DOTALL,
)


def repaired(body: bytes) -> bytes:
    r"""Return the bytes without BOM, lone surrogates, NUL escapes and invalid UTF-8; the same object when it had none.

    >>> repaired(rb'"\ud83d\ude00 \ud83d \u0000 \\u0000"') == rb'"\ud83d\ude00 \ufffd \ufffd \\u0000"'
    True
    """
    if not body.isascii():
        if body.startswith(_BOM):
            body = body[3:]
        try:
            body.decode()
        except UnicodeDecodeError:
            body = body.decode("utf-8", "replace").encode()
    if b"\\" in body and (rb"\ud" in body or rb"\uD" in body or rb"\u0000" in body):  # the first is found at once
        body = _ESCAPE.sub(_mend, body)
    return body


def _mend(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape[1] is None else _REPLACEMENT
