"""`make chaos`: a million tokens that were not sealed here, and a clock beside them.

    python -m tests.chaos_tokens [TOKENS]

None may be answered differently from nobody, in bytes, status or headers. And none may take longer because it is nearly
right: tokens with a few bits flipped and such as are all chance take times of one distribution (Mann-Whitney).
"""

import asyncio
import base64
import math
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.asgi import ask
from tests.attacks.test_tokens import bent
from tests.web.test_open import JANE, House

TIMED = 20_000


def flipped(token: str, chance: random.Random) -> str:
    """Return a token with a few bits flipped; enough that hardly one comes twice, for what does is remembered."""
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    for _ in range(5):
        raw[chance.randrange(1, len(raw))] ^= 1 << chance.randrange(8)
    return base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()


def made_up(token: str) -> str:
    """Return a token of the same length and epoch, all chance but for that."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return base64.urlsafe_b64encode(raw[:1] + secrets.token_bytes(len(raw) - 1)).rstrip(b"=").decode()


async def different(house: House, count: int) -> int:
    """Return how many of so many tokens were answered in another way than nobody is."""
    right, chance, wrong = house.wetink.seals.seal(JANE, "hero", "picture"), random.Random(10), 0
    unseal = house.wetink.seals._unseal
    nobody = await ask(house.door, "GET", "/o/hero/1/nobody.jpg")
    for number in range(count):
        token = bent(right, chance).replace("%", "").replace("?", "")
        if unseal(token, "hero", "picture") is not None:
            wrong += 1
        if number % 10 == 0:
            got = await ask(house.door, "GET", f"/o/hero/1/{token}.jpg")
            wrong += (got.status, got.headers, got.body) != (nobody.status, nobody.headers, nobody.body)
    return wrong


async def timed(house: House, count: int) -> tuple[list[int], list[int]]:
    """Return the nanoseconds that answers to flipped and to made-up tokens took, asked for in turns."""
    right, chance = house.wetink.seals.seal(JANE, "hero", "picture"), random.Random(11)
    times: tuple[list[int], list[int]] = ([], [])
    for _ in range(count):
        pair = [(0, flipped(right, chance)), (1, made_up(right))]
        chance.shuffle(pair)
        for kind, token in pair:
            path = f"/o/hero/1/{token}.jpg"
            start = time.perf_counter_ns()
            await ask(house.door, "GET", path)
            times[kind].append(time.perf_counter_ns() - start)
    return times


def p_value(one: list[int], other: list[int]) -> float:
    """Return the two-sided p of the Mann-Whitney U test, by its normal approximation.

    Source: H. B. Mann, D. R. Whitney, Annals of Mathematical Statistics 18 (1947).
    """
    values: Any = np.concatenate([one, other])
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(1, len(values) + 1)
    n, m = len(one), len(other)
    u = float(ranks[:n].sum()) - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


def main(count: int = 1_000_000) -> int:
    """Try tokens; return 1 when one of them told anything."""
    with tempfile.TemporaryDirectory() as place:
        house = House(Path(place) / "data")
        house.saw("mug")
        wrong = asyncio.run(different(house, count))
        p = p_value(*asyncio.run(timed(house, min(TIMED, count))))
        asyncio.run(house.wetink.close())
    sys.stdout.write(
        f"{count} tokens: {wrong} were answered in another way than nobody is; times differ with p = {p:.3f}\n"
    )
    return int(wrong > 0 or p <= 0.01)


if __name__ == "__main__":
    sys.exit(main(*(int(each) for each in sys.argv[1:])))
