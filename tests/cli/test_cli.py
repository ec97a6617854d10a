"""The command line, as scripts use it: in a process of its own."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cli.run import VIEW, keys, wetink
from tests.serving import Server
from wetink import __version__
from wetink.cli import main


def test_version_prints_the_version() -> None:
    assert wetink("version").strip() == f"wetink {__version__}"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [(("version",), 0, f"wetink {__version__}"), (("keys", "list", "--data", "nowhere"), 1, "wetink: --data: nowhere")],
)
def test_a_command_in_a_process_of_its_own_ends_with_its_status(
    tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    command = [sys.executable, "-m", "wetink", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert (done.returncode, (done.stdout, done.stderr)[status].startswith(said)) == (status, True)


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
    told = checked(file)
    assert told == checked("-", given=text.encode())
    assert [each["verdict"] for each in told] == ["usable", "unusable", "parked", "parked"]
    assert told[0] == {"messageId": "m1", "event": "Product Viewed", "verdict": "usable", "problems": []}
    [problem] = told[1]["problems"]
    assert set(problem) == {"code", "property", "hint"}
    assert problem["property"] == "url"


def checked(*arguments: str | Path, given: bytes = b"", status: int = 1) -> list[Any]:
    """Return the verdicts of `wetink check`, which ends with `status`."""
    done = CliRunner().invoke(main, ["check", "--json", *map(str, arguments)], input=given)
    assert done.exit_code == status, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


MESSAGES = [VIEW, {**VIEW, "messageId": "m2"}]
SHAPES: dict[str, bytes] = {
    "lines": b"\n".join(json.dumps(each).encode() for each in MESSAGES),
    "lines of Windows": b"\xef\xbb\xbf" + b"\r\n".join(json.dumps(each).encode() for each in MESSAGES) + b"\r\n",
    "array": json.dumps(MESSAGES).encode(),
    "array over many lines": json.dumps(MESSAGES, indent=2).encode(),
    "batch": json.dumps({"batch": MESSAGES, "sentAt": "2026-11-20T08:00:00Z"}).encode(),
    "batch over many lines": b"\n\n" + json.dumps({"batch": MESSAGES}, indent=1).encode(),
    "events": json.dumps({"events": MESSAGES}).encode(),
    "batches in lines": b"\n".join(json.dumps({"batch": [each]}).encode() for each in MESSAGES),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_check_reads_messages_in_every_shape(tmp_path: Path, shape: str, packed: bool) -> None:
    body = gzip.compress(SHAPES[shape]) if packed else SHAPES[shape]
    assert [each["verdict"] for each in checked("-", given=body, status=0)] == ["usable", "usable"]


def test_check_ends_with_1_when_a_message_is_not_usable_or_there_is_none(tmp_path: Path) -> None:
    single = json.dumps(VIEW, indent=2).encode()
    assert [each["verdict"] for each in checked("-", given=single, status=0)] == ["usable"]
    assert [each["verdict"] for each in checked("-", given=single.replace(b'"url"', b'"uri"'))] == ["unusable"]
    assert [each["verdict"] for each in checked("-", given=b'{"type": "track"}')] == ["parked"]
    assert [each["verdict"] for each in checked("-", given=b"{nonsense")] == ["parked"]
    assert checked("-", given=b"") == []
    assert checked("-", given=b"[]") == []
    wetink("check", "-", given="\x1f\x8b", status=1)
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(SHAPES["lines"])[:-9])
    assert "cannot be unpacked" in wetink("check", cut, status=1)


READS = (
    "keys list", "profile show user:1", "coverage hero", "report", "conversions", "experiment list", "audience count x",
    "catalog search mug", "catalog show S", "replay", "open hero user:1", "opens list", "test", "pull out", "diff out",
    "versions", "rollback 1",
)  # fmt: skip


@pytest.mark.parametrize("command", READS)
def test_a_misspelled_data_folder_is_an_error_and_is_not_made(tmp_path: Path, command: str) -> None:
    (tmp_path / "out" / "blocks").mkdir(parents=True)
    rule = tmp_path / "x.yaml"
    rule.write_text("trait: plan\nequals: gold\n")
    places = {"out": str(tmp_path / "out"), "x": str(rule)}
    for missing in (tmp_path / "wetnik-data", tmp_path / "out"):
        found = CliRunner().invoke(
            main, [places.get(word, word) for word in command.split()] + ["--data", str(missing)]
        )
        assert found.exit_code == 1
        assert f"--data: {missing}" in found.output
        assert not (missing / "wetink.db").exists()
    assert not (tmp_path / "wetnik-data").exists()


def test_check_applies_the_mappings_of_a_content_folder(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    mapping = "sources: [shop]\nevents: {Item Seen: {name: Product Viewed, properties: {id: sku, link: url}}}\n"
    (tmp_path / "mappings" / "shop.yaml").write_text(mapping)
    (tmp_path / "mappings" / "bad.yaml").write_text("events: {}\n")
    seen = {"type": "track", "event": "Item Seen", "userId": "42", "messageId": "m1",
            "properties": {"id": "S", "link": "https://shop.example/s"}}  # fmt: skip
    for source, event in (("shop", "Product Viewed"), ("other", "Item Seen")):
        command = ("check", "-", "--json", "--content", tmp_path, "--source", source)
        [told] = checked(*command[1:2], *command[3:], given=json.dumps(seen).encode(), status=0)
        assert told["event"] == event
    (tmp_path / "mappings" / "shop.yaml").write_text(mapping.replace("Viewed", "Vieweddd"))
    done = wetink("check", "-", "--content", tmp_path, "--source", "shop", given=json.dumps(seen), status=0)
    assert "Product Vieweddd" in done


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


def test_the_store_can_be_elsewhere_than_the_data_folder(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", {"WETINK_STORE": f"sqlite:///{tmp_path}/store"}
    wetink("keys", "create", "shop", "--data", data, **elsewhere)
    assert (tmp_path / "store" / "wetink.db").is_file()
    assert not [*data.glob("*.db")]
    assert "shop" in wetink("keys", "list", "--data", data, **elsewhere)
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("mysql://host/db", "WETINK_STORE: unknown store mysql:// (available: sqlite://, postgresql://)"),
        ("sqlite:///", "WETINK_STORE: 'sqlite:///' names no folder (write sqlite:///FOLDER)"),
        ("sqlite:data", "WETINK_STORE: 'sqlite:data' names no folder (write sqlite:///FOLDER)"),
        ("sqlite:///nowhere", "WETINK_STORE: sqlite:///nowhere does not exist (`wetink serve` makes one)"),
    ],
)
def test_a_store_that_cannot_be_opened_is_named(shop: Path, store: str, told: str) -> None:
    assert wetink("keys", "list", "--data", shop, status=1, WETINK_STORE=store).strip() == f"wetink: {told}"


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
        (("open", "last-viewed", "user:42", "--at", "9999-12-31"), "9999-12-31"),
        (("profile", "show", "42"), "42"),
        (("serve", "--port", "high"), "--port"),
    ],
)
def test_an_error_is_one_clear_line(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    keys(tmp_path / "data")
    error = wetink(*arguments, "--data", tmp_path / "data", status=1)
    assert error.startswith("wetink: ")
    assert error.count("\n") == 1
    assert named in error


def test_a_data_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = wetink("keys", "create", "shop", "--data", tmp_path / "file" / "data", status=1)
    assert "data folder" in error


def test_serve_stops_on_sigterm_with_status_0(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        assert server.address.startswith("http://127.0.0.1:")
        server.process.terminate()
        assert server.process.wait(20) == 0


def test_serve_says_when_its_port_is_taken(tmp_path: Path) -> None:
    with Server(tmp_path / "one", workers=1) as server:
        error = wetink("serve", "--port", str(server.port), "--data", tmp_path / "two", status=1)
        assert str(server.port) in error
