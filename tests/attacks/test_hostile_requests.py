"""What one request may cost: every route with odd values, some of them each time; `make attack` sends all of them.

A request answers with less than 500, takes the loop for at most a quarter of a second of processor time at a time, and
lets the memory grow by at most 100 MB.
"""

import asyncio
import time
from collections.abc import Iterator

import pytest
from starlette.routing import Route

from tests.attacks.hostile import LOOP_SECONDS, MOST_BYTES, Cost, Sent, Target, query
from tests.attacks.hostile_values import BODIES, TEXTS
from wetink.content import strict_yaml
from wetink.web.app import ROUTES

EACH, DRAWN = 3, 1
"""Attacks on a route, and on one that draws: others on each, so that all values come up somewhere."""

DRAWS = (
    ".img",
    "/tried",
    "/covered",
    "/beside",
    "/weight",
    "/edit",
    "/dashboard/apps/{name}",
    "/dashboard/blocks/{name}",
)
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(scope="module")
def target(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    made = Target(tmp_path_factory.mktemp("hostile"))
    runner.run(made.prepare())
    yield made
    runner.run(made.wetink.close())


def listed() -> list[tuple[str, str]]:
    found = []
    for route in ROUTES:
        if isinstance(route, Route) and route.path != "/dashboard/logout" and "PUT" not in (route.methods or ()):
            found += [(method, route.path) for method in sorted((route.methods or {"GET"}) - {"HEAD"})]
    return found


@pytest.mark.parametrize(("method", "path"), listed(), ids=lambda each: str(each))
def test_no_value_costs_a_route_much_or_breaks_it(
    runner: asyncio.Runner, target: Target, method: str, path: str
) -> None:
    async def story() -> list[Cost]:
        sends = await target.attacks(method, path)
        most = DRAWN if path.endswith(DRAWS) else EACH
        step = max(len(sends) // most, 1) | 1
        first = 7 * listed().index((method, path)) % step
        return [await target.cost(sent) for sent in sends[first::step]]

    assert [str(cost) for cost in runner.run(story()) if cost.bad] == []


def form(target: Target, **fields: str) -> bytes:
    return "&".join([f"csrf={target.csrf}", *(query([name], value) for name, value in fields.items())]).encode()


EXAMPLES = {
    "a report of all time": (Sent("GET", "/dashboard/reports?since=0001-01-01&until=9999-12-31"), 400, "since"),
    "the same for programs": (Sent("GET", "/api/report?since=0001-01-01&until=9999-12-31"), 400, "since"),
    "the same as a file": (Sent("GET", "/dashboard/reports.csv?since=0001-01-01&until=9999-12-31"), 400, "since"),
    "conversions of all time": (Sent("GET", "/dashboard/conversions?since=0001-01-01&until=9999-12-31"), 400, "since"),
    "the longest report there is": (Sent("GET", "/dashboard/reports?days=3660"), 200, ""),
    "a countdown on the last day": (Sent("GET", "/dashboard/apps/countdown.img?at=9999-12-31"), 200, ""),
    "days that are none": (Sent("GET", "/dashboard/reports?since=2026-02-30"), 400, "since"),
    "a slot of 4,400 digits": (Sent("GET", f"/dashboard/preview/hero/{'9' * 4_400}.img"), 404, ""),
    "a poll's slot of 4,400 digits": (Sent("GET", f"/v/hero/{'9' * 4_400}/x"), 404, ""),
    "a feed of 500 levels": (
        Sent("PUT", "/dashboard/feeds/deep/file?format=json", *BODIES["500 levels"][::-1]),
        400,
        "",
    ),
    "an item of 500 levels": (
        Sent("PUT", "/dashboard/feeds/deep/file?format=json", *BODIES["500 levels of an item"][::-1]),
        400,
        "nested",
    ),
    "entities inside each other": (
        Sent("PUT", "/dashboard/feeds/deep/file?format=rss", *BODIES["XML entities"][::-1]),
        400,
        "",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_costly_request_is_refused_with_its_place(runner: asyncio.Runner, target: Target, name: str) -> None:
    sent, status, where = EXAMPLES[name]
    cost = runner.run(target.cost(sent._replace(headers={"accept": "application/json"})))
    assert (cost.status, cost.bad) == (status, False), str(cost)
    body = runner.run(target.send(sent)).body.decode("utf-8", "replace")
    assert where in body


@pytest.mark.parametrize(
    "name", ["YAML aliases", "YAML cycle", "YAML cycle of lists", "YAML, deep in flow", "YAML, a number"]
)
@pytest.mark.parametrize("door", ["tried", "found", "save", "edit"])
def test_a_hostile_audience_is_refused_in_every_door_of_the_editor(
    runner: asyncio.Runner, target: Target, door: str, name: str
) -> None:
    body = form(target, name="made", yaml=str(TEXTS[name]))
    cost = runner.run(target.cost(Sent("POST", f"/dashboard/audiences/{door}", body, FORM)))
    assert not cost.bad, str(cost)
    assert cost.status == (400 if door == "save" else 200)
    assert not (target.wetink.settings.content / "audiences" / "made.yaml").exists()


def test_a_form_of_a_rule_with_thousands_of_deep_conditions_is_not_drawn(
    runner: asyncio.Runner, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = "{not: " * 16 + "{all: [" + "{trait: x}," * 1_500 + "]}" + "}" * 16
    sent = Sent("POST", "/dashboard/audiences/tried", form(target, yaml=f"rule: {deep}"), FORM)
    assert len(runner.run(target.send(sent)).body) < 200_000
    monkeypatch.setattr("wetink.core.rules.form.MOST_SENT", 1 << 40)
    assert len(runner.run(target.send(sent)).body) > 2_000_000


def test_without_the_count_aliases_inside_each_other_cost_what_they_stand_for(
    runner: asyncio.Runner, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strict_yaml, "_measure", lambda text, most: None)
    body = form(target, yaml=str(TEXTS["YAML aliases"]).replace("[*g,*g,*g,*g,*g,*g,*g,*g,*g]", "*f"))
    began = time.process_time()
    cost = runner.run(target.cost(Sent("POST", "/dashboard/audiences/tried", body, FORM)))
    assert cost.grown > MOST_BYTES or time.process_time() - began > 4 * LOOP_SECONDS, str(cost)
