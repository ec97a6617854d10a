"""Delivery: what becomes of a message to the outside after each try: delivered, tried again later, or given up.

waiting     its time will come
delivered   the receiver took it (2xx)
dead        given up: it is kept, and can be tried again by hand
"""

import hashlib
from typing import Literal

import msgspec

State = Literal["waiting", "delivered", "dead"]

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
PAUSES = (5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)
"""How long (ms) to wait after each failed try; after the last one it is given up: a bit more than a day later."""

LONGEST_WISH = 24 * HOUR
"""The longest wait that a receiver may ask for (`Retry-After`)."""

GONE = 410


class Answer(msgspec.Struct, frozen=True):
    """How a receiver answered. `status` 0: it did not, and `trouble` says why. `retry_after` is in ms, 0 for none."""

    status: int
    trouble: str = ""
    retry_after: int = 0

    @property
    def taken(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= self.status < 300

    @property
    def words(self) -> str:
        """What happened, for people."""
        return self.trouble or f"it answered {self.status}"


class Outcome(msgspec.Struct, frozen=True):
    """What is to become of a message. `at` is when it is tried again (Unix ms), `why` what happened last."""

    state: State
    at: int
    why: str = ""


def after(tries: int, answer: Answer, now: int, message_id: str) -> Outcome:
    """Return what becomes of a message at `now` (Unix ms) after its `tries`-th try.

    Whatever else than a 2xx is tried again, since a 404 today is often a mistake of today's deployment; only 410 says
    that nobody will ever listen. Pauses differ a little from message to message, so that a receiver that comes back
    is not run over. Source: the Standard Webhooks specification, deliverability.

    >>> after(1, Answer(204), 0, "a").state, after(1, Answer(500), 0, "a").state, after(9, Answer(500), 0, "a").state
    ('delivered', 'waiting', 'dead')
    >>> after(1, Answer(410), 0, "a").why, after(1, Answer(429, retry_after=60_000), 0, "a").at >= 60_000
    ('it answered 410', True)
    """
    if answer.taken:
        return Outcome("delivered", now)
    if answer.status == GONE or tries > len(PAUSES):
        return Outcome("dead", now, answer.words)
    pause = PAUSES[tries - 1]
    spread = hashlib.blake2b(f"{message_id}\0{tries}".encode(), digest_size=2).digest()
    pause += pause * int.from_bytes(spread, "big") // (5 * 65_536)
    return Outcome("waiting", now + max(pause, min(answer.retry_after, LONGEST_WISH)), answer.words)
