"""T11: a page of another site, or somebody without the session, changes nothing by any route there is.

The routes are those of the application itself: one that is added without a good request in `GOOD` fails here.
"""

import asyncio
import hashlib
import itertools
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
from starlette.requests import Request
from starlette.routing import Route

from tests.asgi import Answer, ask
from tests.attacks.good_requests import BLOCK, BOB, GOOD, OPEN, PASSWORD, SECRET, Good
from tests.attacks.hostile import Target
from tests.attacks.sign_in_requests import Believing, ways_in
from tests.web.dashboard import files
from wetink.access.passwords import Passwords
from wetink.access.team import hash_of, role_of
from wetink.core.access.account import Account, ApiToken, Invitation
from wetink.core.events.event import Product
from wetink.web import api, session
from wetink.web.app import ROUTES
from wetink.web.request import now_ms
from wetink.wiring import Wetink

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
EVIL = "https://evil.example"
BY_STEP = {("POST", f"/dashboard/login/{path}") for path in ("second", "set-up", "passkey")}
"""Steps of a sign-in: they need a cookie or a signature that no other site has. See test_sign_in_forms.py."""
BY_LINK = {("POST", "/v/{block}/{slot:slot}/{token}")}
"""Doors for recipients of emails: the link is all they have, and no session helps there."""

count = itertools.count(1)


def changing() -> list[tuple[str, str]]:
    """Return method and path of every route that is asked for other than to be read."""
    found = []
    for route in ROUTES:
        if isinstance(route, Route):
            found += [(method, route.path) for method in sorted((route.methods or set()) - set(session.SAFE))]
    return found


async def employ(wetink: Wetink) -> None:
    """Add an owner, somebody whose role changes, open links, and an API token."""
    accounts, hashed, later = wetink.store.accounts, await Passwords().hash(PASSWORD), now_ms() + 3_600_000
    for name, role in (("bob", "owner"), ("ann", "owner"), ("cat", "viewer")):
        await accounts.add(Account(name, f"{name}@shop.example", name, role_of(role), hashed))
    for id_, email in ((hash_of(SECRET), "eve@shop.example"), ("open", "dan@shop.example")):
        await accounts.invite(Invitation(id_, email, "viewer", created=1, expires=later))
    await wetink.store.api_tokens.add(ApiToken("made", "CI", ("content:read",)))


async def delivered(*_: object) -> dict[str, str]:
    """Take a test of the weekly summary in place of the shop's webhook."""
    return {"webhook": ""}


