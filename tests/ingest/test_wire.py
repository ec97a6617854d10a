"""Every recorded request of a real client is taken in as it came."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.conftest import Desk

RECORDINGS = sorted((Path(__file__).parents[1] / "wire").glob("*.json"))
UNIDENTIFIED: set[str] = set()


def requests(recording: Path) -> list[dict[str, Any]]:
    return list(json.loads(recording.read_text())["requests"])


def messages_in(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, dict):
        return []
    listed = body.get("batch", body.get("events"))
    return listed if isinstance(listed, list) else [body]


def replay(desk: Desk, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Send a recorded request with our own keys in the place of the recorded ones."""
    text = json.dumps(request["body"]) if request.get("body") not in (None, "") else ""
    key = desk.key
    text = text.replace('"testkey"', json.dumps(key.write_key))
    path = request["path"].replace("testkey", key.write_key).replace("/behavioral/abc123", key.path)
    headers = {name.lower(): value for name, value in request["headers"]}
    if "authorization" in headers:
        pair = f"{key.access_key}:{key.secret}" if path == key.path else f"{key.write_key}:"
        headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    body = text.encode()
    if headers.get("content-encoding") == "gzip":
        body = gzip.compress(body)
    answer = desk.ask(request["method"], path, body, headers)
    return answer.status, answer.headers


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_of_a_real_client_is_taken_in(desk: Desk, recording: Path) -> None:
    expected: dict[str, dict[str, Any]] = {}
    nameless = 0
    for request in requests(recording):
        status, headers = replay(desk, request)
        if request["method"] == "OPTIONS":
            asked = dict((name.lower(), value) for name, value in request["headers"])
            assert status == 204
            assert headers["access-control-allow-headers"] == asked["access-control-request-headers"]
            assert headers["access-control-allow-origin"] == asked["origin"]
        elif request["method"] == "POST" and not request["body"]:
            assert status == 400, "an empty mapping sends an empty body"
        else:
            assert status == 200
        if request["method"] == "POST":
            for message in messages_in(request["body"]):
                if message.get("messageId"):
                    expected[message["messageId"]] = message
                else:
                    nameless += 1

    stored = {message.message_id: message for message in desk.messages()}
    assert set(expected) <= set(stored)
    assert len(stored) <= len(expected) + nameless
    for message_id, message in expected.items():
        assert stored[message_id].verdict != "parked", stored[message_id].problems
        assert stored[message_id].type == message["type"]


def test_there_are_recordings_of_every_client() -> None:
    families = {path.stem.partition("_")[0] for path in RECORDINGS}
    assert families == {"browser", "node", "python", "rudder", "segment"}


def test_a_settings_answer_sends_the_browser_here(desk: Desk) -> None:
    answer = desk.ask("GET", f"/v1/projects/{desk.page_key.write_key}/settings", headers={"host": "open.shop.example"})
    assert answer.json["integrations"]["Segment.io"]["apiHost"] == "open.shop.example/v1"
    assert answer.json["integrations"]["Segment.io"]["apiKey"] == desk.page_key.write_key


def test_an_identify_of_rudderstack_brings_the_traits_of_its_context(desk: Desk) -> None:
    for request in requests(Path(__file__).parents[1] / "wire" / "rudder_python_batch_gzip.json"):
        replay(desk, request)
    identify = next(message for message in desk.messages() if message.type == "identify")
    assert identify.filed is not None
    assert b'"traits"' in identify.raw
