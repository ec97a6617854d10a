"""T12: who guesses the dashboard's token or a key learns nothing from answers and their time, and must wait.

Attacks are made with their defence taken out, too: then they must succeed.
"""

import ast
import asyncio
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from starlette.testclient import TestClient

from tests.serving import Server
from tests.web.test_sessions import LOGIN, browser
from wetink import web
from wetink.ports.keys import FREE_TRIES
from wetink.settings import read
from wetink.store.sqlite.sessions import SQLiteSessions
from wetink.web import session
from wetink.web.request import now_ms
from wetink.wiring import Wetink

PACKAGE = Path(web.__file__).parents[1]
LETTERS = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def wetink(tmp_path: Path) -> Iterator[Wetink]:
    made = Wetink(read({}, data=tmp_path, public_url="http://testserver"))
    asyncio.run(made.look_again())
    yield made
    asyncio.run(made.close())


SECRETS = {"token", "dashboard_token", "secret", "secrets", "wanted", "given", "csrf", "write_key", "digest", "claimed"}
FILES = ("web/session.py", "web/api.py", "web/app.py", "core/identity/user_hash.py", "store/senders.py")


def compared(source: str) -> list[str]:
    """Return where a secret is compared in a way that ends at the first difference."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops):
            sides = [node.left, *node.comparators]
            names = {each.id for side in sides for each in ast.walk(side) if isinstance(each, ast.Name)}
            names |= {each.attr for side in sides for each in ast.walk(side) if isinstance(each, ast.Attribute)}
            if names & SECRETS:
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("name", FILES)
def test_secrets_are_compared_in_a_time_that_tells_nothing(name: str) -> None:
    source = (PACKAGE / name).read_text()
    assert compared(source) == []
    if name in ("web/session.py", "core/identity/user_hash.py", "store/senders.py"):
        assert "hmac.compare_digest(" in source


def test_a_comparison_that_ends_at_the_first_difference_is_found() -> None:
    assert compared("def right(token, wetink): return token == wetink.dashboard_token")
    assert compared("if _digest(secret) != wanted: raise Unauthorized")


def test_a_comparison_that_ends_early_gives_a_token_away_letter_by_letter(
    wetink: Wetink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attack that `compare_digest` keeps out: its time is what a count of the letters looked at stands for here."""
    looked = 0

    def early(given: bytes, wanted: bytes) -> bool:
        nonlocal looked
        looked = next((n for n, (a, b) in enumerate(zip(given, wanted, strict=False)) if a != b), len(wanted))
        return given == wanted

    def time_of(guess: str) -> int:
        nonlocal looked
        looked = 0
        session.is_token(wetink, guess)
        return looked

    def guessed() -> str:
        known = ""
        for _ in wetink.dashboard_token:
            known = max((known + letter for letter in LETTERS), key=time_of)
        return known

    assert guessed() != wetink.dashboard_token
    monkeypatch.setattr("wetink.web.session.hmac.compare_digest", early)
    assert guessed() == wetink.dashboard_token


def wrong(wetink: Wetink) -> list[str]:
    """Return tokens that are not the right one, some nearly."""
    token = wetink.dashboard_token
    key = asyncio.run(wetink.store.sources.create_key("shop", "server", [], 1))
    others = (key.write_key, key.access_key, key.secret, key.path)
    near = (token[:-1], token[1:], token + "x", token.swapcase(), token[::-1], f"x{token}", token[:-1] + "\u00e9")
    odd = (
        "x",
        "0",
        "null",
        "undefined",
        "' OR 1=1 --",
        "\u202e" + token,
        "a" * 10_000,
        token * 2,
        "%00",
        "\ud7ff",
    )
    return [*near, *others, *odd]


def answer_of(got: Any) -> tuple[Any, ...]:
    """Return all of an answer but the ID of its request."""
    return got.status_code, tuple(sorted(each for each in got.headers.items() if each[0] != "x-request-id")), got.text


@pytest.mark.parametrize("door", ["form", "link", "bearer"])
def test_every_wrong_token_gets_the_very_same_answer(wetink: Wetink, door: str) -> None:
    answers = set()
    for number, token in enumerate(wrong(wetink)):
        client = browser(wetink, f"192.0.2.{number}")
        if door == "form":
            got = client.post(LOGIN, data={"token": token})
        elif door == "link":
            got = client.get(LOGIN, params={"token": token})
        else:
            header = {b"authorization": f"Bearer {token}".encode()}
            got = client.get("/api/feeds", headers=header)
        answers.add(answer_of(got))
    assert len(answers) == 1
    assert answers.pop()[0] == (401 if door == "bearer" else 403)


