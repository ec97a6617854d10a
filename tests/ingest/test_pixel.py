"""The tracking pixel: a message in the address of a picture is stored, and the answer is the picture."""

import base64
import json
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from tests.ingest.conftest import Desk
from tests.ingest.test_doors import basic

OPENED: dict[str, Any] = {"userId": "px", "event": "Email Opened", "properties": {"subject": "x ÿþ>>>???~~~"}}


def asked(desk: Desk, data: str, type_: str = "track", **more: Any) -> Any:
    return desk.ask("GET", f"/v1/pixel/{type_}?data={data}", **more)


def coded(message: Any, key: str = "") -> bytes:
    return json.dumps({**message, **({"writeKey": key} if key else {})}, ensure_ascii=False).encode()


WRITINGS = {
    "standard, as it is": lambda raw: base64.b64encode(raw).decode(),
    "standard, escaped": lambda raw: quote(base64.b64encode(raw).decode(), safe=""),
    "standard without padding": lambda raw: base64.b64encode(raw).decode().rstrip("="),
    "for URLs": lambda raw: base64.urlsafe_b64encode(raw).decode(),
    "for URLs without padding": lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="),
    "in lines": lambda raw: quote(base64.encodebytes(raw).decode()),
}


@pytest.mark.parametrize("length", range(4))
@pytest.mark.parametrize("writing", WRITINGS.values(), ids=list(WRITINGS))
def test_a_message_in_any_base64_is_stored_and_a_picture_answered(desk: Desk, writing: Any, length: int) -> None:
    message = {**OPENED, "properties": {"subject": "ÿþ>>>???~~~" + "x" * length}}
    answer = asked(desk, writing(coded(message, desk.key.write_key)))
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert "no-store" in answer.headers["cache-control"]
    with Image.open(BytesIO(answer.body)) as picture:
        assert (picture.format, picture.size) == ("GIF", (1, 1))
    [stored] = desk.messages()
    assert (stored.verdict, stored.name, stored.source) == ("usable", "Email Opened", "shop")
    kept = json.loads(stored.raw)
    assert kept["properties"] == message["properties"]
    assert "writeKey" not in kept


@pytest.mark.parametrize("type_", ["track", "identify", "page", "screen", "group", "alias"])
def test_the_path_says_the_type(desk: Desk, type_: str) -> None:
    data = WRITINGS["for URLs"](coded({**OPENED, "previousId": "v", "groupId": "g"}, desk.key.write_key))
    assert asked(desk, data, type_).status == 200
    assert json.loads(desk.messages()[0].raw)["type"] == type_


def test_the_key_may_stand_beside_the_message(desk: Desk) -> None:
    data = WRITINGS["for URLs"](coded({**OPENED, "messageId": "m"}))
    key = desk.key.write_key
    assert asked(desk, f"{data}&writeKey={key}").status == 200
    assert asked(desk, data, headers=basic(f"{key}:")).status == 200
    assert len(desk.messages()) == 1


@pytest.mark.parametrize("key", ["", "wrong"])
def test_an_unknown_key_is_401_and_nothing_is_stored(desk: Desk, key: str) -> None:
    assert asked(desk, WRITINGS["for URLs"](coded(OPENED, key))).status == 401
    assert not desk.messages()


@pytest.mark.parametrize(
    "data",
    ["", "%", "no base64!", "bm8ganNvbg==", "W10=", "Nw==", "bnVsbA==", "e30=", "ew==", "%00", "/w==", "A" * 900],
)
def test_what_cannot_be_read_still_gets_its_picture_and_is_set_aside(desk: Desk, data: str) -> None:
    answer = desk.ask("GET", f"/v1/pixel/track?data={quote(data)}&writeKey={desk.key.write_key}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    stored = desk.messages()
    assert [each.verdict for each in stored] == (["parked"] if data else [])
    assert all(each.problems for each in stored)


def test_only_a_look_is_taken_with_head_and_other_methods_are_refused(desk: Desk) -> None:
    path = f"/v1/pixel/track?data={WRITINGS['for URLs'](coded(OPENED, desk.key.write_key))}"
    assert desk.ask("HEAD", path).status == 200
    assert not desk.messages()
    assert desk.ask("POST", path).status == 405
    for other in ("/v1/pixel", "/v1/pixel/", "/v1/pixel/dance", "/v1/pixel/track/x"):
        assert desk.ask("GET", f"{other}?writeKey={desk.key.write_key}").status == 404


def test_two_opens_of_one_pixel_are_two_messages_unless_it_names_itself(desk: Desk) -> None:
    for more, count in (({}, 2), ({"messageId": "one"}, 3)):
        data = WRITINGS["for URLs"](coded({**OPENED, **more}, desk.key.write_key))
        for _ in range(2):
            desk.now += 1_000
            assert asked(desk, data).status == 200
        assert len(desk.messages()) == count


@pytest.mark.parametrize("path", ["/v1/projects/{}/settings", "/projects/{}/settings"])
def test_the_settings_are_where_either_kind_of_sdk_asks(desk: Desk, path: str) -> None:
    answer = desk.ask("GET", path.format(desk.page_key.write_key))
    assert answer.json["integrations"]["Segment.io"]["apiKey"] == desk.page_key.write_key
    assert desk.ask("GET", path.format("wrong")).status == 401
    assert desk.ask("POST", path.format(desk.page_key.write_key)).status == 405


@pytest.mark.parametrize("name", ["analytics.min.js", "analytics.js", "platform/analytics.min.js"])
def test_the_snippets_script_is_javascript_for_known_keys(desk: Desk, name: str) -> None:
    path = f"/analytics.js/v1/{desk.page_key.write_key}/{name}"
    answer = desk.ask("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    packed = desk.ask("GET", path, headers={"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(answer.body) / 2
    assert desk.ask("GET", f"/analytics.js/v1/wrong/{name}").status == 401
    assert desk.ask("GET", f"/analytics.js/v1/{desk.page_key.write_key}/other.js").status == 404
