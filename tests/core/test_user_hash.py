"""Proof: that a shop's server vouches for a user id, as docs/keys.md says one makes it."""

import hashlib
import hmac
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.contracts.profiles import ONE
from wetink.core.events.message import pieces
from wetink.core.identity.user_hash import PLACES, IdentityVerification, hash_of, matches, sent_hash
from wetink.core.messages.normalize import normalize
from wetink.core.messages.record import Record

SECRET, USER = "an identity secret", "42"
RIGHT = hash_of(USER, SECRET)
DOCUMENT = (Path(__file__).parents[2] / "docs" / "keys.md").read_text()


def line(language: str) -> str:
    found = re.search(rf"```{language}\n([^`]*(?:hash|Hash)[^`]*)\n```", DOCUMENT)
    assert found is not None, f"docs/keys.md has a line for {language}"
    return found[1]


def read(message: dict[str, Any], level: Any = "browser", **verification: Any) -> Record:
    body = msgspec.json.encode({"type": "identify", "userId": USER, "messageId": "m", **message})
    return normalize(
        pieces(body, ONE)[0][0],
        source="page",
        level=level,
        received=1_795_000_000_000,
        verification=IdentityVerification(**{"secrets": (SECRET,), **verification}),
    )


@pytest.mark.parametrize("language", ["js", "python", "ruby", "php", "go"])
def test_the_document_has_a_line_for_each_of_five_languages(language: str) -> None:
    assert "secret" in line(language)


def test_the_line_for_python_makes_the_hash() -> None:
    names: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib, "secret": SECRET, "user_id": USER}
    exec(line("python"), names)
    assert names["user_hash"] == RIGHT


def test_the_line_for_node_makes_the_hash() -> None:
    program = f"const secret = {json.dumps(SECRET)}, userId = {json.dumps(USER)};\n{line('js')}\nconsole.log(userHash);"
    answer = subprocess.run(["node", "-e", program], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.strip() == RIGHT


@pytest.mark.parametrize("place", PLACES, ids=".".join)
@pytest.mark.parametrize("spelling", [RIGHT, RIGHT.upper(), f" {RIGHT} "])
def test_a_right_hash_is_found_at_each_place_and_counts_as_a_servers(place: tuple[str, ...], spelling: str) -> None:
    message = {place[0]: {place[1]: spelling}} if len(place) == 2 else {place[0]: spelling}
    found = read({**message, "traits": {"email": "jane@shop.example"}, "anonymousId": "a"})
    assert (found.verdict, found.problems) == ("usable", ())
    assert found.event is not None
    assert found.event.level == "verified"
    assert {claim.level for claim in found.claims} == {"verified"}


@pytest.mark.parametrize("user", [42, "42", " 42 ", 42.0])
def test_a_number_and_its_digits_are_proven_alike(user: Any) -> None:
    found = read({"userId": user, "context": {"userHash": RIGHT}})
    assert found.event is not None
    assert found.event.level == "verified"


def test_the_hash_may_be_of_the_user_id_as_it_was_sent() -> None:
    found = read({"userId": " 42 ", "context": {"userHash": hash_of(" 42 ", SECRET)}})
    assert found.event is not None
    assert found.event.level == "verified"


WRONG = [
    "x", RIGHT[:-1], RIGHT + "0", hash_of("43", SECRET), hash_of(USER, "another"), hash_of(USER, ""), 7, True, [RIGHT],
    {"a": RIGHT}, "\u00fc" * 64, "0" * 64, hashlib.sha256(USER.encode()).hexdigest(),
]  # fmt: skip


@pytest.mark.parametrize("value", WRONG, ids=str)
@pytest.mark.parametrize("type_", ["identify", "track"])
def test_a_wrong_hash_is_a_problem_at_its_path_and_identifies_nobody(type_: str, value: Any) -> None:
    found = read(
        {
            "type": type_,
            "event": "X",
            "anonymousId": "a",
            "context": {"user_hash": value, "traits": {"email": "j@x.example"}},
        }
    )
    assert [(problem.code, problem.property) for problem in found.problems] == [
        ("wrong_user_hash", "context.user_hash")
    ]
    assert str(found.filed) == "anonymous:a"
    assert found.claims == ()
    assert found.event is not None
    assert (found.event.user, found.event.email, found.event.traits) == ("", "", {})
    alone = read({"type": type_, "event": "X", "context": {"user_hash": value}})
    assert (alone.verdict, alone.filed) == ("parked", None)


@pytest.mark.parametrize("message", [{}, {"userId": None, "traits": {"email": "j@x.example"}}])
def test_a_source_that_asks_for_proof_identifies_nobody_without(message: dict[str, Any]) -> None:
    found = read({**message, "anonymousId": "a"}, required=True)
    assert [problem.code for problem in found.problems] == ["no_user_hash"]
    assert (str(found.filed), found.claims) == ("anonymous:a", ())
    assert read({"context": {"userHash": RIGHT}}, required=True).problems == ()
    visit = read({"type": "page", "userId": None, "anonymousId": "a"}, required=True)
    assert (visit.verdict, visit.problems) == ("usable", ())


def test_a_servers_key_needs_no_proof_and_an_empty_hash_is_none() -> None:
    for level, message in (("server", {"context": {"userHash": "wrong"}}), ("browser", {"context": {"userHash": ""}})):
        found = read(message, level=level)
        assert found.problems == ()
        assert found.event is not None
        assert (found.event.level, found.event.user) == (level, USER)


@pytest.mark.parametrize("raw", [b'{"userHash":', b'{"context":"user_hash"}', b'{"context":[],"a":"userHash"}', b"[]"])
def test_a_hash_that_cannot_be_read_is_none(raw: bytes) -> None:
    assert sent_hash(raw) == ("", None)


def test_without_a_secret_no_hash_is_valid() -> None:
    assert not matches(RIGHT, [USER], [])
    assert matches(RIGHT, [USER], ["new", SECRET])
    assert "secret" not in repr(IdentityVerification((SECRET,)))


def test_a_page_that_joins_users_is_told_that_it_joins_nobody() -> None:
    def codes(**message: Any) -> list[str]:
        return [problem.code for problem in read({"type": "alias", **message}).problems]

    assert codes(previousId="66") == ["page_alias"]
    assert codes(previousId="visitor", anonymousId="visitor") == []
    assert codes(previousId="42") == []
