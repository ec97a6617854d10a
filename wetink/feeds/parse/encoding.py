"""Encoding: the bytes of an XML document in UTF-8, whichever encoding it declares or really has.

The XML parser alone knows no encoding with several bytes for a letter but Unicode's, such as Shift_JIS or GBK.
"""

import codecs
import io
import re
from collections.abc import Callable, Iterator

from wetink.feeds.parse.body import Unreadable, mark_of

PART = 64 * 1024
"""Bytes that are read at a time."""

_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def parts(stream: io.BufferedReader) -> Iterator[bytes]:
    """Yield a document in UTF-8, part by part, and an empty part at its end. Blank lines before it are left out.

    Text that is UTF-8 from its first other letter on is read as such, though its declaration says ISO-8859-1.
    Raises Unreadable for an unknown encoding, and for bytes that it does not have.
    """
    marked = mark_of(stream)
    first = stream.read(PART)
    if not marked.startswith("utf-16") and not marked.startswith("utf-32"):
        first = first.removeprefix(codecs.BOM_UTF8).lstrip()
    found = _DECLARED.match(first)
    name = marked or (found[1].decode() if found is not None else "utf-8")
    try:
        plain = codecs.lookup(name).name == "utf-8" or (not marked and _is_utf8(first))
        decode = _unchanged if plain else _decoder(name)
        while first:
            if part := decode(first):
                yield part
            first = stream.read(PART)
        if rest := decode(b"", final=True):
            yield rest
    except LookupError as error:
        raise Unreadable(f"its encoding is unknown: {error}") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not encoded in {name}, as it says: {error.reason}") from error
    yield b""


def _unchanged(part: bytes, final: bool = False) -> bytes:
    return part


def _decoder(name: str) -> Callable[..., bytes]:
    inner = codecs.getincrementaldecoder(name)("strict")
    return lambda part, final=False: inner.decode(part, final).removeprefix("\ufeff").encode("utf-8", "surrogatepass")


def _is_utf8(part: bytes) -> bool:
    """Return whether bytes have letters outside of ASCII, and all of them in UTF-8. The last letter may be cut."""
    if part.isascii():
        return False
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(part)
    except UnicodeDecodeError:
        return False
    return True
