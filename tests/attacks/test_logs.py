"""T18: the log of a whole day tells nothing about people, keys or what was sent, and nobody writes lines of their own.

A real server is asked for all that goes well and wrong; then its log is searched. Without the defence it tells.
"""

import asyncio
import base64
import contextlib
import http.client
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from tests.serving import Server
from wetink.core.errors import BadContent
from wetink.core.identity.identifier import Identifier
from wetink.settings import read
from wetink.web import logs
from wetink.wiring import Wetink

EMAIL, NAME, USER, CITY = "zuleika.quux@shop.example", "Zuleika Quux", "zq-user-4711", "Quuxhaven"
SECRET, PASSWORD, VISITOR = "s3cretFeedKeyZQ", "hunter2Quux", "zq-device-0815"
TYPED = "wr0ngTokenZuleikaQuux"
SEEDED = (EMAIL, NAME, USER, CITY, SECRET, PASSWORD, VISITOR, TYPED, "Zuleika", "Quux", quote(EMAIL), "%40shop.example")
REQUEST_ID = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
FORGED = "\r\nERROR wetink.web: forged\x1b[31m\u2028\x00"

BLOCKS = {
    "blocks/good.yaml": "variants: [{name: seen, app: last-viewed}]\n",
    "blocks/date.yaml": "variants: [{name: it, app: custom, template: date.liquid}]\n",
    "blocks/html.yaml": "variants: [{name: it, app: custom, template: html.liquid}]\n",
    "blocks/loop.yaml": "variants: [{name: it, app: custom, template: loop.liquid}]\n",
    "blocks/feed.yaml": "variants: [{name: it, app: custom, template: feed.liquid}]\n",
    "templates/date.liquid": "{{ person.traits.name | date: person.traits.city }}"
    "{{ person.traits.name | divided_by: 0 }}",
    "templates/html.liquid": "{{ person.traits.name }}<b style='width:{{ person.traits.name }}'>"
    "<img src='{{ person.traits.city }}'>",
    "templates/loop.liquid": "{% for each in (1..1000000) %}{{ person.traits.name }}{% endfor %}",
    "templates/feed.liquid": "{% for each in feeds.mine %}{{ each.name }}{% endfor %}{{ feeds.nosuch.x | date: '%Y' }}",
    "feeds/failing.yaml": f"url: http://me:{PASSWORD}@127.0.0.1:1/feed?key={SECRET}\nformat: json\n",
    "feeds/refused.yaml": f"url: https://feed.invalid/feed?key={SECRET}\nformat: json\n",
    "audiences/all.yaml": "title: All\nrule: {done: Product Viewed}\n"
    f"hook: {{url: 'http://127.0.0.1:1/hook?key={SECRET}', backfill: true}}\n",
}
MORE = 'fallback: {link: "https://shop.example/", title: Hi}\nrecipients: [user, email]\nwidth: 200\nheight: 100\n'


class Day(msgspec.Struct):
    """What a day left: its log, and the secrets that were in play."""

    log: str
    secrets: list[str]
    form: str


@pytest.fixture(scope="module", params=["console", "json"])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WETINK_LOG_FORMAT", request.param)
        yield lived(tmp_path_factory, request.param)


def lived(tmp_path_factory: pytest.TempPathFactory, form: str) -> Day:
    place = tmp_path_factory.mktemp("logs")
    data, log = place / "data", place / "log"
    for name, text in BLOCKS.items():
        path = data / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + (MORE if name.startswith("blocks/") else ""))

    async def prepare() -> tuple[tuple[str, str, str], list[str]]:
        wetink = Wetink(read({}, data=data))
        await wetink.look_again()
        key = await wetink.store.sources.create_key("shop", "server", ["shop.example"], 1)
        who = [Identifier("user", USER), Identifier("email", EMAIL)]
        tokens = [wetink.seals.seal(each, name, "picture") for each in who for name in ("good", "date", "html")]
        token = wetink.dashboard_token
        await wetink.close()
        return (key.write_key, key.secret, token), tokens

    secrets, tokens = asyncio.run(prepare())
    with Server(data, workers=1, log=log) as server:
        cookie = live(server, secrets[0], secrets[2], tokens)
        until = time.monotonic() + 30
        while log.stat().st_size < 200 and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(1)
    return Day(log.read_text("utf-8", "replace"), [*secrets, *tokens, cookie], form)


