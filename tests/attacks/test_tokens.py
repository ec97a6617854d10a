"""T4: who guesses, walks or bends a recipient's token learns nothing: every answer is the one that nobody gets.

Attacks are made with their defence taken out, too: then they must succeed.
"""

import asyncio
import base64
import random
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from tests.asgi import Answer, ask
from tests.web.test_open import JANE, House
from wetink.core.identity.identifier import Identifier
from wetink.opens import recipient
from wetink.opens.recipient import parse

DEFENCES = [pytest.param(True, id="defended"), pytest.param(False, id="undefended")]
TOKENS = 100_000
"""Tried on the seals, and one in EVERY at a door; `make chaos` tries ten times as many."""
EVERY = 5


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data")
    made.saw("mug")
    yield made
    asyncio.run(made.wetink.close())


def bent(token: str, chance: random.Random) -> str:
    """Return a token that is not this one: other bits, other letters, more or fewer of them, or none of ours."""
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    kind = chance.randrange(6)
    if kind == 0:
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        return secrets.token_urlsafe(chance.randrange(1, 60))
    elif kind == 2:
        place = chance.randrange(len(token))
        other = chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.~%")
        made = token[:place] + other + token[place + 1 :]
        return made if made != token else bent(token, chance)
    elif kind == 3:
        raw = raw[: chance.randrange(len(raw))]
    elif kind == 4:
        raw += secrets.token_bytes(chance.randrange(1, 9))
    else:
        raw[0] = chance.choice([value for value in range(256) if value != raw[0]])  # another epoch
    return base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()


def tokens(house: House, count: int) -> Iterator[str]:
    chance = random.Random(4)
    right = house.wetink.seals.seal(JANE, "hero", "picture")
    for _ in range(count):
        yield bent(right, chance)


class Unproven:
    """A cipher that hides and proves nothing: whatever it opens, it opens to something."""

    def __init__(self, cipher: AESSIV) -> None:
        self._pad = cipher.encrypt(bytes(64), None)

    def encrypt(self, text: bytes, _: object) -> bytes:
        return bytes(letter ^ pad for letter, pad in zip(text, self._pad, strict=False))

    decrypt = encrypt


class Unbound:
    """A cipher that seals a recipient alone, without what the token is for."""

    def __init__(self, cipher: AESSIV) -> None:
        self._cipher = cipher

    def encrypt(self, text: bytes, _: object) -> bytes:
        return self._cipher.encrypt(text, None)

    def decrypt(self, sealed: bytes, _: object) -> bytes:
        return self._cipher.decrypt(sealed, None)


def disarm(house: House, cipher: type[Unproven | Unbound]) -> None:
    """Seal by another cipher."""
    ciphers: dict[int, Any] = house.wetink.seals._ciphers
    for epoch, real in ciphers.items():
        ciphers[epoch] = cipher(real)


def test_without_authentication_altered_tokens_name_other_people(house: House) -> None:
    disarm(house, Unproven)
    unseal = house.wetink.seals._unseal
    opened = [token for token in tokens(house, 1_000) if unseal(token, "hero", "picture") is not None]
    assert len(opened) > 100
    house.saw("secret", who="jbne")  # one bit from jane
    raw = bytearray(base64.urlsafe_b64decode(house.wetink.seals.seal(JANE, "hero", "picture") + "=="))
    raw[3] ^= 3
    walked = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
    assert unseal(walked, "hero", "picture") == Identifier("user", "jbne")
    assert house.get(doors(walked)["words"]).body != house.get(doors("nobody")["words"]).body


