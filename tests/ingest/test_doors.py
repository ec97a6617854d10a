"""The ingest doors: who may come in, how much, and what is said to those who may not."""

import asyncio
import base64
import gzip
import json
import zlib
from typing import Any

import pytest

from tests.ingest.conftest import NOW, Desk
from wetink.core.errors import StoreUnavailable

TRACK = {"type": "track", "userId": "u", "event": "X", "messageId": "m"}
PATHS = ["track", "identify", "page", "screen", "group", "alias", "t", "i", "p", "s", "g", "a"]


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize("path", PATHS)
def test_the_path_says_the_type_where_the_message_does_not(desk: Desk, path: str) -> None:
    answer = desk.post(f"/v1/{path}", {"userId": "u", "event": "X", "previousId": "v", "groupId": "g"})
    assert (answer.status, answer.json) == (200, {"success": True})
    [message] = desk.messages()
    assert message.type[0] == path[0]
    assert json.loads(message.raw)["type"] == message.type


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"])
def test_a_batch_is_taken_whole(desk: Desk, path: str) -> None:
    batch = {"batch": [{**TRACK, "messageId": f"m{n}"} for n in range(30)]}
    assert desk.post(path, batch).status == 200
    assert len(desk.messages()) == 30


def test_the_key_may_stand_in_basic_in_the_body_or_in_the_query(desk: Desk) -> None:
    key = desk.key.write_key
    body = json.dumps(TRACK).encode()
    with_key = json.dumps({**TRACK, "writeKey": key}).encode()
    for headers in (basic(f"{key}:"), basic(key)):
        assert desk.ask("POST", "/v1/track", body, headers).status == 200
    assert desk.ask("POST", "/v1/track", with_key, {"authorization": "Bearer x"}).status == 200
    assert desk.ask("POST", f"/v1/track?writeKey={key}", body).status == 200
    assert len(desk.messages()) == 1, "the same message four times"
    assert key.encode() not in desk.messages()[0].raw, "a key is not kept with the message"


@pytest.mark.parametrize("key", ["", "wrong", "x" * 5000])
def test_an_unknown_key_is_401_and_says_where_keys_come_from(desk: Desk, key: str) -> None:
    answer = desk.ask("POST", "/v1/track", json.dumps(TRACK).encode(), basic(f"{key}:"))
    assert answer.status == 401
    assert "wetink keys create" in answer.json["error"]["hint"]
    assert answer.json["code"]
    assert answer.json["message"]
    assert not desk.messages()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "byte 0"),
        (b"{", "the end"),
        (b"nonsense", "byte"),
        (b"[]", "$"),
        (b'"text"', "$"),
        (b"\xff\xfe", "byte"),
        (b'{"batch": 5}', "$.batch"),
        (b'{"nothing": []}', "$.batch"),
        (b'{"batch":' + b"[" * 2000 + b"]" * 2000 + b"}", "$"),
    ],
)
def test_an_unreadable_body_gets_400_with_its_place(desk: Desk, body: bytes, where: str) -> None:
    answer = desk.post("/v1/batch", body)
    assert answer.status == 400
    assert where in answer.json["error"]["where"]
    assert answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("path", "size"), [("/v1/track", 33 * 1024), ("/v1/batch", 501 * 1024), ("behavioral", 1100 * 1024)]
)
def test_a_too_large_body_gets_400_with_the_limit(desk: Desk, path: str, size: int) -> None:
    message = json.dumps({**TRACK, "properties": {"text": "x" * size}}).encode()
    answer = desk.behave(message) if path == "behavioral" else desk.post(path, message)
    assert answer.status == 400
    assert "bytes" in answer.json["message"]
    assert not desk.messages()


def test_a_message_that_is_too_large_or_one_too_many_spoils_no_batch(desk: Desk) -> None:
    big = {**TRACK, "messageId": "big", "properties": {"text": "x" * 33 * 1024}}
    assert desk.post("/v1/batch", {"batch": [big, TRACK]}).status == 200
    assert {message.message_id: message.verdict for message in desk.messages()}["m"] == "usable"
    many = {"batch": [{"type": "track", "userId": "u", "event": "E", "messageId": str(n)} for n in range(2501)]}
    assert desk.post("/v1/batch", many).status == 200
    assert [each.problems[0].code for each in desk.messages() if each.verdict == "parked"] == ["too_large", "too_many"]


def test_gzip_is_inflated_whatever_the_headers_say_and_bounded(desk: Desk) -> None:
    packed = gzip.compress(json.dumps({"batch": [TRACK]}).encode())
    assert desk.post("/v1/batch", packed, content_encoding="gzip").status == 200
    assert desk.post("/v1/batch", packed, content_type="application/x-www-form-urlencoded").status == 200
    assert len(desk.messages()) == 1
    bomb = gzip.compress(b'{"batch":[' + b" " * 50_000_000 + b"]}")
    for body in (bomb, packed[:-10], b"\x1f\x8bnonsense"):
        assert desk.post("/v1/batch", body, content_encoding="gzip").status == 400


