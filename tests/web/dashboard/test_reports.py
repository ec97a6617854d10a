"""Reports, conversions and experiments on pages, for programs and by command: the same figures everywhere."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from tests.scenarios.test_experiment import TEST, opened, says, user
from tests.scenarios.test_what_counts import order
from tests.web.test_open import House
from wetink.cli import main
from wetink.web.app import create
from wetink.web.request import now_ms

FORMULA = '=HYPERLINK("https://evil.example")'


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A shop with an experiment, opens of people and machines in a campaign named as a formula, and three orders."""
    made = House(tmp_path_factory.mktemp("reports") / "data", draws=False)
    made.now = now_ms() - 3_600_000
    says(made, TEST)
    says(made, "goals: {quiz: {event: Quiz Taken, value: points, currency: EUR}}", "signals.yaml")
    for number in range(6):
        made.saw("mug", who=f"u{number}")
        opened(made, user(number))
    opened(made, user(7), "Mozilla/5.0")
    made.get(f"{made.url('picture', 'hero', who=user(0))}?c={FORMULA.replace('=', '%3D', 1)}")
    made.get(f"{made.url('click', 'hero', who=user(0))}?c={FORMULA.replace('=', '%3D', 1)}")
    order(made, "O-1", userId="u0", total=30)
    order(made, "O-2", userId="u1", total=12.5)
    order(made, "O-3", userId="u9")
    made.take({"type": "track", "event": "Order Refunded", "userId": "u1", "messageId": "r", "timestamp": made.now,
               "properties": {"order_id": "O-2", "total": 2.5}})  # fmt: skip
    made.take({"type": "track", "event": "Quiz Taken", "userId": "u2", "messageId": "q", "timestamp": made.now,
               "properties": {"points": 7}})  # fmt: skip
    yield made
    asyncio.run(made.wetink.close())


@pytest.fixture
def web(house: House) -> Iterator[TestClient]:
    with TestClient(create(house.wetink)) as client:
        client.headers["authorization"] = f"Bearer {house.wetink.dashboard_token}"
        client.get(f"/dashboard/login?token={house.wetink.dashboard_token}")
        yield client


def command(house: House, *words: str) -> Any:
    house.wetink.store.ledger.flush()
    answer = CliRunner().invoke(main, [*words, "--data", str(house.wetink.settings.data)])
    assert answer.exit_code == 0, answer.output
    return answer.output


def cells(page: str, row: str) -> list[str]:
    found = re.search(rf"<tr>(?:(?!<tr>).)*{row}.*?</tr>", page, re.S)
    assert found is not None
    return [
        " ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<t[hd].*?</t[hd]>", found[0], re.S)
    ]


def test_a_block_has_the_same_figures_on_page_api_file_and_command(house: House, web: TestClient) -> None:
    said = web.get("/api/report").json()
    [hero] = [line for line in said["lines"] if line["block"] == "hero"]
    figures = {"pictures": 8, "unique_opens": 7, "unique_machine_opens": 1, "unique_clicks": 1, "orders": 2.0}
    assert {name: hero[name] for name in figures} == figures
    assert (hero["revenue"], hero["click_rate"]) == ({"EUR": 40.0}, round(1 / 7, 6))
    assert hero["revenue_per_thousand_opens"] == {"EUR": round(40_000 / 7, 2)}
    assert "not enough data yet" in hero["lift"]
    assert said["total"]["orders"] == 2
    assert (said["goal"], said["model"]) == ("order", "last-click-else-open")
    page = web.get("/dashboard/reports").text
    assert cells(page, "by=variant&amp;block=hero")[:8] == ["hero", "8", "7", "1", "1", "14.3%", "2", "€40.00"]
    [row] = [row for row in csv.DictReader(io.StringIO(web.get("/api/report.csv").text)) if row["block"] == "hero"]
    assert (row["pictures"], row["unique_opens"], row["orders"], row["revenue_EUR"]) == ("8", "7", "2.0", "40.0")
    assert row["lift"] == hero["lift"]
    assert json.loads(command(house, "report", "--json")) == said["lines"]
    assert command(house, "report", "--csv") == web.get("/dashboard/reports.csv").text.replace("\r\n", "\n")


def test_home_shows_the_figures_of_the_report_and_leads_to_what_is_behind_them(house: House, web: TestClient) -> None:
    """Each figure of a block on Home leads to a list, which is not empty, and each figure on top to its report."""
    home, whole = web.get("/dashboard").text, web.get("/api/report").json()["lines"]
    line = next(each for each in whole if each["block"] == "hero")
    behind = re.findall(r'href="(/dashboard/(?:opens|conversions)\?[^"]*block=hero[^"]*)" aria-label="(\d+)', home)
    assert [int(number) for _, number in behind] == [line["unique_opens"], line["unique_clicks"], line["orders"]]
    for address, _ in behind:
        assert "No opens" not in (shown := web.get(address.replace("&amp;", "&")).text)
        assert "No orders" not in shown
    for figure in ("opens", "clicks", "orders", "revenue"):
        assert re.search(rf'href="/dashboard/reports\?[^"]*show={figure}"', home), figure


