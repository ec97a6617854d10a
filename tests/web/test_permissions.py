"""Who may do what: every route of the dashboard and the API, as every role and with every scope."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from tests.desk import pages
from tests.web.dashboard.offered import Page, beyond
from tests.web.people import Office, csrf
from wetink.core.access.permissions import AREAS, OPEN, READS, rule_of
from wetink.core.access.role import ROLES, SCOPES, Role, may
from wetink.core.access.who import SERVER, Who
from wetink.web.app import ROUTES

PUBLIC = ("/", "/healthz", "/readyz", "/static", "/v/{block}/{slot:slot}/{token}")
API_KNOWN = tuple(start for start, *_ in AREAS if start.startswith("/api/"))


def routes() -> list[tuple[str, str]]:
    """Return method and path of every route behind the guard."""
    found = []
    for route in ROUTES:
        assert isinstance(route, Route | Mount)
        if route.path not in PUBLIC:
            assert isinstance(route, Route)
            found += [(method, route.path) for method in sorted(route.methods or ()) if method != "HEAD"]
    return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("roles"))
    for role in ROLES:
        made.hire(role, role)
    yield made
    made.close()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_let_in_by_the_permission_of_the_route_and_no_further(office: Office, role: str) -> None:
    client = office.signed_in(role)
    wrong = []
    for method, path in routes():
        needs = rule_of(method, path).needs
        if path.startswith("/api/") or needs is None or path == "/dashboard/logout":
            continue
        got = client.request(method, filled(path), headers={"x-csrf": "wrong"})
        refused = got.status_code == 403 and "You need the role" in got.text
        if refused is may(role, needs):  # type: ignore[arg-type]
            wrong.append(f"{method} {path}: {got.status_code}")
    assert wrong == []


def filled(path: str) -> str:
    """Return an address of a route."""
    for hole in ("{name}", "{block}", "{id}", "{id:path}", "{who:path}", "{name:path}", "{number}"):
        path = path.replace(hole, "1")
    return path.replace("{slot:slot}", "1").replace("{room}", "images").partition("{")[0]


def test_every_change_is_refused_for_viewers_unless_it_is_listed_as_harmless() -> None:
    viewer = Who("Vi", "viewer")
    allowed = {path for method, path in routes() if method != "GET" and (rule := rule_of(method, path)).needs
               and viewer.may(rule.needs)}  # fmt: skip
    harmless = {path for path in allowed if path.replace(":slot", "") in READS or rule_of("POST", path).needs == "own"}
    assert allowed - harmless == set()
    assert all(rule_of("POST", path).changes is False for path in READS)


def test_every_route_of_the_api_has_its_scope() -> None:
    for method, path in routes():
        if path.startswith("/api/"):
            assert any(path == known or path.startswith((f"{known}/", f"{known}.")) for known in API_KNOWN), path
            assert rule_of(method, path).needs in SCOPES, f"{method} {path}"


def test_new_routes_are_safe_before_anybody_thinks_of_them() -> None:
    assert rule_of("GET", "/dashboard/brand-new").needs == "content:read"
    assert rule_of("DELETE", "/dashboard/brand-new/{id}").needs == "content:write"
    assert rule_of("POST", "/dashboard/settings/brand-new").needs == "settings:write"
    assert rule_of("GET", "/api/brand-new").needs == "settings:write"
    assert rule_of("POST", "/dashboard/loginx").needs == "content:write", "a path that only begins like an open one"


def test_nobody_without_a_session_comes_past_the_open_pages(office: Office) -> None:
    client = office.browser()
    for method, path in routes():
        if path.startswith("/dashboard") and not path.startswith(OPEN):
            got = client.request(method, filled(path))
            assert (got.status_code, got.headers["location"].partition("?")[0]) == (303, "/dashboard/login"), path


def test_a_page_lists_only_what_its_reader_may_open(office: Office) -> None:
    viewer, owner = office.signed_in("viewer"), office.signed_in("owner")
    for path in ("/dashboard/settings/team", "/dashboard/settings/audit", "/dashboard/settings/tokens"):
        assert f'href="{path}"' not in viewer.get("/dashboard/blocks").text
        assert f'href="{path}"' in owner.get("/dashboard/blocks").text


def bearer(office: Office, token: str) -> TestClient:
    client = office.browser()
    client.headers["authorization"] = f"Bearer {token}"
    return client


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_does_what_its_scope_says_and_nothing_else(office: Office, scope: str) -> None:
    token = office.run(office.wetink.tokens.make("CI", [scope], 30, SERVER))
    client, wrong = bearer(office, token), []
    for method, path in routes():
        if path.startswith("/api/"):
            got = client.request(method, filled(path), headers={"accept": "application/json"})
            refused = got.status_code == 403 and got.json()["error"].get("where") == rule_of(method, path).needs
            if refused is (rule_of(method, path).needs == scope):
                wrong.append(f"{method} {path}: {got.status_code}")
    assert wrong == []
    assert client.get("/dashboard").status_code == 303, "a token opens no page"
    assert client.post("/dashboard/login", data={"token": token}).status_code == 403


def test_a_token_ends_with_its_time_its_revocation_and_its_maker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(tmp_path)
    office.hire("ida")
    maker = office.hire("dev", "developer")
    team, tokens = office.wetink.team, office.wetink.tokens
    who = Who("Dev", "developer", maker)
    token = office.run(tokens.make("CI", ["content:read", "data:write"], 30, who))

    def status() -> int:
        return int(bearer(office, token).get("/api/content").status_code)

    assert status() == 200
    office.run(team.set_disabled(maker.id, True))
    assert status() == 401
    office.run(team.set_disabled(maker.id, False))
    office.run(team.set_role(maker.id, "viewer"))
    assert bearer(office, token).put("/api/feeds/x?format=csv", content=b"a\n1").status_code == 403, "as its maker"
    monkeypatch.setattr(tokens, "_clock_ms", lambda: 2**52)
    assert status() == 401
    monkeypatch.undo()
    office.run(tokens.revoke(office.run(tokens.all())[0].id))
    assert status() == 401
    office.close()


def test_nobody_gives_a_token_more_than_they_may(office: Office) -> None:
    dev = office.signed_in("developer")
    fields = {"csrf": csrf(dev), "name": "CI", "days": "30"}
    refused = dev.post("/dashboard/settings/tokens", data={**fields, "scopes": "content:write"})
    assert refused.status_code == 403
    made = dev.post("/dashboard/settings/tokens", data={**fields, "scopes": ["data:read", "data:write"]})
    assert made.status_code == 200
    assert "wetink_" in made.text
    assert "wetink_" not in dev.get("/dashboard/settings/tokens").text, "it is shown once"
    entry = office.run(office.wetink.store.audit_log.read(1))[0]
    assert (entry.action, entry.thing, entry.detail) == ("made the API token", "CI", "data:read, data:write")


def test_a_push_by_token_names_the_token_and_its_version(office: Office) -> None:
    token = office.run(office.wetink.tokens.make("deploy", ["content:write"], 0, SERVER))
    got = bearer(office, token).post("/api/content", json={"files": {}, "by": "somebody else"})
    assert got.status_code == 200
    version = office.run(office.wetink.store.content.versions(1))[0]
    assert version.by == "deploy (token)"
    entry = office.run(office.wetink.store.audit_log.read(1))[0]
    assert (entry.actor, entry.action, entry.version) == ("deploy (token)", "pushed", version.number)


def test_a_reader_is_told_the_role_that_changes_a_page_and_nobody_else(office: Office) -> None:
    told = "You can view this page. To change something, ask an owner for the role"
    pages = {"/dashboard/blocks": "editor", "/dashboard/sources": "developer", "/dashboard/settings": "owner"}
    viewer, owner = office.signed_in("viewer"), office.signed_in("owner")
    for path, role in pages.items():
        assert f"{told} {role}." in viewer.get(path).text
        assert told not in owner.get(path).text
    assert told not in viewer.get("/dashboard/people").text, "there is nothing to change"
    assert f"{told} developer." in office.signed_in("editor").get("/dashboard/feeds").text


@pytest.mark.parametrize("role", ROLES)
def test_each_empty_page_leads_its_reader_where_they_may_go_on(tmp_path: Path, role: Role) -> None:
    office = Office(tmp_path)
    office.hire("first")
    office.hire("somebody", role)
    browser, wrong = office.signed_in("somebody"), []
    for path in pages():
        answer = browser.get(path) if "{" not in path else None
        assert answer is None or answer.status_code < 500, path
        if answer is not None and "<html" in answer.text:
            page = Page(path, answer.text)
            wrong += [f"{path}: {each}" for each in (*beyond(role, page), *page.problems)]
    office.close()
    assert not wrong, "\n".join(wrong)
