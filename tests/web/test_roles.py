"""Roles: a process answers the paths of its roles; all others are not there."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpcore
import psutil
import pytest
from starlette.testclient import TestClient

from tests.serving import Server
from wetink.core.errors import BadSettings
from wetink.settings import ROLES, Role, read
from wetink.web.app import ROUTES, create, roles_of
from wetink.wiring import Wetink
from wetink.worker import TASKS, tasks_of

PATHS: dict[tuple[str, str], set[str]] = {
    ("POST", "/v1/track"): {"ingest"},
    ("POST", "/v1/batch"): {"ingest"},
    ("POST", "/behavioral/key"): {"ingest"},
    ("GET", "/v1/projects/key/settings"): {"ingest"},
    ("GET", "/o/hello/1.png"): {"open"},
    ("GET", "/c/hello/1"): {"open"},
    ("GET", "/h/hello.html"): {"open"},
    ("GET", "/static/logo.svg"): {"open", "dashboard"},
    ("GET", "/"): {"dashboard"},
    ("GET", "/dashboard"): {"dashboard"},
    ("GET", "/dashboard/login"): {"dashboard"},
    ("GET", "/api/report"): {"dashboard"},
    ("GET", "/healthz"): set(ROLES),
    ("GET", "/readyz"): set(ROLES),
}
UNKNOWN = {("POST", "/behavioral/key")}
"""Answered with 404 by the role itself, in the words of a Movable Ink destination."""


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> Role:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def client(role: Role, tmp_path: Path) -> Iterator[TestClient]:
    wetink = Wetink(read({}, data=tmp_path, role=role), draws=False)
    asyncio.run(wetink.look_again())
    with TestClient(create(wetink), follow_redirects=False) as made:
        yield made
    asyncio.run(wetink.close())


def test_a_process_answers_the_paths_of_its_role_alone(client: TestClient, role: Role) -> None:
    for (method, path), roles in PATHS.items():
        answer = client.request(method, path)
        there = answer.status_code != 404 or b"Behavioral endpoint" in answer.content
        assert there == (role in roles), f"{method} {path}"


def test_every_route_belongs_to_a_role_and_a_voting_page_to_opens() -> None:
    assert all(roles_of(route) for route in ROUTES)
    assert {roles_of(route) for route in ROUTES if route.path.startswith("/v/")} == {("open",)}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("all", set(ROLES)),
        ("ingest", {"ingest"}),
        ("open, worker", {"open", "worker"}),
        ("dashboard,ingest,open,worker", set(ROLES)),
    ],
)
def test_a_process_has_the_roles_of_its_setting(text: str, roles: set[str]) -> None:
    assert read({"WETINK_ROLE": text}).role == roles
    assert read({}, role=text).role == roles


@pytest.mark.parametrize("text", ["web", "ingest,web", "ingest open", ",", "all,web"])
def test_an_unknown_role_is_refused_with_the_list_of_all(text: str) -> None:
    with pytest.raises(BadSettings, match="WETINK_ROLE is") as refused:
        read({"WETINK_ROLE": text})
    assert all(role in refused.value.hint for role in ROLES)


def test_only_ingest_and_open_run_a_process_for_each_core_by_default() -> None:
    several = read({}).workers
    assert {role: read({}, role=role).workers for role in ROLES} == {
        "ingest": several,
        "open": several,
        "worker": 1,
        "dashboard": 1,
    }


def test_each_task_runs_in_some_role_and_leased_ones_in_workers_alone() -> None:
    assert {task.name for role in ROLES for task in tasks_of({role})} == {task.name for task in TASKS}
    assert {tuple(task.roles) for task in TASKS if task.leased} == {("worker",)}
    assert [task.name for task in tasks_of({"ingest"})] == ["metrics", "memory", "content"], "and no more"


@pytest.mark.parametrize(("role", "draws"), [("ingest", False), ("worker", False), ("open", True)])
def test_only_a_process_that_shows_pictures_starts_processes_that_draw(tmp_path: Path, role: str, draws: bool) -> None:
    with Server(tmp_path, workers=1, settings={"role": role}) as server, httpcore.ConnectionPool() as http:
        until = time.monotonic() + 60
        while http.request("GET", f"{server.address}/readyz").status != 200:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert bool(psutil.Process(server.process.pid).children()) == draws
