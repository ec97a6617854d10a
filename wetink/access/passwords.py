"""Passwords: hashed by Argon2id, and refused while they are easy to guess.

Each hash takes memory and a tenth of a second, so that a stolen store is of little use. Few run at once.
"""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from wetink.core.errors import BadRequest

AT_ONCE = 2
"""Hashes that a process computes at a time: each takes `MEMORY_KB`."""
MEMORY_KB, PASSES = 32 * 1024, 3

SHORTEST, LONGEST = 8, 256
"""Characters of a password."""
LOOKED_AT = 64
"""Characters that are judged: the time grows with the square of their number."""
WORDS = "four words that do not belong together are good"
GOOD = 3
"""The lowest score (0 to 4) of a password that is taken: about 100 million guesses."""


class Passwords:
    """Hashes and checks passwords in threads."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KB, parallelism=1)
        self._turns = asyncio.Semaphore(AT_ONCE)

    @cached_property
    def _nobody(self) -> str:
        """The hash that stands in for an account that is missing, so that the answer takes as long."""
        return self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """Return the hash of a password."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def is_right(self, hashed: str, password: str) -> bool:
        """Return whether a password has this hash. It takes as long if there is none."""
        async with self._turns:
            return await asyncio.to_thread(self._matches, hashed, password)

    def _matches(self, hashed: str, password: str) -> bool:
        nobody = self._nobody
        try:
            return self._hasher.verify(hashed or nobody, password[: LONGEST + 1]) and bool(hashed)
        except (VerificationError, InvalidHashError):
            return False


def check_password(password: str, about: Sequence[str]) -> None:
    """Raise BadRequest, with what makes it weak in plain words, for a password that is easy to guess.

    `about` are words that others know of the account, such as its email and name.
    """
    if len(password) < SHORTEST:
        raise BadRequest(f"use at least {SHORTEST} characters", hint=WORDS, where="password")
    if len(password) > LONGEST:
        raise BadRequest(f"use at most {LONGEST} characters", where="password")
    score, weak = strength(password, about)
    if score < GOOD:
        raise BadRequest(f"this password is easy to guess: {weak}", hint="add another word or two", where="password")


def strength(password: str, about: Sequence[str] = ()) -> tuple[int, str]:
    """Return the score of a password, from 0 to 4, and what makes it weak in plain words.

    >>> strength("Password1"), strength("correct horse battery staple")[0]
    ((0, 'it is a common password'), 4)
    >>> strength("ida@shop.example", ["ida@shop.example"])
    (0, 'it has your name or address')
    """
    from zxcvbn import zxcvbn  # its lists of words take a tenth of a second to load

    known = [part for text in ("wetink", *about) for part in (text, *text.replace("@", " ").replace(".", " ").split())]
    result = zxcvbn(password[:LOOKED_AT], user_inputs=[part[:LOOKED_AT] for part in known if len(part) > 2])
    score = int(result["score"])
    if score >= GOOD:
        return score, ""
    longest: dict[str, Any] = max(result["sequence"], key=lambda match: len(match["token"]), default={})
    return score, _weakness(longest)


def _weakness(match: dict[str, Any]) -> str:
    if match.get("pattern") == "dictionary":
        return DICTIONARIES.get(str(match.get("dictionary_name")), "it is one word")
    return PATTERNS.get(str(match.get("pattern")), "it is short")


PATTERNS = {
    "spatial": "its keys are next to each other",
    "repeat": "it repeats itself",
    "sequence": "it has a sequence such as abc or 6543",
    "regex": "it has a year",
    "date": "it has a date",
}
DICTIONARIES = {
    "passwords": "it is a common password",
    "user_inputs": "it has your name or address",
    "surnames": "it has a name",
    "male_names": "it has a name",
    "female_names": "it has a name",
}