@pytest.mark.parametrize("wbits", [15, 9, -15, -9, 31])
def test_deflate_is_read_with_and_without_its_header(desk: Desk, wbits: int) -> None:
    def packed(text: bytes) -> bytes:
        packing = zlib.compressobj(wbits=wbits)
        return packing.compress(text) + packing.flush()

    body = packed(json.dumps({"batch": [TRACK]}).encode())
    assert desk.post("/v1/batch", body, content_encoding="deflate").status == 200
    assert len(desk.messages()) == 1
    for bad in (packed(b'{"batch":[' + b" " * 50_000_000 + b"]}"), body[:-10], body[3:]):
        assert desk.post("/v1/batch", bad, content_encoding="deflate").status == 400


@pytest.mark.parametrize("path", ["//v1/track", "/v1//track", "///v1///t//", "/v1/track//", "/v1/track/"])
def test_a_host_that_ends_with_a_slash_loses_nothing(desk: Desk, path: str) -> None:
    assert desk.post(path, TRACK).status == 200
    assert desk.messages()[0].message_id == "m"


def test_a_chunked_body_is_put_together(desk: Desk) -> None:
    body = json.dumps(TRACK).encode()
    assert desk.post("/v1/track", [body[:5], body[5:9], body[9:], b""]).status == 200
    assert desk.messages()[0].message_id == "m"


def test_a_surrogate_cut_in_half_and_nul_are_repaired_not_refused(desk: Desk) -> None:
    body = b'{"type":"track","userId":"u","event":"cut \\ud83d here\\u0000","messageId":"m"}'
    assert desk.post("/v1/track", body).status == 200
    [message] = desk.messages()
    assert message.name == "cut \ufffd here\ufffd"


def test_with_the_store_down_senders_are_asked_to_come_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("disk full", hint="make room")

    monkeypatch.setattr(desk.store.log, "append", down)
    answer = desk.post("/v1/track", TRACK)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1

    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(desk.store.log, "append", broken)
    assert desk.post("/v1/track", TRACK).status == 503
    monkeypatch.setattr(desk.store.sources, "source_of_write_key", down)
    desk.now += 60_000
    assert desk.post("/v1/track", TRACK).status == 503, "never 401 when we cannot know"


def test_a_page_of_any_origin_may_send(desk: Desk) -> None:
    asked = "anonymousid,authorization,content-type,sentat"
    headers = {"origin": "https://shop.example", "access-control-request-headers": asked}
    for path in ("/v1/track", "/sourceConfig/", f"/v1/projects/{desk.page_key.write_key}/settings"):
        answer = desk.ask("OPTIONS", path, headers=headers)
        assert answer.headers["access-control-allow-headers"] == asked
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    refused = desk.post("/v1/track", b"{", origin="https://shop.example")
    assert refused.headers["access-control-allow-origin"] == "https://shop.example", "or a page cannot read why"


def test_movable_inks_door_takes_one_message_many_or_a_native_body(desk: Desk) -> None:
    view = {"sku": "S", "url": "https://shop.example/s"}
    one = {"type": "track", "event": "Product Viewed", "userId": "u", "messageId": "one", "properties": view}
    many = {"events": [{**one, "messageId": f"n{n}", "timestamp": NOW - 1000 * n} for n in range(1000)]}
    native = {"type": "track", "event": "product_viewed", "user_id": "u", "timestamp": str(NOW // 1000),
              "properties": {"id": "P", "title": "Mug", "url": "https://shop.example/p"}}  # fmt: skip
    for body in (one, many, native):
        answer = desk.behave(body)
        assert (answer.status, answer.json) == (200, {"success": True}), answer.body
        assert answer.headers["x-request-id"]
    assert {message.verdict for message in desk.messages()} == {"usable"}
    assert len(desk.messages()) == 1002


def test_movable_inks_door_tells_an_unknown_path_from_a_wrong_secret(desk: Desk) -> None:
    unknown = desk.ask("POST", "/behavioral/nobody", b"{}")
    assert unknown.status == 404
    assert unknown.json["message"] == "Behavioral endpoint key not found"
    assert unknown.json["request_id"]
    wrong = desk.ask("POST", desk.key.path, b"{}", basic(f"{desk.key.access_key}:wrong"))
    assert wrong.status == 401
    assert desk.behave(b"").status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/track", 405), ("PUT", "/v1/batch", 405), ("POST", "/v1/nothing", 404), ("GET", "/v1/", 404),
     ("GET", "/v1/projects/unknown/settings", 401), ("GET", "/sourceConfig/", 401)],
)  # fmt: skip
def test_a_wrong_turn_is_told_in_json(desk: Desk, method: str, path: str, status: int) -> None:
    answer = desk.ask(method, path)
    assert answer.status == status
    assert answer.json["message"]


def test_rudderstacks_source_config_names_the_source(desk: Desk) -> None:
    key = desk.page_key.write_key
    answer = desk.ask("GET", f"/sourceConfig/?writeKey={key}", headers=basic(f"{key}:"))
    assert answer.json["source"]["writeKey"] == key
    assert answer.json["source"]["enabled"] is True


def test_who_is_still_sending_when_the_server_ends_is_asked_to_come_again(desk: Desk) -> None:
    async def ended() -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            if not sent:
                sent.append(None)
                return {"type": "http.request", "body": b'{"event":', "more_body": True}
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/track", "query_string": b"", "headers": []}
        answering = asyncio.create_task(desk.doors(scope, receive, send))
        await asyncio.sleep(0.05)
        answering.cancel()  # as the server does with what is under way when its time is over
        await asyncio.wait([answering])
        return sent[1:]

    start, body = asyncio.run(ended())
    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"]
    assert b'"error"' in body["body"]
