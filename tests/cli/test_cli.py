"""The command line, as scripts use it: in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Server
from wetink import __version__

VIEW = {"type": "track", "userId": "42", "event": "product_viewed", "messageId": "m1",
        "timestamp": "2026-11-20T08:00:00Z",
        "properties": {"sku": "S", "name": "Mug", "url": "https://shop.example/mug"}}  # fmt: skip


def wetink(*arguments: str | Path, given: str = "", status: int = 0) -> str:
    """Run a command; return what it printed, on stderr when it is to fail."""
    command = [sys.executable, "-m", "wetink", *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def keys(data: Path, *more: str) -> Any:
    return json.loads(wetink("keys", "create", "shop", "--data", data, "--json", *more))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A data folder in which user 42 has looked at a mug."""
    key = keys(tmp_path / "data")["writeKey"]
    with Server(tmp_path / "data", workers=1) as server:
        post(server, key, VIEW)
        post(server, key, {"type": "identify", "userId": "42", "anonymousId": "a", "messageId": "m2",
                           "traits": {"email": "Jane@Shop.Example", "plan": "gold"}})  # fmt: skip
    return tmp_path / "data"


def post(server: Server, key: str, message: dict[str, Any]) -> None:
    import httpcore

    with httpcore.ConnectionPool() as pool:
        body = json.dumps({**message, "writeKey": key}).encode()
        answer = pool.request("POST", f"{server.address}/v1/{message['type']}", content=body)
        assert answer.status == 200, answer.content


def test_version_says_which() -> None:
    assert wetink("version").strip() == f"wetink {__version__}"


def test_help_names_every_command() -> None:
    text = wetink("--help")
    for command in ("serve", "keys", "check", "profile", "open", "demo", "version"):
        assert f"\n  {command} " in text


def test_keys_are_made_for_a_server_unless_told_otherwise_and_told_once(tmp_path: Path) -> None:
    made = keys(tmp_path)
    assert set(made) == {"writeKey", "accessKey", "secret", "path"}
    assert made["path"].startswith("/behavioral/")
    wetink("keys", "create", "page", "--level", "browser", "--data", tmp_path)
    listed = json.loads(wetink("keys", "list", "--data", tmp_path, "--json"))
    assert {source["name"]: source["level"] for source in listed} == {"page": "browser", "shop": "server"}
    error = wetink("keys", "create", "shop", "--data", tmp_path, status=1)
    assert error.count("\n") == 1
    assert "shop" in error


def test_check_gives_each_line_its_verdict(tmp_path: Path) -> None:
    lines = [VIEW, {**VIEW, "properties": {"sku": "S"}}, {"type": "track", "event": "X", "messageId": "m9"}]
    text = "\n".join(json.dumps(line) for line in lines) + "\n{nonsense\n"
    file = tmp_path / "messages.jsonl"
    file.write_text(text)
    told = [json.loads(line) for line in wetink("check", file, "--json").splitlines()]
    assert told == [json.loads(line) for line in wetink("check", "-", "--json", given=text).splitlines()]
    assert [each["verdict"] for each in told] == ["usable", "unusable", "parked", "parked"]
    assert told[0] == {"messageId": "m1", "event": "Product Viewed", "verdict": "usable", "problems": []}
    [problem] = told[1]["problems"]
    assert set(problem) == {"code", "property", "hint"}
    assert problem["property"] == "url"


def test_check_applies_the_mappings_of_a_content_folder(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    mapping = "sources: [shop]\nevents: {Item Seen: {name: Product Viewed, properties: {id: sku, link: url}}}\n"
    (tmp_path / "mappings" / "shop.yaml").write_text(mapping)
    (tmp_path / "mappings" / "bad.yaml").write_text("events: {}\n")
    seen = {"type": "track", "event": "Item Seen", "userId": "42", "messageId": "m1",
            "properties": {"id": "S", "link": "https://shop.example/s"}}  # fmt: skip
    for source, event in (("shop", "Product Viewed"), ("other", "Item Seen")):
        command = ("check", "-", "--json", "--content", tmp_path, "--source", source)
        assert json.loads(wetink(*command, given=json.dumps(seen)))["event"] == event


def test_a_profile_shows_its_identifiers_traits_and_events(shop: Path) -> None:
    for name in ("user:42", "email:jane@shop.example", "anonymous:a"):
        shown = json.loads(wetink("profile", "show", name, "--data", shop, "--json"))
        assert shown["identifiers"] == {"user": ["42"], "email": ["jane@shop.example"], "anonymous": ["a"]}
        assert shown["traits"]["plan"] == "gold"
        assert [each["event"] for each in shown["events"]] == ["Product Viewed", "identify"]
        assert shown["events"][0] == {
            "event": "Product Viewed", "messageId": "m1", "timestamp": "2026-11-20T08:00:00.000Z",
        }  # fmt: skip
    nobody = json.loads(wetink("profile", "show", "user:nobody", "--data", shop, "--json"))
    assert nobody == {"identifiers": {"user": [], "email": [], "anonymous": []}, "traits": {}, "events": []}


def test_open_shows_the_decision_with_its_trace_and_saves_the_picture(shop: Path, tmp_path: Path) -> None:
    picture = tmp_path / "seen.jpg"
    asked = ("open", "last-viewed", "user:42", "--data", shop, "--json")
    shown = json.loads(wetink(*asked, "--at", "2026-11-21T09:00:00Z", "--image", picture))
    assert [item["sku"] for item in shown["items"]] == ["S"]
    assert shown["links"] == ["https://shop.example/mug"]
    assert shown["trace"][-1]["taken"] is True
    assert "Mug" in shown["trace"][-1]["why"]
    assert picture.read_bytes().startswith(b"\xff\xd8\xff")
    size = f"{picture.stat().st_size / 1000:.0f} KB"
    told = wetink(*asked[:-1], "--at", "2026-11-21T09:00:00Z", "--image", picture)
    assert f"  · picture: {size}, of 200 KB at most" in told.splitlines()
    before = json.loads(wetink(*asked, "--at", "2026-11-19T09:00:00Z"))
    assert before["items"] == []
    assert before["links"] == ["https://shop.example/"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("open", "no-such-block", "user:42"), "no-such-block"),
        (("open", "last-viewed", "jane"), "jane"),
        (("open", "last-viewed", "user:42", "--at", "soon"), "soon"),
        (("profile", "show", "42"), "42"),
        (("serve", "--port", "high"), "--port"),
    ],
)
def test_an_error_is_one_clear_line(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    error = wetink(*arguments, "--data", tmp_path / "data", status=1)
    assert error.startswith("wetink: ")
    assert error.count("\n") == 1
    assert named in error


def test_a_data_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = wetink("profile", "show", "user:1", "--data", tmp_path / "file" / "data", status=1)
    assert "data folder" in error


def test_serve_stops_when_told_and_says_it_went_well(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        assert server.address.startswith("http://127.0.0.1:")
        server.process.terminate()
        assert server.process.wait(20) == 0


def test_serve_says_when_its_port_is_taken(tmp_path: Path) -> None:
    with Server(tmp_path / "one", workers=1) as server:
        error = wetink("serve", "--port", str(server.port), "--data", tmp_path / "two", status=1)
        assert str(server.port) in error
