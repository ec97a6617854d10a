"""Search words: the words of texts in the form in which they are compared."""

import re
import unicodedata

MOST_WORDS = 8
"""Words of a search that count."""
LONGEST_WORD = 60
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Return the words of a text in order: letters and digits, without case and accents, cut at `LONGEST_WORD`.

    >>> words("Café-Chair, 2nd ed.")
    ['cafe', 'chair', '2nd', 'ed']
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in plain if not unicodedata.combining(each))
    return [word[:LONGEST_WORD] for word in _WORD.findall(bare)]