def test_a_plain_text_token_opens_nothing_but_would_without_seals(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known() -> list[str]:
        return [
            door for door in ("picture", "words", "click")
            if house.get(doors(str(JANE))[door]).body != house.get(doors("nobody")[door]).body
            or house.get(doors(str(JANE))[door]).headers != house.get(doors("nobody")[door]).headers
        ]  # fmt: skip

    assert known() == []
    house.now += 2_000  # no answer of before is given again
    monkeypatch.setattr(house.wetink.seals, "unseal", lambda token, *_: parse(token.partition(".")[0]))
    assert known() == ["picture", "words", "click"]


def test_no_token_that_was_not_sealed_here_names_anybody(house: House) -> None:
    unseal = house.wetink.seals._unseal
    assert unseal(house.wetink.seals.seal(JANE, "hero", "picture"), "hero", "picture") == JANE
    opened = [token for token in tokens(house, TOKENS) if unseal(token, "hero", "picture") is not None]
    assert opened == []


@pytest.mark.parametrize("defended", DEFENCES)
def test_every_bit_of_a_token_counts(house: House, monkeypatch: pytest.MonkeyPatch, defended: bool) -> None:
    right = house.wetink.seals.seal(JANE, "hero", "picture")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if not defended:  # however it is written
        monkeypatch.setattr(recipient, "_written", lambda raw: ANY)
    others = [
        right[:place] + letter + right[place + 1 :]
        for place in range(len(right))
        for letter in letters.replace(right[place], "")
    ]
    opened = [token for token in others if house.wetink.seals.unseal(token, "hero", "picture") is not None]
    assert (opened == []) is defended
    if not defended:
        return
    assert house.wetink.seals.unseal(f"{right}=", "hero", "picture") is None
    assert house.wetink.seals.unseal(f"{right}\n", "hero", "picture") is None


def doors(token: str) -> dict[str, str]:
    return {
        "picture": f"/o/hero/1/{token}.jpg",
        "data": f"/d/hero/{token}.json",
        "click": f"/c/hero/1/{token}",
        "words": f"/a/hero/1/{token}.txt",
        "html": f"/h/hero/{token}.html",
    }


def test_every_door_answers_a_forged_token_as_it_answers_nobody(house: House) -> None:
    async def run() -> list[tuple[str, str]]:
        async def answer(path: str) -> tuple[int, Any, bytes]:
            got: Answer = await ask(house.door, "GET", path, headers={"user-agent": "Mozilla/5.0 (Macintosh)"})
            return got.status, got.headers, got.body

        nobody = {door: await answer(path) for door, path in doors("nobody").items()}
        jane = {
            door: await answer(path) for door, path in doors(house.wetink.seals.seal(JANE, "hero", "picture")).items()
        }
        assert jane["picture"] != nobody["picture"]
        assert jane["words"] != nobody["words"]
        different = []
        for number, token in enumerate(tokens(house, TOKENS // EVERY)):
            door = list(doors(""))[number % 5]
            if await answer(doors(token.replace("%", "").replace("?", ""))[door]) != nobody[door]:
                different.append((door, token))
        return different

    assert asyncio.run(run()) == []


def test_a_stranger_with_a_true_token_gets_the_very_same_as_nobody(house: House) -> None:
    token = house.wetink.seals.seal(Identifier("user", "stranger"), "hero", "picture")
    for door in ("picture", "words", "click"):
        answers = [house.get(doors(each)[door]) for each in (token, "nobody")]
        assert (answers[0].status, answers[0].headers, answers[0].body) == (
            answers[1].status,
            answers[1].headers,
            answers[1].body,
        )


def test_a_token_that_is_bound_to_nothing_opens_every_door_of_every_block(house: House) -> None:
    disarm(house, Unbound)
    token = house.wetink.seals.seal(JANE, "cards", "picture")
    answer = house.get(doors(token)["data"])
    assert [item["product"]["name"] for item in answer.json["items"]] == ["The mug"]
    assert house.get(doors(token)["click"]).headers["location"] == "https://shop.example/mug"


@pytest.mark.parametrize("purpose", ["picture", "data", "click", "vote"])
@pytest.mark.parametrize("door", ["picture", "data", "click"])
def test_a_token_opens_the_door_it_was_made_for_and_no_other(house: House, purpose: Any, door: str) -> None:
    nobody = house.get(doors("nobody")[door])
    got = house.get(doors(house.wetink.seals.seal(JANE, "hero", purpose))[door])
    assert (got.body, got.headers) != (nobody.body, nobody.headers) or purpose != door
    if purpose != door:
        assert (got.status, got.body, got.headers) == (nobody.status, nobody.body, nobody.headers)


def test_tokens_of_another_block_and_another_server_are_nobodys(house: House, tmp_path: Path) -> None:
    other = House(tmp_path / "other")
    nobody = house.get("/o/hero/1/nobody.jpg").body
    for token in (house.wetink.seals.seal(JANE, "cards", "picture"), other.wetink.seals.seal(JANE, "hero", "picture")):
        assert house.get(f"/o/hero/1/{token}.jpg").body == nobody
    asyncio.run(other.wetink.close())


@pytest.mark.parametrize("defended", DEFENCES)
def test_data_of_a_person_is_for_pages_of_the_shop_and_never_for_all(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(house.wetink.hosts, "own_origin", lambda origin: True)
    path = doors(house.wetink.seals.seal(JANE, "hero", "data"))["data"]
    for origin in ("https://evil.example", "null", "https://shop.example.evil.example"):
        answer = asyncio.run(ask(house.door, "GET", path, headers={"origin": origin}))
        assert ("access-control-allow-origin" not in answer.headers) is defended
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_clock_tells_two_distributions_apart() -> None:
    from tests.chaos_tokens import p_value

    chance = random.Random(1)
    one, same, slower = ([chance.gauss(mean, 10) for _ in range(2_000)] for mean in (100, 100, 102))
    assert p_value(one, same) > 0.01 > p_value(one, slower)  # type: ignore[arg-type]
