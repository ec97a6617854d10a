"""docs/operating.md is true: each command on the page, each setting, file, path and service is there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from tests.deploy.files import compose
from wetink import __version__
from wetink.cli import main
from wetink.ports.storage import TTL_SECONDS
from wetink.settings import SETTINGS, read
from wetink.web.app import ROUTES
from wetink.web.ingest import IngestEndpoints
from wetink.web.open import OpenEndpoints
from wetink.web.server import END_SECONDS, KEEP_ALIVE_SECONDS, STOP_SECONDS
from wetink.worker import RETRY_SECONDS, ROLES, TASKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()
BLOCKS = [re.sub(r"\\\n\s*", "", block) for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S)]
LINES = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
WRAPPED = re.compile(
    r"^(?:sudo -u \w+ |kubectl exec \S+ -- |podman exec \w+ |systemd-run (?:--\S+ )+)?((?:\S*/)?wetink .*)"
)
WETINK = [found[1] for line in LINES if (found := WRAPPED.match(line))]


@pytest.mark.parametrize("line", WETINK)
def test_every_command_of_wetink_on_the_page_can_be_given(line: str) -> None:
    command: click.Command = main
    name, *arguments = shlex.split(line, comments=True)
    while isinstance(command, click.Group):
        name, *arguments = arguments
        command = command.commands[name]
    given = command.make_context(name, arguments).params
    if name == "serve":
        read({}, **given)


def test_every_command_is_wetinks_or_one_that_the_page_explains() -> None:
    others = {line.split()[0] for line in LINES if not WRAPPED.match(line)}
    known = {
        "make",
        "pip",
        "python3.11",
        "useradd",
        "install",
        "systemctl",
        "journalctl",
        "podman",
        "docker",
        "kubectl",
        "helm",
        "caddy",
        "pg_basebackup",
        "export",
    }
    assert {each for each in others if "/" not in each} <= known
    for line in LINES:
        if line.startswith("make "):
            assert re.search(rf"^{line.split()[1]}:", (ROOT / "Makefile").read_text(), re.M)


def test_every_file_that_a_command_reads_is_there() -> None:
    words = {word for line in LINES for word in shlex.split(line, comments=True)}
    named = {word for word in words if word.startswith(("deploy/", "requirements"))}
    assert named
    for name in named:
        assert (ROOT / name).exists(), name
    assert {word for word in words if word.endswith(".whl")} == {f"dist/wetink-{__version__}-py3-none-any.whl"}


def test_every_profile_of_compose_on_the_page_is_one() -> None:
    named = set(re.findall(r"--profile (\w+)", PAGE))
    assert named == {each for service in compose()["services"].values() for each in service["profiles"]}


def test_every_setting_on_the_page_is_one() -> None:
    named = {each for each in re.findall(r"WETINK_([A-Z_]+)", PAGE)}
    assert named <= {name.upper() for name, *_ in SETTINGS} | {"SITE", "INGEST", "OPEN", "DASHBOARD"}


def test_the_roles_answer_the_paths_of_the_page() -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE, re.M))
    assert set(ROLES) <= table.keys()
    opens = set(re.findall(r"`(/\w+/)`", table["open"]))
    assert opens == {*OpenEndpoints.PATHS, "/v/"}
    assert {"/v1/", "/behavioral/"} <= set(IngestEndpoints.PATHS)
    for path in ("/healthz", "/readyz"):
        assert f"| `{path}` |" in PAGE
        assert path in {getattr(route, "path", "") for route in ROUTES}
    assert {task.name for task in TASKS if task.leased} == set(LEASED)


LEASED = {
    "folder": "edits in the content folder",
    "uploads": "edits in the content folder",
    "projections": "catalog, conversions",
    "summaries": "catalog, conversions",
    "audiences": "audiences and their webhooks",
    "summary": "the weekly summary",
    "reports": "sums of reports",
    "catalogs": "catalog feeds",
    "archive": "the archive",
}
"""Each scheduled task, and the words for it on the page."""


def test_the_seconds_of_the_page_are_those_of_the_server() -> None:
    assert f"after {KEEP_ALIVE_SECONDS} seconds" in PAGE
    assert STOP_SECONDS == 10
    assert STOP_SECONDS + END_SECONDS == 25
    assert "for at most ten seconds" in PAGE
    assert RETRY_SECONDS == 2
    assert "tries again every two seconds" in PAGE
    assert TTL_SECONDS + RETRY_SECONDS < 10, "taken over within ten seconds"


@pytest.mark.parametrize("words", sorted(set(LEASED.values())))
def test_the_page_lists_what_workers_do(words: str) -> None:
    [row] = re.findall(r"^\| `worker` \|.*$", PAGE, re.M)
    assert words in row
