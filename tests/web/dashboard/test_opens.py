"""Opens: what a report's figure leads to has as many opens, clicks and orders as the figure says."""

import asyncio
import csv
import html
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.scenarios.test_experiment import opened, user
from tests.scenarios.test_what_counts import order
from tests.web.test_open import House
from wetink.render.thumbnail import HEIGHT, WIDTH
from wetink.web.app import create
from wetink.web.request import now_ms


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A shop with two blocks of one email in two campaigns, opened and clicked by people and by a machine."""
    made = House(tmp_path_factory.mktemp("opens") / "data")
    made.now = now_ms() - 3_600_000
    for number in range(70):
        if number % 2:
            made.saw("mug", who=f"u{number}")
        made.now += 1_000
        for block in ("hero", "cards"):
            made.get(f"{made.url('picture', block, who=user(number))}?c={'may' if number % 3 else ''}")
        if number % 10 == 0:
            made.get(f"{made.url('click', 'hero', who=user(number))}?c={'may' if number % 3 else ''}")
            order(made, f"O-{number}", userId=f"u{number}", total=10)
    opened(made, user(99), "Mozilla/5.0")
    yield made
    asyncio.run(made.wetink.close())


@pytest.fixture
def web(house: House) -> Iterator[TestClient]:
    with TestClient(create(house.wetink)) as client:
        client.get(f"/dashboard/login?token={house.wetink.dashboard_token}")
        yield client


def walked(web: TestClient, path: str, item: str, older: str) -> list[str]:
    """Return all items of a list, page by page."""
    found: list[str] = []
    while path:
        text = web.get(path).text
        found += re.findall(item, text)
        further = re.search(rf'href="([^"]+)">{older}</a>', text)
        path = html.unescape(further[1]) if further else ""
    return found


TOUCH = r'href="/dashboard/opens/shown\?([^"]+)"'


@pytest.mark.parametrize("by", ["block", "block,variant", "campaign", "variant", "day"])
def test_each_figure_leads_to_as_many_opens_clicks_and_orders(house: House, web: TestClient, by: str) -> None:
    lines = web.get(
        f"/api/report?range=7d&by={by}", headers={"authorization": f"Bearer {house.wetink.dashboard_token}"}
    ).json()["lines"]
    page = web.get(f"/dashboard/reports?range=7d&by={by}&compare=none").text
    leads = [html.unescape(each) for each in re.findall(r'href="(/dashboard/(?:opens|conversions)\?[^"]+)"', page)]
    counted = 0
    for path in leads:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        key = {name: query[name].replace("~", "") for name in ("block", "variant", "campaign") if name in query}
        if by == "day":
            key = {"day": query["from"]}
        [line] = [each for each in lines if key.items() <= each.items()]
        if "conversions" in path:
            found = walked(web, path, r"<strong>(O-\d+)</strong>", "Earlier conversions")
            assert len(set(found)) == len(found)
            assert len(found) >= line["orders"] > 0, path
        else:
            name = "clicks" if query.get("kind") == "click" else "opens"
            name = f"machine_{name}" if query.get("fetched") == "machines" else name
            found = walked(web, path, TOUCH, "Older")
            assert len(set(found)) == len(found) == line[name], path
            assert f"{line[name]:,} {name.removeprefix('machine_')} by" in web.get(path).text
        counted += 1
    assert counted >= 3


def test_opens_of_one_email_stand_in_one_row_with_a_small_picture_each(web: TestClient) -> None:
    page = web.get("/dashboard/opens?range=7d&who=user:u1").text
    rows = re.findall(r'<ul class="shown">(.*?)</ul>', page, re.S)
    assert len(rows) == 1
    assert len(re.findall(TOUCH, rows[0])) == 2
    for address in re.findall(r'src="(/dashboard/opens/shown\.img[^"]+)"', rows[0]):
        small = web.get(html.unescape(address))
        image = Image.open(io.BytesIO(small.content))
        assert small.headers["cache-control"].startswith("private, max-age")
        assert image.width <= WIDTH
        assert image.height <= HEIGHT
        assert len(small.content) < 20_000
    [link] = re.findall(TOUCH, rows[0])[:1]
    assert "user:u1" in web.get(f"/dashboard/opens/shown?{html.unescape(link)}").text.replace("</span>", ":")
    page = web.get("/dashboard/reports?range=7d&by=block,variant").text
    for address in re.findall(r'src="(/dashboard/thumbnails/[^"]+)"', page):
        assert web.get(html.unescape(address)).headers["content-type"] in ("image/jpeg", "image/png")


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"variant": "~"}, 70),
        ({"variant": "seen"}, 70),
        ({"campaign": "may", "block": "hero"}, 46),
        ({"campaign": "~", "block": "hero"}, 24),
        ({"fetched": "machines"}, 1),
        ({"fetched": "prefetch"}, 1),
        ({"fetched": "scanner"}, 0),
        ({"who": "user:u1"}, 2),
        ({"who": "user:nobody"}, 0),
        ({"kind": "click"}, 7),
        ({"range": "yesterday"}, None),
    ],
)
def test_filters_of_the_list_go_together_with_its_range(web: TestClient, filters: dict[str, str], count: Any) -> None:
    query = "&".join(f"{name}={value}" for name, value in {"range": "7d", **filters}.items())
    found = walked(web, f"/dashboard/opens?{query}", TOUCH, "Older")
    assert count is None or len(found) == count
    for name, value in filters.items():
        if name in ("variant", "campaign", "who"):
            page = web.get(f"/dashboard/opens?{query}").text
            assert value in page


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=2026-02-30&to=2026-03-01", 400),
        ("from=0001-01-01&to=9999-12-31", 400),
        ("who=jane", 200),
        ("before=x+y&fetched=moon&kind=nothing", 200),
        ("before=99999999999999999999+1", 200),
    ],
)
def test_what_makes_no_list_is_said_and_costs_nothing(web: TestClient, query: str, status: int) -> None:
    answer = web.get(f"/dashboard/opens?{query}")
    assert answer.status_code == status
    if "from" in query or query == "who=jane":
        assert 'class="field-error"' in answer.text
        assert 'aria-invalid="true"' in answer.text


def test_what_the_archive_does_not_have_is_a_plain_frame_and_a_page_that_says_so(web: TestClient) -> None:
    where = "block=hero&who=user%3Aabsent&campaign=&at=5"
    small = web.get(f"/dashboard/opens/shown.img?{where}")
    assert (small.status_code, small.headers["content-type"]) == (200, "image/svg+xml")
    answer = web.get(f"/dashboard/opens/shown?{where}", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "archive" in answer.text


@pytest.mark.parametrize("by", ["block", "block,variant", "variant", "campaign", "day", "weekday"])
@pytest.mark.parametrize(
    "more", ["", "&sort=orders", "&sort=rate&block=hero", "&variant=~", "&campaign=may&sort=clicks"]
)
def test_the_file_has_exactly_the_lines_of_the_view(web: TestClient, by: str, more: str) -> None:
    page = html.unescape(web.get(f"/dashboard/reports?range=7d&compare=none&by={by}{more}").text)
    link = re.search(r'href="(/dashboard/reports\.csv\?[^"]+)"', page)
    assert link is not None
    rows = list(csv.DictReader(io.StringIO(web.get(link[1]).text)))
    shown = [
        [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)]
        for row in re.findall(r"<tr>(.*?)</tr>", page.partition('id="lines-title"')[2].partition("<tbody>")[2], re.S)
    ]
    titles = {"variant": "Fallback", "campaign": "No campaign"}
    names = by.split(",")
    count = len(names)
    assert [row[:count] for row in shown] == [[row[name] or titles.get(name, "") for name in names] for row in rows]
    for seen, row in zip(shown, rows, strict=True):
        figures = [each.split()[0] for each in seen[count:]]
        assert figures[:4] == [
            row[name] for name in ("pictures", "unique_opens", "unique_machine_opens", "unique_clicks")
        ]
        assert float(figures[5]) == pytest.approx(float(row["orders"]), abs=0.06)


def test_lists_without_a_row_teach_how_to_get_one(nobody_yet: TestClient) -> None:
    opens = nobody_yet.get("/dashboard/opens").text
    assert 'class="blank"' in opens
    assert "snippet into an email and open it" in opens
    conversions = nobody_yet.get("/dashboard/conversions").text
    assert 'class="blank"' in conversions
    assert "<h1>Conversions</h1>" in conversions
    assert "Order Completed" in conversions
