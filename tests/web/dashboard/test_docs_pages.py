"""The docs in the dashboard: each page of docs/ is there, and no link of theirs leads nowhere."""

import re

import pytest
from starlette.testclient import TestClient

from wetink.web.dashboard.help.docs import FOLDER, GROUPS, all_docs, read

TOP = sorted(path.stem for path in FOLDER.glob("*.md"))


def test_every_page_is_listed_once(dashboard: TestClient) -> None:
    listed = [name for names in GROUPS.values() for name in names]
    assert sorted(name for name in listed if "/" not in name) == TOP
    shown = dashboard.get("/dashboard/docs").text
    for name in listed:
        assert shown.count(f'<a href="/dashboard/docs/{name}">') == 1


def test_every_page_shows_and_its_links_lead_to_pages_and_headings(dashboard: TestClient) -> None:
    docs = all_docs()
    for name, doc in docs.items():
        assert doc.sections, name
        for link in re.findall(r'href="([^"]+)"', doc.html):
            if link.startswith("/dashboard/docs/"):
                there, _, anchor = link.removeprefix("/dashboard/docs/").partition("#")
            elif link.startswith("#"):
                there, anchor = name, link[1:]
            else:
                assert re.match("https?://", link), (name, link)
                continue
            assert there in docs, (name, link)
            assert not anchor or anchor in [each.anchor for each in docs[there].sections], (name, link)
    for name in (*TOP, "apps/countdown"):
        assert f"<h1>{docs[name].title}</h1>" in dashboard.get(f"/dashboard/docs/{name}").text.replace("&#39;", "'")


def test_the_picture_of_an_app_is_a_live_one(dashboard: TestClient) -> None:
    assert '<img src="/dashboard/apps/countdown.img"' in all_docs()["apps/countdown"].html
    assert dashboard.get("/dashboard/docs/apps/countdown").status_code == 200


@pytest.mark.parametrize("name", ["absent", "../README", "..%2FREADME", "apps/", "feeds.md", "%00"])
def test_no_other_file_is_shown(dashboard: TestClient, name: str) -> None:
    assert dashboard.get(f"/dashboard/docs/{name}", follow_redirects=False).status_code == 404


def test_html_in_a_page_is_text_and_a_link_out_of_the_docs_is_words() -> None:
    doc = read(
        "a", "# <b>T</b>\n\n<script>x</script> [code](../wetink/wiring.py) ![chart](chart.svg)\n\n```sh\n<i>\n```\n"
    )
    assert "<script" not in doc.html
    assert "<i>" not in doc.html
    assert "<span>code</span>" in doc.html
    assert "<img" not in doc.html