class House:
    """A dashboard that two people have signed in to."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        self.target, self.runner, self.data = Target(folder), runner, folder / "data"
        (self.target.wetink.settings.content / "templates").mkdir(exist_ok=True)
        (self.target.wetink.settings.content / "templates" / "card.liquid").write_text("<p>Card</p>")
        (self.target.wetink.settings.content / "images").mkdir()
        (self.target.wetink.settings.content / "images" / "there.png").write_bytes(files.png(3, 3))
        runner.run(self.target.prepare())
        (self.target.wetink.settings.content / "blocks" / "broken.yaml").unlink()  # nothing can be pushed beside it
        feeds = self.target.wetink.settings.content / "feeds"
        feeds.mkdir(exist_ok=True)
        (feeds / "stores.yaml").write_text("file: stores.json\nformat: json\n")
        runner.run(self.target.wetink.look_again())
        self.target.wetink.__dict__["_openid"] = Believing()
        self.target.wetink.weekly.test = delivered
        self.first = runner.run(self.write())
        runner.run(employ(self.target.wetink))
        self.own = runner.run(self.enter())
        self.other = runner.run(self.enter())

    async def write(self) -> int:
        """Make two drafts, and two versions of a block. Returns the number of the first."""
        wetink = self.target.wetink
        for path in ("blocks/drafted.yaml", "blocks/other.yaml"):
            await wetink.publishing.save(path, BLOCK, base="", expected=0, by="me")
        await wetink.store.catalog.learn([Product(sku="S-1", name="Kettle", url="https://shop.example/1")], now_ms())
        await wetink.author.save("reports.yaml", b"views: [{title: Kept}]\n", by="me")
        await wetink.author.save("audiences/doomed.yaml", b"rule: {done: X}\n", by="me")
        first = await wetink.author.save("blocks/restored.yaml", BLOCK, by="me")
        await wetink.author.save("blocks/restored.yaml", BLOCK.replace(b"Hi", b"Ho"), by="me")
        return first

    @property
    def token(self) -> str:
        return self.target.wetink.dashboard_token

    async def enter(self) -> tuple[str, str]:
        """Sign in once more; return the cookie and the token of its forms."""
        target = self.target
        body = urlencode({"email": BOB, "password": PASSWORD}).encode()
        got = await ask(target.app, "POST", "/dashboard/login", body, {"content-type": FORM})
        cookie = got.headers["set-cookie"].partition(";")[0]
        page = await ask(target.app, "GET", "/dashboard/sources", headers={"cookie": cookie})
        return cookie, page.body.decode().partition('name="csrf" value="')[2].partition('"')[0]

    def state(self) -> str:
        """Return a digest of all that somebody may change: content, feeds, sources and their keys, and the session."""
        wetink, whole = self.target.wetink, hashlib.sha256()
        for place in (wetink.settings.content, self.data / "uploads"):
            for path in sorted(place.rglob("*")) if place.exists() else ():
                whole.update(f"{path}\0".encode() + (path.read_bytes() if path.is_file() else b""))
        whole.update(msgspec.json.encode(self.runner.run(wetink.versions.listed())))
        whole.update(msgspec.json.encode(self.runner.run(wetink.store.drafts.all())))
        whole.update(msgspec.json.encode(self.runner.run(wetink.store.sources.all())))
        for each in self.runner.run(wetink.store.accounts.all()):
            whole.update(repr((each.name, each.role, each.password, each.disabled)).encode())
        links, tokens = wetink.store.accounts.invitations(), wetink.store.api_tokens.all()
        whole.update(msgspec.json.encode([self.runner.run(links), self.runner.run(tokens)]))
        page = self.runner.run(ask(self.target.app, "GET", "/dashboard/sources", headers={"cookie": self.own[0]}))
        return f"{whole.hexdigest()} {page.status}"

    def send(self, method: str, good: Good, csrf: str, headers: Mapping[str, str], kind: str = "") -> Answer:
        """Send a good request, with a token of forms, headers and a kind of body as somebody may choose them."""
        number = f"{next(count)}"
        last = self.runner.run(self.target.wetink.versions.newest()).number
        target = good.target.replace("*", number).replace("LAST", str(last)).replace("FIRST", str(self.first))
        body = good.fields
        if isinstance(body, bytes):
            sent, usual = body.replace(b"*", number.encode()).replace(b"BLOCK", b64encode(BLOCK)), JSON
            if csrf:
                headers = {"x-csrf": csrf, **headers}
        else:
            made = {name: value.replace("*", number) for name, value in body.items()}
            made |= self.runner.run(ways_in(self.target.wetink, made))
            if made.get("role") == "ROLE":
                cat = self.runner.run(self.target.wetink.team.account("cat"))
                made["role"] = "viewer" if cat.role == "editor" else "editor"
            sent, usual = urlencode({"csrf": csrf, **made} if csrf else made).encode(), FORM
        headers = {"accept": "application/json", "content-type": kind or usual, **headers}
        try:
            return self.runner.run(ask(self.target.app, method, target, sent, headers))
        finally:
            self.runner.run(self.target.wetink.factors.reset("bob"))  # a password is enough to sign in once more

    def attack(self, name: str, method: str, path: str) -> Answer:
        """Send what a good request would be, but for one thing."""
        good, (cookie, csrf) = GOOD[method, path], self.own
        bearer = {"authorization": f"Bearer {self.token}"}
        mine = bearer if path.startswith("/api/") else {"cookie": cookie}
        if path.startswith("/api/") and name != "taken":
            return self.send(method, good, csrf, API_ATTACKS[name](self))
        match name:
            case "no token":
                return self.send(method, good, "", mine)
            case "another session's token":
                return self.send(method, good, self.other[1], mine)
            case "no session":
                return self.send(method, good, csrf, {})
            case "a read" | "a look at its head":
                query = urlencode(good.fields) if isinstance(good.fields, dict) else ""
                body = Good(f"{good.target}?{query}&csrf={csrf}", good.fields)
                return self.send("GET" if name == "a read" else "HEAD", body, csrf, mine)
            case "a body that is text" | "parts":
                kind = "text/plain" if name != "parts" else "multipart/form-data; boundary=x"
                if isinstance(good.fields, bytes):  # its token would be a header, which no such page can send
                    return self.send(method, Good(good.target, good.fields + csrf.encode()), "", mine, kind)
                return self.send(method, good, csrf, mine, kind)
            case _:
                return self.send(method, good, csrf, {**mine, **ELSEWHERE.get(name, {})})


ELSEWHERE = {
    "another origin": {"origin": EVIL},
    "a page without an origin": {"origin": "null"},
    "another port": {"origin": "http://127.0.0.1:1"},
    "an origin that begins like ours": {"origin": "http://wetink.test.evil.example", "host": "wetink.test"},
    "an origin that ends like ours": {"origin": "http://evilwetink.test", "host": "wetink.test"},
    "ours as a name before another host": {"origin": "http://wetink.test@evil.example", "host": "wetink.test"},
    "a fetch from another site": {"sec-fetch-site": "cross-site"},
    "a fetch from a sibling": {"sec-fetch-site": "same-site"},
    "both": {"origin": EVIL, "sec-fetch-site": "cross-site"},
}
API_ATTACKS: dict[str, Callable[[House], Mapping[str, str]]] = {
    "no token": lambda house: {},
    "another token": lambda house: {"authorization": f"Bearer {house.token[:-1]}x"},
    "a session alone": lambda house: {"cookie": house.own[0]},
    "a session from another site": lambda house: {"cookie": house.own[0], "origin": EVIL, "content-type": "text/plain"},
    "a token of forms": lambda house: {"authorization": f"Bearer {house.own[1]}", "cookie": house.own[0]},
    "another scheme": lambda house: {"authorization": f"Basic {house.token}"},
}
ATTACKS = (
    *("no token", "another session's token", "no session", "a read", "a look at its head"),
    *("a body that is text", "parts", *ELSEWHERE),
)


def table() -> list[tuple[str, str, str]]:
    """Return every attack on every route."""
    found = []
    for method, path in changing():
        if (method, path) in BY_LINK | BY_STEP:
            continue
        for name in API_ATTACKS if path.startswith("/api/") else ATTACKS:
            if path in OPEN and name not in ("a body that is text", "parts", *ELSEWHERE):
                continue  # what is asked for is a password or a link, before there is a session
            found.append((method, path, name))
    return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with asyncio.Runner() as runner:
        made = House(tmp_path_factory.mktemp("forged"), runner)
        yield made
        runner.run(made.target.wetink.close())


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[House]:
    """A house in which somebody may change something."""
    with asyncio.Runner() as runner:
        made = House(tmp_path, runner)
        yield made
        runner.run(made.target.wetink.close())


def test_every_route_that_changes_something_has_a_valid_request_to_forge() -> None:
    assert {each for each in changing() if each not in BY_LINK | BY_STEP} == set(GOOD)
    assert all(path.startswith(("/dashboard/", "/api/")) for _, path in GOOD)


@pytest.mark.parametrize("name", sorted({name for *_, name in table()}))
def test_a_forged_request_is_refused_by_every_route_and_nothing_is_changed(house: House, name: str) -> None:
    before = house.state()
    for method, path in ((method, path) for method, path, each in table() if each == name):
        got = house.attack(name, method, path)
        where = f"{method} {path}: {got.status} {got.body[:200]!r}"
        house.runner.run(
            house.target.wetink.store.sessions.forgive("127.0.0.1")
        )  # who guesses must wait, see the sessions
        if name == "no session":
            assert (got.status, got.headers["location"]) == (303, "/dashboard/login"), where
        elif not name.startswith("a read") and not name.startswith("a look"):
            assert got.status in (400, 401, 403, 405, 415), where
        assert "set-cookie" not in got.headers, where
    assert house.state() == before


def test_a_sign_in_needs_the_password_and_our_own_origin(house: House) -> None:
    path = "/dashboard/login"
    assert "set-cookie" in house.attack("no session", "POST", path).headers
    for wrong in ("", "x", house.own[1], PASSWORD[:-1]):
        body = urlencode({"email": BOB, "password": wrong}).encode()
        got = house.runner.run(ask(house.target.app, "POST", path, body, {"content-type": FORM}))
        assert "set-cookie" not in got.headers


def happens(house: House, method: str, path: str, got: Answer, before: str) -> bool:
    if path == "/dashboard/login":
        return "set-cookie" in got.headers
    return got.status < 400 and (not GOOD[method, path].changes or house.state() != before)


def undo(house: House, path: str) -> None:
    if path in (*OPEN, "/dashboard/logout"):  # each may end the session
        house.own = house.runner.run(house.enter())


@pytest.mark.parametrize(
    ("attack", "taken_out"),
    [
        ("taken", ""),
        ("no token", "check_csrf"),
        ("another origin", "check_origin"),
        ("no token", "admit"),
    ],
)
def test_without_its_check_each_forged_request_succeeds(
    lone: House, monkeypatch: pytest.MonkeyPatch, attack: str, taken_out: str
) -> None:
    if taken_out == "admit":
        monkeypatch.setitem(API_ATTACKS, attack, lambda house: {"authorization": "Bearer x"})
        monkeypatch.setattr(api, "admit", _everybody)
    elif taken_out:
        monkeypatch.setattr(session, taken_out, lambda *_: None)
    for method, path in GOOD:
        if path.startswith("/api/") is not (taken_out == "admit") and attack != "taken":
            continue
        if path in OPEN and taken_out == "check_csrf":
            continue
        if path == "/api/content/rollback":
            lone.send("POST", GOOD["POST", "/api/content"], "", {"authorization": f"Bearer {lone.token}"})
        before = lone.state()
        got = lone.attack(attack, method, path)
        assert happens(lone, method, path, got, before), f"{method} {path}: {got.status} {got.body[-900:]!r}"
        undo(lone, path)


async def _everybody(request: Request) -> None:
    """Let everybody on."""
    request.state.who = api.BY_SERVER_TOKEN