def live(server: Server, key: str, token: str, tokens: list[str]) -> str:
    """Do all that somebody may do; return the session."""

    def ask(method: str, path: str, body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
        there = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        with contextlib.closing(there):
            named = {"x-request-id": REQUEST_ID} | headers
            there.request(method, path, body, {name.replace("_", "-"): value for name, value in named.items()})
            got = there.getresponse()
            got.read()
            return got

    tell(ask, key)
    look(ask, tokens)
    cookie = enter(ask, token)
    for path in PAGES:
        ask("GET", f"/dashboard/{path}", cookie=cookie)
    for body in (f'{{"block": "{NAME}"}}', f'{{"block": "date", "who": "user:{USER}"}}', f'{{"who": "{EMAIL}"'):
        ask("POST", "/api/preview", body.encode(), authorization=f"Bearer {token}")
        ask("POST", "/api/preview/1", body.encode(), authorization=f"Bearer {token}")
    ask("PUT", "/api/feeds/new?format=csv", f'{NAME}\n"{EMAIL}'.encode(), authorization=f"Bearer {token}")
    for path in ("content", f"report?block={NAME}", f"conversions/{EMAIL}", f"opens?who={EMAIL}", f"opens/{USER}"):
        ask("GET", f"/api/{quote(path, safe='/?=')}", authorization=f"Bearer {token}")
        ask("GET", f"/api/{quote(path, safe='/?=')}", authorization=f"Bearer {TYPED}")
    pushed = msgspec.json.encode({"files": {f"blocks/{USER}.yaml": EMAIL}})
    ask("POST", "/api/content", pushed, authorization=f"Bearer {token}")
    return cookie.partition("=")[2]


Ask = Callable[..., http.client.HTTPResponse]
FORM = "application/x-www-form-urlencoded"
MESSAGES: list[dict[str, Any]] = [
    {
        **{"type": "identify", "userId": USER, "anonymousId": VISITOR},
        "traits": {"name": NAME, "email": EMAIL, "city": CITY, FORGED: FORGED},
        "context": {"userAgent": FORGED, "ip": "203.0.113.77", "page": {"referrer": f"https://x.example/?e={EMAIL}"}},
    },
    {"event": "Product Viewed", "userId": USER, "properties": {"sku": NAME, "name": NAME, "price": NAME}},
    {"event": FORGED + NAME, "userId": FORGED, "properties": {"products": [EMAIL, {"price": EMAIL}]}},
    {"type": NAME, "event": EMAIL},
    {"event": {"name": EMAIL}, "userId": [EMAIL]},
]
BAD = (f'{{"event": "{EMAIL}', f'["{NAME}"', EMAIL, '{"batch": 3}', '{"batch": [' + "[" * 2_000)
PAGES = (
    *(f"people/user:{USER}", f"people/email:{quote(EMAIL)}", f"blocks/{quote(NAME)}", f"opens?who=user:{USER}"),
    *(f"mappings?message={quote(EMAIL)}", f"catalog?q={quote(NAME)}", "live", "feeds/failing"),
    *(f"preview/date/1.img?who=user:{USER}", f"blocks/html?who=user:{USER}", f"audiences/all?who=user:{USER}"),
)


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def tell(ask: Ask, key: str) -> None:
    """Send messages, good and bad."""
    body = msgspec.json.encode({"batch": [{"type": "track", **each} for each in MESSAGES]})
    assert ask("POST", "/v1/batch", body, authorization=basic(key)).status == 200
    for bad in BAD:
        for path in ("/v1/batch", "/v1/track", "/v1/identify", "/beacon/v1/batch"):
            ask("POST", path, bad.encode(), authorization=basic(key))
    ask("POST", "/v1/track", b"{}", authorization=basic(TYPED))
    ask("GET", f"/v1/pixel/track?data={quote(EMAIL)}&writeKey={key}")
    for given in (EMAIL, USER, f"{NAME} {FORGED!r}", "A" * 300):
        ask("POST", "/v1/track", BAD[0].encode(), authorization=basic(key), x_request_id=given)
    for path in (f"/behavioral/{TYPED}", f"/v1/{quote(NAME)}", f"/nothing/{quote(EMAIL)}"):
        ask("POST", path, BAD[0].encode(), authorization=basic(TYPED))
    for path in (
        f"/sourceConfig?writeKey={TYPED}",
        f"/v1/projects/{TYPED}/settings",
        f"/projects/{quote(EMAIL)}/settings",
    ):
        ask("GET", path)


def look(ask: Ask, tokens: list[str]) -> None:
    """Open and click, by plain identifiers and by tokens."""
    for name in ("good", "date", "html", "loop", "feed"):
        for who in (f"user={USER}", f"email={quote(EMAIL)}"):
            for door in (
                *(f"/o/{name}/1.jpg", f"/c/{name}/1", f"/d/{name}.json", f"/o/{name}/9.gif"),
                *(f"/a/{name}/1.txt", f"/h/{name}.html", f"/v/{name}/1/{USER}"),
            ):
                ask("GET", f"{door}?{who}&c={quote(FORGED + NAME)}", user_agent=f"{EMAIL} Mozilla", referer=EMAIL)
    for each in tokens:
        ask("GET", f"/o/good/1/{each}.jpg")
        ask("GET", f"/o/date/1/{each}.jpg")
        ask("GET", f"/c/html/1/{each[:-1]}x")


def enter(ask: Ask, token: str) -> str:
    """Sign in with wrong tokens and then with the right one; return the cookie."""
    for tried in (TYPED, EMAIL):
        ask("GET", f"/dashboard/login?token={quote(tried)}")
        ask("POST", "/dashboard/login", f"token={quote(tried)}".encode(), content_type=FORM)
    got = ask("GET", f"/dashboard/login?token={token}")
    assert got.status == 303
    return (got.getheader("set-cookie") or "").partition(";")[0]


def test_the_log_of_a_day_tells_nothing_of_people_keys_or_bodies(day: Day) -> None:
    assert "shows a fallback" in day.log, "something went wrong and was told of"
    found = [each for each in (*SEEDED, *day.secrets) if each in day.log]
    assert found == [], [line for line in day.log.splitlines() if any(each in line for each in found)][:5]


def test_each_line_of_the_log_is_a_record_of_ours(day: Day) -> None:
    for line in day.log.split("\n")[:-1]:
        level = msgspec.json.decode(line)["level"].upper() if day.form == "json" else line.partition(" ")[0]
        assert level in ("WARNING", "ERROR", "CRITICAL"), line
        assert line.isprintable(), line


def test_a_line_about_a_request_has_its_id(day: Day) -> None:
    lines = [line for line in day.log.splitlines() if "shows a fallback" in line]
    assert lines
    for line in lines:
        found = msgspec.json.decode(line)["request_id"] if day.form == "json" else line.rpartition(" [")[2].rstrip("]")
        assert found == REQUEST_ID, line


def broken(value: str) -> Exception:
    try:
        try:
            raise KeyError(value)
        except KeyError as error:
            raise ValueError(f"{value} is odd: {{'a': {value!r}}}") from error
    except ValueError as error:
        return error


VALUES = (
    EMAIL, f"mailto:{EMAIL}", quote(EMAIL), f"user:{USER}", f"email:{EMAIL}", f"anonymous:{VISITOR}",
    f"https://me:{PASSWORD}@shop.example/feed?key={SECRET}", f"http://shop.example/{SECRET}",
    f"HTTPS://shop.example?k={SECRET}#x", f"'{NAME}'", f'"{NAME}"', f"“{NAME}”", f"'{NAME}\\'s'",
    "AbCdEf0123456789-_AbCdEf", "Bearer AbCdEf0123456789-_AbCdEf",
)  # fmt: skip


def line_of(
    message: str, *values: object, error: BaseException | None = None, formatter: logging.Formatter | None = None
) -> str:
    info = (type(error), error, error.__traceback__) if error is not None else None
    record = logging.LogRecord("wetink.feeds", logging.ERROR, __file__, 1, message, values, info)
    return (formatter or logs.OneLine()).format(record)


@pytest.mark.parametrize("form", logs.FORMATS)
@pytest.mark.parametrize("value", VALUES)
def test_personal_data_is_stripped_from_log_lines(value: str, form: str) -> None:
    parts = (EMAIL, quote(EMAIL), USER, VISITOR, PASSWORD, SECRET, NAME, "AbCdEf0123456789")
    shown = logs.FORMATS[form]()
    lines = [
        line_of("feed %s: %s", "stores", value, formatter=shown),
        line_of(f"no answer from {value} in time", formatter=shown),
        line_of("a page broke", error=broken(value), formatter=shown),
        line_of("a page broke", error=OSError(2, "No such file", value), formatter=shown),
        line_of("it shows a fallback: %s", BadContent(f"the template has an error: {value}"), formatter=shown),
    ]
    for line in lines:
        assert not [each for each in parts if each in line], line
    assert "test_logs.py" in lines[2], "where it happened is told"
    assert "KeyError" in lines[2]
    plain = logging.Formatter("%(levelname)s %(name)s: %(message)s")
    undefended = line_of("feed %s: %s", "stores", value, error=broken(value), formatter=plain)
    assert [each for each in parts if each in undefended], "without the defence it is told"
    assert "\n" in undefended


@pytest.mark.parametrize("code", [*range(32), 127, 0x85, 0x9B, 0x2028, 0x2029, 0x202E, 0x200B, 0xFEFF, 0xD800, 0xE000])
def test_control_characters_are_escaped(code: int) -> None:
    line = line_of("feed %s", f"a{chr(code)}ERROR forged")
    assert line.isprintable()
    assert chr(code) not in line
    line.encode()


def test_a_line_has_an_end_and_a_record_that_cannot_be_said_is_said() -> None:
    assert len(line_of("%s", "a b " * 100_000)) < 2 * logs.LONGEST
    assert "TypeError" in line_of("%d", "x")
    assert line_of("feed %s cannot be refreshed", "stores") == "ERROR wetink.feeds: feed stores cannot be refreshed"
