"""`wetink pull`, `diff`, `push`, `versions`, `rollback`: of a data folder, and of a running server."""

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.run import wetink
from tests.serving import Server

Run = Callable[..., str]


@pytest.fixture(params=["a data folder", "a server"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    """Runs a command against a data folder here, or against a server that has it."""
    data = tmp_path / "data"

    if request.param == "a data folder":
        wetink("keys", "create", "shop", "--data", data)  # a folder that is not there is a slip of whoever reads
        yield lambda *arguments, **more: wetink(*arguments, "--data", data, **{"WETINK_AUTHOR": "ida", **more})
        return
    with Server(data, workers=1) as server:
        token = (data / "dashboard.token").read_text()
        address = f"http://127.0.0.1:{server.port}"
        known = {"WETINK_AUTHOR": "ida", "WETINK_URL": address, "WETINK_TOKEN": token}
        yield lambda *arguments, **more: wetink(*arguments, **{**known, **more})


def test_content_is_pulled_edited_and_pushed_back(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    assert "version 1" in run("pull", folder)
    hello = folder / "blocks" / "hello.yaml"
    before = hello.read_text()
    assert run("diff", folder) == ""
    hello.write_text(before + "alt: Good morning\n")
    told = run("diff", folder, status=1)
    assert "+alt: Good morning" in told
    assert "changes that were not pushed" in run("pull", folder, status=1)
    told = run("push", folder, "-m", "say good morning")
    assert "changed  blocks/hello.yaml" in told
    assert "version 2 stands" in told
    listed = json.loads(run("versions", "--json"))
    assert [(each["number"], each["by"], each["message"]) for each in listed] == [
        (2, "ida", "say good morning"), (1, "", "first"),
    ]  # fmt: skip
    assert "version 3 stands" in run("rollback", "1")
    run("pull", folder)
    assert hello.read_text() == before


def test_a_push_with_a_mistake_changes_nothing_and_says_where(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    run("pull", folder)
    (folder / "blocks" / "hello.yaml").write_text("fallback: [")
    told = run("push", folder, status=1)
    assert "! blocks/hello.yaml: line" in told
    assert "nothing was changed" in told
    assert len(json.loads(run("versions", "--json"))) == 1


def test_a_second_push_from_the_same_version_is_told_to_pull(run: Run, tmp_path: Path) -> None:
    for name in ("mine", "theirs"):
        run("pull", tmp_path / name)
        hello = tmp_path / name / "blocks" / "hello.yaml"
        hello.write_text(f"{hello.read_text()}alt: {name}\n")
    run("push", tmp_path / "theirs")
    told = run("push", tmp_path / "mine", status=1)
    assert "version 2 is current (ida: )" in told
    assert "version 3 stands" in run("push", tmp_path / "mine", "--force")


def test_a_folder_from_nowhere_needs_force_and_an_empty_one_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "has no content" in run("push", tmp_path / "empty", status=1)
    run("pull", tmp_path / "folder")
    (tmp_path / "folder" / ".wetink.json").unlink()
    assert "was not pulled" in run("push", tmp_path / "folder", status=1)
    assert "nothing was changed" in run("push", tmp_path / "folder", "--force")


def test_secrets_and_strangers_files_stay_where_they_are(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    run("pull", folder)
    assert {each.name for each in folder.iterdir()} <= {".wetink.json", "blocks", "templates", "scenarios", "images"}
    (folder / "README.md").write_text("mine")
    run("pull", folder)
    assert (folder / "README.md").read_text() == "mine"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served") / "data"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    with Server(data, workers=1) as server:
        yield server


def ask(server: Server, path: str, body: bytes | None = None, token: str = "") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_nobody_gets_in_without_the_token(server: Server) -> None:
    for path, body in (
        ("/api/content", None), ("/api/content/versions", None),
        ("/api/content", b'{"files": {}}'), ("/api/content/rollback", b'{"version": 1}'),
    ):  # fmt: skip
        for token in ("", "wrong"):
            status, said = ask(server, path, body, token)
            assert status == 401
            assert "token" in said


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "cannot be read"),
        (b'{"files": {"../x.yaml": "eA=="}}', 400, "not a path in the content folder"),
        (b'{"files": {"blocks/x.yaml": "not base64!"}}', 400, "cannot be read"),
        (b'{"files": {"blocks/x.yaml": "eA=="}, "base": 99}', 409, "is current"),
        (b'{"files": {"blocks/x.yaml": "eA=="}, "base": 1}', 422, "blocks/x.yaml: a block must be a mapping"),
    ],
)
def test_a_failed_push_says_why(server: Server, data: Path, body: bytes, status: int, said: str) -> None:
    token = (data / "dashboard.token").read_text()
    ask(server, "/api/content/versions", None, token)
    found, told = ask(server, "/api/content", body, token)
    assert (found, said in told) == (status, True), told


def test_a_server_shows_what_was_pushed_within_a_second_or_two(server: Server, data: Path) -> None:
    token = (data / "dashboard.token").read_text()
    block = b'fallback: {link: "https://shop.example/", title: New}'
    files = {"blocks/fresh.yaml": base64.b64encode(block).decode()}
    assert ask(server, "/d/fresh.json")[0] == 404
    status, _ = ask(server, "/api/content", json.dumps({"files": files}).encode(), token)
    assert status == 200
    until = time.monotonic() + 10
    while ask(server, "/d/fresh.json")[0] == 404 and time.monotonic() < until:
        time.sleep(0.1)
    assert "https://shop.example/" in ask(server, "/d/fresh.json")[1]