@pytest.mark.parametrize("orders", ["count", "wait"])
def test_reports_say_which_share_of_revenue_pages_alone_told(tmp_path: Path, orders: Literal["count", "wait"]) -> None:
    house = House(tmp_path / "data", draws=False)
    house.now = now_ms() - 3_600_000
    store = house.wetink.store
    asyncio.run(store.sources.set_source("page", orders=orders))
    for number in range(3):
        house.saw("mug", who=f"u{number}")
        opened(house, user(number))
    order(house, "O-1", userId="u0", total=30)
    order(house, "O-2", "page", userId="u1", total=10)
    order(house, "O-3", "page", userId="u2", total=99)
    order(house, "O-3", userId="u2", total=60)
    counted = orders == "count"
    said, listed = command(house, "report"), json.loads(command(house, "report", "--json"))
    [hero] = [line for line in listed if line["block"] == "hero"]
    assert hero["revenue"] == {"EUR": 100.0 if counted else 90.0}, "a server's order replaces the page's of its id"
    assert hero.get("page_share") == ({"EUR": 0.1} if counted else None)
    assert ("€100.00 (10.0% reported only by web pages)" in said) == counted
    assert ("reported only by web pages" in said) == counted
    assert ("page_share_EUR" in command(house, "report", "--csv")) == counted
    with TestClient(create(house.wetink)) as client:
        client.get(f"/dashboard/login?token={house.wetink.dashboard_token}")
        page = client.get("/dashboard/reports").text
    asyncio.run(house.wetink.close())
    assert ("10.0% reported only by web pages" in page) == counted


def test_no_cell_of_a_file_is_a_formula(house: House, web: TestClient) -> None:
    text = web.get("/api/report.csv?by=campaign").text
    found = {row["campaign"]: row for row in csv.DictReader(io.StringIO(text))}
    assert set(found) == {"", f"'{FORMULA}"}
    assert web.get("/api/report?by=campaign").json()["lines"][1]["campaign"] == FORMULA


@pytest.mark.parametrize("by", ["variant", "campaign", "day", "block,variant"])
def test_however_it_is_broken_down_the_sums_are_the_same(web: TestClient, by: str) -> None:
    whole = web.get("/api/report").json()["total"]
    said = web.get(f"/api/report?by={by}").json()
    assert {**said["total"]} == whole
    assert web.get(f"/dashboard/reports?by={by}").status_code == 200


def test_changing_model_goal_currency_or_block_needs_no_new_data(
    web: TestClient,
) -> None:
    def orders(query: str) -> float:
        return float(web.get(f"/api/report?{query}").json()["total"]["orders"])

    assert orders("model=last-click") == 1
    assert orders("model=linear") == 2
    assert orders("goal=quiz") == 1
    assert web.get("/api/report?goal=quiz").json()["total"]["revenue"] == {"EUR": 7.0}
    assert web.get("/api/report?currency=USD").json()["total"]["revenue"] == {}
    assert orders("block=cards") == 0
    assert "Quiz Taken" not in web.get("/dashboard/reports?goal=quiz&model=first").text


