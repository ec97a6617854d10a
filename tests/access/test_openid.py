"""OpenID Connect: a real provider signs people in, and an answer that cannot be trusted is refused in words."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from bench.program import free_port
from tests.identity_provider import CLIENT, SECRET, IdentityProvider
from wetink.access.openid import OpenID
from wetink.core.access.single_sign_on import Provider, Step, person_of
from wetink.core.errors import Forbidden, Unavailable

BACK = "http://localhost:8000/dashboard/login/with/test/back"
KEY, OTHER = RSAKey.generate_key(2048, {"kid": "one"}), RSAKey.generate_key(2048, {"kid": "one"})


@pytest.fixture(scope="module")
def real() -> Iterator[IdentityProvider]:
    with IdentityProvider(BACK) as provider:
        yield provider


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def signed_in(real: IdentityProvider, who: str, **wrong: str) -> Mapping[str, Any]:
    provider = Provider("test", "Test", real.issuer, CLIENT, wrong.get("secret", SECRET))
    openid = OpenID([f"127.0.0.1:{real.port}"])

    async def story() -> Mapping[str, Any]:
        address, step = await openid.begin(provider, BACK, "/dashboard", now_ms(), now_ms() + 60_000)
        back = dict(parse_qsl(urlsplit(await asyncio.to_thread(real.sign_in, address, who)).query))
        assert back["state"] == step.state
        step = msgspec.structs.replace(step, verifier=wrong.get("verifier", step.verifier))
        return await openid.finish(provider, BACK, step, wrong.get("code", back["code"]), now_ms())

    return asyncio.run(story())


def test_a_real_provider_says_who_somebody_is(real: IdentityProvider) -> None:
    person = person_of(signed_in(real, "ida+mail+it@shop.example"), "groups")
    assert person.email == "ida+mail+it@shop.example"
    assert person.subject == "ida+mail+it@shop.example"
    assert person.groups == ("mail", "it")
    assert person.verified
    assert not person_of(signed_in(real, "unverified@shop.example"), "groups").verified


@pytest.mark.parametrize("wrong", [{"code": "another"}, {"secret": "another"}, {"verifier": "another" * 8}], ids=str)
def test_a_real_provider_refuses_a_code_that_is_not_ours(real: IdentityProvider, wrong: dict[str, str]) -> None:
    with pytest.raises(Forbidden, match="Test refused the sign-in"):
        signed_in(real, "ida@shop.example", **wrong)


class Odd:
    """A provider that answers as a test says."""

    def __init__(self) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.step = Step("odd", "state", "a nonce", "v" * 43, "/dashboard", 0)
        self.claims: dict[str, Any] = {}
        self.about: dict[str, Any] = {}
        self.key, self.algorithm, self.keys = KEY, "RS256", [KEY]
        self.token: dict[str, Any] | None = None
        self.body: bytes | None = None
        self.status, self.asked = 200, 0

    def answer(self, path: str) -> bytes:
        self.asked += 1
        if self.body is not None:
            return self.body
        at = self.issuer
        about = {"issuer": at, "authorization_endpoint": f"{at}/auth", "token_endpoint": f"{at}/token"}
        now = now_ms() // 1000
        usual = {
            "iss": at,
            "aud": CLIENT,
            "sub": "1",
            "exp": now + 60,
            "iat": now,
            "nonce": "a nonce",
            "email": "a@b.c",
        }
        found: Any = {**about, "jwks_uri": f"{at}/keys", **self.about}
        if path == "/keys":
            found = {"keys": [each.as_dict(private=False) for each in self.keys]}
        elif path == "/token":
            claims = {name: value for name, value in {**usual, **self.claims}.items() if value is not None}
            token = jwt.encode({"alg": self.algorithm, "kid": "one"}, claims, self.key)
            found = (
                self.token
                if self.token is not None
                else {"access_token": "a", "token_type": "Bearer", "id_token": token}
            )
        return msgspec.json.encode(found)


@pytest.fixture
def odd() -> Iterator[Odd]:
    odd = Odd()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = odd.answer(self.path)
            self.send_response(odd.status)
            self.send_header("content-type", "application/json")
            if odd.status == 302:
                self.send_header("location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", odd.port), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield odd
        server.shutdown()
        thread.join()


def finished(odd: Odd, *, private: bool = True) -> Mapping[str, Any]:
    provider = Provider("odd", "Odd", odd.issuer, CLIENT, SECRET)
    openid = OpenID([f"127.0.0.1:{odd.port}"] if private else [])
    return asyncio.run(openid.finish(provider, BACK, odd.step, "code", now_ms()))


def test_a_right_answer_is_taken(odd: Odd) -> None:
    assert finished(odd)["email"] == "a@b.c"
    odd.claims = {"aud": [CLIENT, "other"], "azp": CLIENT}
    assert finished(odd)["sub"] == "1"


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"aud": "another"}, "another client"),
        ({"aud": ["another"]}, "another client"),
        ({"aud": "another", "azp": CLIENT}, "another client"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "another client"),
        ({"aud": None}, "another client"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": "soon"}, "expired"),
        ({"iat": 9_999_999_999}, "future"),
        ({"nonce": "another"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"sub": None}, "sub"),
        ({"sub": 7}, "sub"),
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_is_refused_in_words(odd: Odd, claims: dict[str, Any], says: str) -> None:
    odd.claims = claims
    with pytest.raises(Forbidden, match=says):
        finished(odd)


def test_a_signature_of_another_key_is_refused(odd: Odd) -> None:
    odd.key = OTHER
    with pytest.raises(Forbidden, match="signature"):
        finished(odd)
    odd.key, odd.keys = KEY, []
    with pytest.raises(Forbidden, match="signature"):
        finished(odd)


@pytest.mark.parametrize("token", [{}, {"id_token": 7}, {"id_token": "a.b.c"}, {"id_token": "e30.e30."}], ids=str)
def test_what_is_no_token_is_refused(odd: Odd, token: dict[str, Any]) -> None:
    odd.token = token
    with pytest.raises(Forbidden):
        finished(odd)


BODIES = [b"", b"[]", b"null", b"{", b"<html>", b"\xff", b"[" * 50_000, b'"' + b"x" * (2 << 20) + b'"']


@pytest.mark.parametrize("body", BODIES, ids=lambda body: ascii(body[:6]))
def test_what_is_no_description_is_told_as_no_answer(odd: Odd, body: bytes) -> None:
    odd.body = body
    with pytest.raises(Unavailable, match="Odd does not answer"):
        finished(odd)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_error_and_a_redirect_are_no_answer(odd: Odd, status: int) -> None:
    odd.status = status
    with pytest.raises(Unavailable, match="Odd does not answer"):
        finished(odd)
    assert odd.asked == 1


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"issuer": "https://evil.example"}, "calls itself"),
        ({"issuer": None}, "calls itself"),
        ({"token_endpoint": None}, "describe"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "describe"),
        ({"jwks_uri": "file:///etc/passwd"}, "describe"),
    ],
    ids=str,
)
def test_a_description_of_something_else_is_refused(odd: Odd, about: dict[str, Any], says: str) -> None:
    odd.about = about
    with pytest.raises(Unavailable, match=says):
        finished(odd)


def test_a_provider_that_is_down_is_told_as_no_answer() -> None:
    port = free_port()
    provider = Provider("down", "Down", f"http://127.0.0.1:{port}", CLIENT, SECRET)
    openid = OpenID([f"127.0.0.1:{port}"])
    with pytest.raises(Unavailable, match="Down does not answer"):
        asyncio.run(openid.begin(provider, BACK, "", now_ms(), now_ms()))


@pytest.mark.parametrize("where", ["itself", "keys_uri", "token"])
def test_no_address_of_the_inner_network_is_reached_unless_it_is_allowed(odd: Odd, where: str) -> None:
    if where == "itself":
        with pytest.raises(Unavailable, match="not at a public address"):
            finished(odd, private=False)
        assert odd.asked == 0
        return
    inner = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler, bind_and_activate=True)
    try:
        odd.about = {"jwks_uri" if where == "keys_uri" else "token_endpoint": f"http://127.0.0.1:{inner.server_port}/x"}
        with pytest.raises(Unavailable, match="not at a public address"):
            finished(odd)
    finally:
        inner.server_close()
