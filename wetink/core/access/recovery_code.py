"""Recovery code: signs in once without the second device. The store has only hashes."""

import hashlib
import unicodedata

LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Letters of a code, without those that look alike."""
GROUP, GROUPS = 4, 4
"""16 letters are 79 bits, so that a hash of a code cannot be guessed."""
CODES = 10
"""Codes that are made at a time."""


def spelled(letters: str) -> str:
    """Return a code in groups.

    >>> spelled("abcdefghjkmnpqrs")
    'abcd-efgh-jkmn-pqrs'
    """
    return "-".join(letters[start : start + GROUP] for start in range(0, len(letters), GROUP))


def digest_of(text: str) -> str:
    """Return the SHA-256 of a code as somebody types it, in hexadecimal; empty if it is none.

    >>> digest_of(" ABCD EFGH-jkmn.pqrs ") == digest_of("abcd-efgh-jkmn-pqrs"), digest_of("abcd")
    (True, '')
    """
    letters = "".join(each for each in unicodedata.normalize("NFKC", text).lower() if each not in " -.\t\r\n")
    if len(letters) != GROUP * GROUPS or not set(letters) <= set(LETTERS):
        return ""
    return hashlib.sha256(letters.encode()).hexdigest()