@pytest.mark.parametrize("query", ["model=best", "goal=love", "by=moon"])
def test_an_unknown_goal_model_or_dimension_is_refused_with_the_known_ones(web: TestClient, query: str) -> None:
    answer = web.get(f"/api/report?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["hint"]
    page = web.get(f"/dashboard/reports?{query}")
    assert page.status_code == 200
    assert 'class="error"' in page.text


@pytest.mark.parametrize("path", ["/api/report", "/api/report.csv", "/api/conversions", "/api/experiments"])
def test_programs_need_the_token_and_people_a_session(house: House, path: str) -> None:
    with TestClient(create(house.wetink)) as client:
        assert client.get(path).status_code == 401
        for page in ("reports", "reports.csv", "conversions", "experiments"):
            assert "/dashboard/login" in str(client.get(f"/dashboard/{page}").url)


def test_each_conversion_explains_which_touch_got_credit_and_why(house: House, web: TestClient) -> None:
    found = {each["conversion"]["id"]: each for each in web.get("/api/conversions").json()}
    assert [(each["touch"]["kind"], each["why"]) for each in found["O-1"]["credits"]] == [
        ("click", "the last click before it")
    ]
    assert found["O-2"]["conversion"]["refunded"] == 2.5
    assert found["O-3"]["credits"] == []
    one = web.get("/api/conversions/O-1?model=last-open").json()
    assert {each["why"] for each in one["losses"]} == {
        "it showed the fallback, which was not clicked",
        "only opens count in this model",
    }
    assert web.get("/api/conversions/absent").status_code == 404
    page = web.get("/dashboard/conversions").text
    assert "€10.00" in page
    assert "€2.50 refunded" in page
    assert "No credit: no eligible open or click before it" in page
    page = web.get("/dashboard/conversions/O-1?goal=order").text
    assert "the last click before it" in page
    assert "a click counts before any open" in page
    for at in (found["O-1"]["conversion"]["at"], 1, "9" * 18, "9" * 40, "-1", "soon"):  # where it stands, and odd ones
        assert web.get(f"/dashboard/conversions/O-1?goal=order&at={at}").text == page
    assert web.get("/dashboard/conversions/absent", headers={"accept": "text/html"}).status_code == 404
    said = command(house, "conversions", "O-1")
    assert "→ 100% click of hero" in said
    assert "· open of hero" in said
    assert json.loads(command(house, "conversions", "--json"))[0]["conversion"]["id"] == "O-1"


def test_an_experiment_shows_the_same_arms_words_and_split_everywhere(house: House, web: TestClient) -> None:
    assert web.get("/api/experiments").json() == [{"name": "test", "block": "hero"}]
    said = web.get("/api/experiments/test").json()
    assert sum(arm["people"] for arm in said["arms"]) == 6
    assert sum(arm["unseen"] for arm in said["arms"]) == 1
    assert sum(arm["ordered"] for arm in said["arms"]) == 2
    assert "not enough data yet" in said["words"]["orders"][0]
    page = web.get("/dashboard/experiments/test").text
    for words in (*said["words"]["clicks"], "Sample ratio check", "Machines only"):
        assert words in page
    assert cells(page, "control")[0] == "Holdout control"
    assert '/dashboard/experiments/test">Test<' in web.get("/dashboard/experiments").text
    assert web.get("/dashboard/experiments/absent").status_code == 404
    assert web.get("/api/experiments/absent").json()["error"]["hint"] == "experiments: test"
    assert (
        json.loads(command(house, "experiment", "show", "test", "--json"))["words"]["orders"] == said["words"]["orders"]
    )
    assert "not enough data yet" in command(house, "experiment", "show", "test")
    assert command(house, "experiment", "list").split() == ["test", "hero"]


def test_the_words_of_a_report_stand_in_columns(house: House) -> None:
    lines = command(house, "report", "--by", "block", "--by", "variant").splitlines()
    assert lines[0].split() == ["pictures", "opens", "machines", "clicks", "rate", "orders", "revenue"]
    assert any(line.startswith("hero / seen") for line in lines)


def test_a_model_there_is_not_is_refused_by_the_command(house: House, tmp_path: Path) -> None:
    answer = CliRunner().invoke(main, ["report", "--model", "best", "--data", str(tmp_path)])
    assert answer.exit_code == 2
    assert "last-click-else-open" in answer.output


def test_pages_of_conversions_have_each_one_once_the_newest_first(tmp_path: Path) -> None:
    house = House(tmp_path / "data", draws=False)
    house.now = now_ms() - 3_600_000
    for number in range(120):  # several within the same millisecond
        told = {"order_id": f"N-{number:03}", "total": 5, "products": [{"sku": "mug", "price": 5}]}
        message = {"type": "track", "event": "Order Completed", "userId": f"u{number}", "messageId": f"n{number}"}
        house.take({**message, "timestamp": house.now + number // 40, "properties": told})
    found: list[str] = []
    with TestClient(create(house.wetink)) as client:
        client.get(f"/dashboard/login?token={house.wetink.dashboard_token}")
        path = "/dashboard/conversions?days=7"
        while path:
            page = client.get(path).text
            assert "120 in this period" in page
            found += re.findall(r"<strong>(N-\d+)</strong>", page)
            further = re.search(r'href="([^"]+)">Earlier conversions', page)
            path = further[1].replace("&amp;", "&") if further else ""
        empty = client.get("/dashboard/conversions?before=0+x").text
        listed = client.get("/api/conversions", headers={"authorization": f"Bearer {house.wetink.dashboard_token}"})
    asyncio.run(house.wetink.close())
    assert found == [f"N-{number:03}" for number in range(119, -1, -1)]
    assert [each["conversion"]["id"] for each in listed.json()] == found[::-1]
    assert "No more conversions in this period" in empty
