"""Search: how well a few typed words fit a name."""

import re
import unicodedata

_WORD = re.compile(r"\w+")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text without case and accents.

    >>> words_of("Été à Nîmes, sale-2")
    ('ete', 'a', 'nimes', 'sale', '2')
    """
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return tuple(_WORD.findall(plain.casefold()))


def fit(query: str, title: str, more: str = "") -> int:
    """Return how well a thing fits what somebody typed: 0 does not, and more is better.

    Each typed word must begin a word of the title, or of `more`, which counts less.

    >>> fit("sale", "Summer sale"), fit("summer", "Summer sale"), fit("Summer Sale", "Summer sale")
    (3, 4, 5)
    >>> fit("hero", "Summer sale", "summer-hero"), fit("winter", "Summer sale"), fit("", "Summer sale")
    (1, 0, 0)
    """
    typed, own = words_of(query), words_of(title)
    if not typed:
        return 0
    if typed == own:
        return 5
    if _begins(typed, own):
        return 4 if own[0].startswith(typed[0]) else 3
    return int(_begins(typed, own + words_of(more)))


def _begins(typed: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return all(any(word.startswith(each) for word in words) for each in typed)