def test_a_key_that_is_retired_disabled_or_was_never_made_gets_the_very_same_answer(wetink: Wetink) -> None:
    keys = [asyncio.run(wetink.store.sources.create_key(name, "server", [], 1)).write_key for name in ("a", "b", "c")]
    asyncio.run(wetink.store.sources.set_source("a", disabled=True))
    asyncio.run(wetink.store.sources.delete_source("b"))
    client, answers = browser(wetink), set()
    body = {"event": "x", "userId": "42"}
    for key in (keys[0], keys[1], keys[2][:-1], keys[2].swapcase(), "never", f"{keys[2]}x", "a" * 5_000):
        got = client.post("/v1/track", json=body, auth=(key, ""))
        answers.add(answer_of(got))
    assert len(answers) == 1
    assert answers.pop()[0] == 401
    assert client.post("/v1/track", json=body, auth=(keys[2], "")).status_code == 200


def guess(client: TestClient, token: str) -> bool:
    """Guess the last letter of a token; return whether one of the guesses was let in."""
    return any(client.post(LOGIN, data={"token": token[:-1] + each}).status_code == 303 for each in LETTERS)


@pytest.mark.parametrize("defended", [True, False])
def test_guessing_the_last_letter_of_a_token_is_rate_limited(
    wetink: Wetink, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    monkeypatch.setattr(wetink, "dashboard_token", "somethinglong-" + LETTERS[-1])

    async def no_wait(self: object, address: str, now: int) -> int:
        return 0

    if not defended:
        monkeypatch.setattr(SQLiteSessions, "try_from", no_wait)
    assert guess(browser(wetink), wetink.dashboard_token) is not defended


def tried(server: Server, token: str) -> int:
    asked = Request(f"{server.address}/api/feeds", headers={"Authorization": f"Bearer {token}"})
    try:
        with urlopen(asked, timeout=60) as got:
            return int(got.status)
    except HTTPError as error:
        return error.code


def test_processes_share_what_they_know_of_who_guesses(tmp_path: Path) -> None:
    with Server(tmp_path / "data", workers=1) as other:  # this very process is the first
        made = Wetink(read({}, data=tmp_path / "data", public_url="http://testserver"))
        here = browser(made, "127.0.0.1")

        def tried_here(token: str) -> int:
            return here.get("/api/feeds", headers={"authorization": f"Bearer {token}"}).status_code

        doors = (tried_here, lambda token: tried(other, token))
        assert [doors[number % 2](f"wrong{number}") for number in range(FREE_TRIES + 1)] == [401] * (FREE_TRIES + 1)
        waits = [asyncio.run(made.store.sessions.try_from("127.0.0.1", now_ms())) for _ in range(2)]
        assert max(waits) > 0
        said = [door("wrong") for _ in range(3) for door in doors]
        assert said.count(429) >= 4, "each of them has had a try at most since"
        asyncio.run(made.close())


@pytest.mark.parametrize("shared", [True, False])
def test_processes_that_each_count_for_themselves_give_more_tries(tmp_path: Path, shared: bool) -> None:
    folders = [tmp_path] * 4 if shared else [tmp_path / name for name in "abcd"]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    kept = [SQLiteSessions(folder) for folder in folders]
    tries = sum(not asyncio.run(each.try_from("192.0.2.1", 1_000_000)) for _ in range(20) for each in kept)
    assert tries == (FREE_TRIES + 1) * (1 if shared else 4)
    for each in kept:
        asyncio.run(each.close())


def test_no_key_is_in_any_byte_of_the_data_folder_but_the_token_among_secrets(wetink: Wetink, tmp_path: Path) -> None:
    asyncio.run(wetink.follow())
    keys = [asyncio.run(wetink.store.sources.create_key(f"shop-{n}", "server", [], 1)) for n in range(5)]
    asyncio.run(wetink.store.sources.rotate_key("shop-0", 2))
    cookie = browser(wetink).post(LOGIN, data={"token": wetink.dashboard_token}).cookies["wetink_session"]
    for key in keys:
        assert asyncio.run(wetink.store.sources.source_of_write_key(key.write_key)) is not None
    secrets = [each for key in keys for each in (key.write_key, key.secret)] + [cookie]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        whole = path.read_bytes()
        assert not [each for each in secrets if each.encode() in whole], path.name
        assert wetink.dashboard_token.encode() not in whole or path.name.startswith(("dashboard.token", "secrets.db"))
        assert keys[0].path.rpartition("/")[2].encode() in whole or path.name != "store.db"
