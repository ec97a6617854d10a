"""Text: the characters that PostgreSQL stores."""


def storable(text: str) -> str:
    r"""Return a text with U+FFFD in place of NUL and of lone surrogates, which PostgreSQL refuses.

    >>> storable("né"), storable("a\0b"), storable("a\udc80b")
    ('né', 'a�b', 'a���b')
    """
    if text.isascii():
        return text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return text.replace("\0", "\ufffd")
