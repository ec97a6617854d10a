"""Saved views: a report under a title that the whole team has, and that can be taken back."""

import asyncio
import html
import re

import pytest
import yaml
from starlette.testclient import TestClient

from wetink.content.content import load
from wetink.core.errors import BadContent
from wetink.core.signals.reporting import reporting_of
from wetink.wiring import Wetink

QUERY = "range=28d&compare=year&by=campaign&block=hero&show=rate&sort=orders"


def save(dashboard: TestClient, title: str, query: str = QUERY) -> str:
    answer = dashboard.post("/dashboard/reports/views", data={"title": title, "query": query})
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def listed(dashboard: TestClient) -> dict[str, str]:
    page = dashboard.get("/dashboard/reports").text
    found = re.findall(r'view-item"><a class="menu-item" href="([^"]+)">([^<]+)<', page)
    return {html.unescape(title): html.unescape(href) for href, title in found}


def test_a_view_is_the_same_report_for_everybody_and_a_version_of_the_content(
    dashboard: TestClient, wetink: Wetink
) -> None:
    page = save(dashboard, "  Rate by   campaign ")
    assert "Rate by campaign was saved for your team." in page
    address = listed(dashboard)["Rate by campaign"]
    assert address == f"/dashboard/reports?{QUERY}"
    report = dashboard.get(address).text
    assert '<option value="28d"' not in report
    assert re.search(r'range=28d[^"]*" aria-current="true"', html.unescape(report))
    for name, value in (("by", "campaign"), ("compare", "year"), ("block", "hero")):
        assert re.search(rf'<select name="{name}".*?<option value="{value}" selected', report, re.S), name
    version, files = asyncio.run(wetink.versions.read())
    assert version.message == "saved the view Rate by campaign"
    assert yaml.safe_load(files["reports.yaml"])["views"] == [{"title": "Rate by campaign", "query": QUERY}]


def test_saving_again_replaces_and_undo_brings_the_earlier_back(dashboard: TestClient) -> None:
    save(dashboard, "Mine")
    assert "Mine was replaced." in save(dashboard, "Mine", "range=7d&by=block")
    assert listed(dashboard) == {"Mine": "/dashboard/reports?range=7d&by=block"}
    answer = dashboard.post("/dashboard/reports/views/delete", data={"title": "Mine"})
    assert "Mine was deleted." in answer.text
    assert listed(dashboard) == {}
    undo = re.search(r'action="(/dashboard/reports/views)">((?:(?!<form).)*)<button class="undo"', answer.text, re.S)
    assert undo is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', html.unescape(undo[2])))
    dashboard.post(undo[1], data=fields)
    assert listed(dashboard) == {"Mine": "/dashboard/reports?range=7d&by=block"}
    again = dashboard.post("/dashboard/reports/views/delete", data={"title": "Absent"})
    assert "Absent was already deleted." in again.text


def test_a_view_keeps_only_a_reports_parameters_and_needs_a_title(dashboard: TestClient) -> None:
    save(dashboard, "<script>", "range=7d&csrf=secret&before=5&block=%3Cscript%3E&by=block" + "&x=1" * 900)
    assert listed(dashboard)["<script>"] == "/dashboard/reports?range=7d&block=%3Cscript%3E&by=block"
    for title in ("", "   ", "x" * 81):
        answer = dashboard.post("/dashboard/reports/views", data={"title": title, "query": QUERY})
        assert answer.status_code == 400
        assert "title" in answer.text


def test_views_of_two_people_at_the_same_time_are_both_kept(dashboard: TestClient, wetink: Wetink) -> None:
    from wetink.core.signals.reporting import View
    from wetink.web.dashboard.results.report_views import change

    async def both() -> None:
        one = change(wetink, "one", "a", lambda found: found.with_view(View("A", "by=block")))
        other = change(wetink, "two", "b", lambda found: found.with_view(View("B", "by=day")))
        await asyncio.gather(one, other)

    asyncio.run(both())
    assert set(listed(dashboard)) == {"A", "B"}


@pytest.mark.parametrize(
    "text",
    [
        "views: 3",
        "views: [{title: '', query: x}]",
        "views: [{title: a}, {title: a}]",
        "views: [{title: a, range: 7d}]",
        "summary: {to: [jane]}",
        "summary: {webhook: 'javascript:alert(1)'}",
        "summary: {to: [a@b.c], hour: 24}",
        "summary: {to: [a@b.c], day: someday}",
        f"views: [{', '.join(f'{{title: t{n}}}' for n in range(101))}]",
    ],
)
def test_a_file_that_cannot_be_used_is_left_out_and_named(text: str) -> None:
    with pytest.raises(BadContent):
        reporting_of(yaml.safe_load(text))
    loaded = load({"reports.yaml": text.encode()}, {})
    assert loaded.reporting.views == ()
    assert [each for each in loaded.problems if each.startswith("reports.yaml: ")]
