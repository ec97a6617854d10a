"""Templates: made, tried, saved as drafts, published, renamed and deleted; hostile ones stay within their bounds."""

import asyncio
import json
import re
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.web.dashboard.editing import undone
from wetink.wiring import Wetink

T = TypeVar("T")
COMPANION = "title: Sale\nsettings:\n  heading: {type: string, default: Hi, maxLength: 9}\n  loud: {type: boolean}\n"
TEXT = "<p>{{ settings.heading }} {{ person.traits.firstName }}</p>"
BLOCK = (
    "width: 200\nheight: 100\nfallback: {link: 'https://shop.example/'}\n"
    "variants: [{name: all, app: custom, template: card.liquid, settings: {tone: warm}}]\n"
)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def post(dashboard: TestClient, path: str = "", *, json: bool = False, **fields: str) -> Response:
    accept = {"accept": "application/json"} if json else {}
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return dashboard.post(f"/dashboard/templates{path}", data=named, follow_redirects=False, headers=accept)


def tried(dashboard: TestClient, text: str, companion: str = "", **more: str) -> dict[str, Any]:
    answer = post(dashboard, "/card/tried", template=text, companion=companion, **more)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def card(dashboard: TestClient, wetink: Wetink) -> TestClient:
    """A dashboard with a published template that a block uses."""
    folder = wetink.settings.content
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / "card.liquid").write_text(TEXT)
    (folder / "blocks" / "own.yaml").write_text(BLOCK)
    run(wetink.look_again())
    return dashboard


@pytest.mark.parametrize(
    ("source", "words"),
    [("blank", "settings.heading"), ("app:countdown", "app: countdown"), ("template:card", "person.traits.firstName")],
)
def test_a_template_begins_as_a_draft_that_nobody_receives(
    card: TestClient, wetink: Wetink, source: str, words: str
) -> None:
    answer = post(card, name="Spring sale!", **{"from": source})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/templates/spring-sale")
    page = card.get("/dashboard/templates/spring-sale").text
    assert words in page
    assert "New draft, not published yet" in page
    assert "spring-sale.liquid" not in wetink.content.templates
    drawn = card.get("/dashboard/templates/spring-sale/picture")
    assert (drawn.status_code, drawn.headers["content-type"].partition("/")[0]) == (200, "image")
    again = post(card, name="Spring Sale", **{"from": source})
    assert (again.status_code, "There is already a template called spring-sale" in again.text) == (400, True)


@pytest.mark.parametrize("name", ["", " ", "\t"])
def test_a_template_without_a_name_is_refused_at_the_field(card: TestClient, name: str) -> None:
    answer = post(card, name=name, **{"from": "blank"})
    assert answer.status_code == 400
    assert re.search(r'id="wrong-name">Give the template a name', answer.text)


def test_a_draft_is_reviewed_and_published_as_one_version(card: TestClient, wetink: Wetink) -> None:
    saved = post(card, "/card", json=True, do="save", template="<p>New</p>", companion=COMPANION).json()
    assert saved == {"revision": 1, "companionRevision": saved["companionRevision"]}
    assert wetink.content.templates["card.liquid"] == TEXT, "nobody receives it"
    page = card.get("/dashboard/templates/card").text
    paths = re.search(r'href="/dashboard/review\?([^"]*)"', page)
    assert paths is not None
    assert "card.liquid" in paths[1]
    before = wetink.content.templates
    run(wetink.publishing.publish(["templates/card.liquid", "templates/card.yaml"], by="ida"))
    assert before is not wetink.content.templates
    assert wetink.content.templates["card.liquid"] == "<p>New</p>"
    assert wetink.content.apps["card"].title == "Sale"
    assert "Published" in card.get("/dashboard/templates/card").text


def test_a_text_that_is_as_published_again_is_no_draft(card: TestClient, wetink: Wetink) -> None:
    first = post(card, "/card", json=True, do="save", template="x", companion="").json()
    back = post(card, "/card", json=True, do="save", template=TEXT, companion="", revision=str(first["revision"]))
    assert back.json() == {"revision": 0, "companionRevision": 0}
    assert run(wetink.publishing.pending()) == []


def test_two_people_who_edit_one_template_overwrite_nothing(card: TestClient) -> None:
    post(card, "/card", json=True, do="save", template="mine", companion="")
    late = post(card, "/card", json=True, do="save", template="theirs", companion="", revision="0")
    assert late.status_code == 409
    assert "saved templates/card.liquid" in late.json()["error"]["message"]
    kept = post(card, "/card", do="save", template="theirs", companion="", revision="0")
    assert (kept.status_code, "theirs" in kept.text) == (409, True), "without scripts the text stays in the form"
    over = post(card, "/card", json=True, do="save", template="theirs", revision=str(late.json()["revision"]))
    assert over.status_code == 200
    assert "theirs" in card.get("/dashboard/templates/card").text


PROBLEMS = [
    ("<p>\n{{ a | mony }}", "", "template", "error", 2, "mony", "did you mean money?"),
    ("{% for x in items %}", "", "template", "error", 1, "{% for x in items %}", "never closed"),
    ("{{ peson.traits.x }}", "", "template", "warning", 1, "peson", "did you mean person?"),
    ("\n{{ person.trait.x }}", "", "template", "warning", 2, "trait", "did you mean traits?"),
    ("{{ moment.scheem }}", "", "template", "warning", 1, "scheem", "did you mean scheme?"),
    ("{{ settings.headng }}", COMPANION, "template", "warning", 1, "headng", "did you mean heading?"),
    ("<style>\n.a { width: clamp(1px, 2px, 3px) }</style>", "", "template", "warning", 2, ".a", "clamp()"),
    ("<p>\n\u13a0</p>", "", "template", "warning", 2, "\u13a0</p>", "no font has"),
    ("\U0001f600 {{ a | }}", "", "template", "error", 1, "{{ a | }}", "missing"),
    ("a", "title: [", "companion", "error", 1, "title", "line 1"),
    ("a", "title: A\nsettings:\n  x: {type: strong}\n", "companion", "error", 3, "x:", "strong"),
    ("a", "title: A\ncolor: red\n", "companion", "error", 1, "title", "color"),
    ("a", "about: only\n", "companion", "error", 1, "about", "title"),
]


@pytest.mark.parametrize(("text", "companion", "file", "severity", "line", "marked", "message"), PROBLEMS)
def test_a_problem_is_told_at_its_place(
    card: TestClient, text: str, companion: str, file: str, severity: str, line: int, marked: str, message: str
) -> None:
    found = tried(card, text, companion)["problems"]
    [problem] = [each for each in found if each["file"] == file and message in each["message"]]
    assert (problem["severity"], problem["line"]) == (severity, line)
    units = (text if file == "template" else companion).encode("utf-16-le")
    assert units[2 * problem["start"] : 2 * problem["end"]].decode("utf-16-le").startswith(marked)


@pytest.mark.parametrize(
    "text", [TEXT, "{{ settings.anything }}{{ person.traits.x.y }}{{ facts.feeds.news }}{{ now }}"]
)
def test_a_template_that_is_right_has_no_problems(card: TestClient, text: str) -> None:
    found = tried(card, text)
    assert found["problems"] == []
    assert found["picture"].startswith("data:image/")


LOOPS = "".join(f"{{% for {name} in (1..9999) %}}" for name in "abc") + "x" + "{% endfor %}" * 3
DOUBLES = "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}{{ a }}"
HUGE = "width: 90000px; height: 90000px; filter: blur(900px); box-shadow: 0 0 9000px 9000px red"
HOSTILE = {
    "a loop of loops": LOOPS,
    "a range": "{{ (1..1000000000) | join }}",
    "a text that doubles": DOUBLES,
    "many elements": "{% for a in (1..5000) %}<div><b>x</b></div>{% endfor %}",
    "deep elements": "<div>" * 5_000,
    "a huge box": f"<div style='{HUGE}'>x</div>",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_template_stays_within_its_bounds_and_the_next_one_is_drawn(card: TestClient, text: str) -> None:
    begun = time.monotonic()
    found = tried(card, text)
    assert time.monotonic() - begun < 8
    assert found["picture"] or any(each["severity"] == "error" for each in found["problems"]), "it says why"
    assert tried(card, f"<p>fine {len(text)}</p>")["picture"]


def test_the_picture_follows_the_person_the_settings_the_size_and_the_scheme(card: TestClient) -> None:
    usual = {"sent": "1", "setting.heading": "Hi"}
    text = "<style>.dark p { color: red }</style>" + TEXT
    base = tried(card, text, COMPANION, **usual)["picture"]
    assert base
    for name, value in (("who", "user:42"), ("setting.heading", "Bye"), ("width", "300"), ("scheme", "dark")):
        assert tried(card, text, COMPANION, **{**usual, name: value})["picture"] != base, name
    wrong = tried(card, text, COMPANION, **{**usual, "setting.heading": "Hi, this is far too long"})
    assert (wrong["picture"], "settings" in wrong["note"]) == ("", True)
    assert 'aria-invalid="true"' in wrong["fields"]
    lost = tried(card, text, COMPANION, **usual, who="nobody")
    assert "write user:42" in lost["problems"][0]["message"]


def test_the_preview_begins_with_the_size_and_settings_of_a_block_that_uses_it(card: TestClient) -> None:
    page = card.get("/dashboard/templates/card").text
    assert re.search(r'name="width"[^>]*value="200"', page)
    warm, plain = (
        tried(card, f"<p>{{% if settings.tone == '{tone}' %}}long words here{{% endif %}}</p>")["picture"]
        for tone in ("warm", "cold")
    )
    assert warm != plain


def test_the_words_of_completion_come_from_the_values_that_templates_get(card: TestClient) -> None:
    post(card, "/card", json=True, do="save", template=TEXT, companion=COMPANION)
    words = card.get("/dashboard/templates/card/words").json()
    values = words["values"]
    assert {"person", "items", "moment", "settings", "block", "now"} <= values.keys()
    assert {"traits", "views", "cart", "orders"} <= values["person"]["fields"].keys()
    assert {"name", "price", "photo"} <= values["items"]["item"]["fields"].keys()
    assert set(values["settings"]["fields"]) == {"heading", "loud"}
    assert "money" in {each["name"] for each in words["filters"]}
    assert {"for", "if"} <= {each["name"] for each in words["tags"]}


def test_a_new_name_goes_into_the_blocks_and_the_drafts(card: TestClient, wetink: Wetink) -> None:
    post(card, "/card", json=True, do="save", template="draft", companion="")
    before = run(wetink.versions.newest()).number
    answer = post(card, "/card", do="rename", name="tile")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/templates/tile")
    version, tree = run(wetink.versions.current())
    assert version.number == before + 1
    assert tree["blocks/own.yaml"].decode() == BLOCK.replace("card.liquid", "tile.liquid")
    assert "templates/card.liquid" not in tree
    assert wetink.content.templates["tile.liquid"] == TEXT
    assert [each.path for each in run(wetink.publishing.pending())] == ["templates/tile.liquid"]
    assert not [problem for problem in wetink.content.problems if "broken" not in problem]


def test_a_new_name_hides_no_change_that_somebody_else_published(card: TestClient, wetink: Wetink) -> None:
    stale = BLOCK.replace("200", "300").encode()
    run(wetink.publishing.save("blocks/own.yaml", stale, base="", expected=0, by="ida"))
    post(card, "/card", do="rename", name="tile")
    review = run(wetink.publishing.review(["blocks/own.yaml"]))
    assert [clash.path for clash in review.clashes] == ["blocks/own.yaml"]


@pytest.mark.parametrize(("name", "why"), [("a b", "is not a name"), ("", "is not a name"), ("other", "already")])
def test_a_bad_new_name_is_refused(card: TestClient, name: str, why: str) -> None:
    post(card, name="other", **{"from": "blank"})
    answer = post(card, "/card", do="rename", name=name)
    assert (answer.status_code, why in answer.text) == (400, True)


def test_a_template_in_use_is_not_deleted_and_another_is(card: TestClient, wetink: Wetink) -> None:
    refused = post(card, "/card", do="delete")
    assert "card is used by block own (all)" in refused.text
    post(card, name="Loose", **{"from": "template:card"})
    run(wetink.publishing.publish(["templates/loose.liquid"], by="ida"))
    assert post(card, "/loose", do="delete").status_code == 303
    assert card.get("/dashboard/templates/loose").status_code == 404
    assert set(wetink.content.templates) == {"card.liquid"}


def test_a_deleted_template_comes_back_by_one_click(card: TestClient, wetink: Wetink) -> None:
    post(card, name="Sale", **{"from": "blank"})
    run(wetink.publishing.publish(["templates/sale.liquid", "templates/sale.yaml"], by="ida"))
    before = run(wetink.versions.newest()).files
    post(card, "/sale", do="delete")
    assert "sale" not in wetink.apps
    assert undone(card, card.get("/dashboard/templates").text) == "/dashboard/templates/sale"
    assert run(wetink.versions.newest()).files == before
    assert "sale" in wetink.apps


def test_deleting_a_template_says_what_is_lost(card: TestClient) -> None:
    post(card, name="Sale", **{"from": "blank"})
    assert "never published, so nothing of it is left" in card.get("/dashboard/templates/sale").text
    post(card, "/sale", do="delete")
    assert 'class="undo"' not in card.get("/dashboard/templates").text


def test_a_discarded_draft_leaves_the_published_text_or_nothing(card: TestClient) -> None:
    post(card, "/card", json=True, do="save", template="draft", companion="")
    assert post(card, "/card", do="discard").headers["location"] == "/dashboard/templates/card"
    assert "person.traits.firstName" in card.get("/dashboard/templates/card").text
    post(card, name="Loose", **{"from": "blank"})
    assert post(card, "/loose", do="discard").headers["location"] == "/dashboard/templates"
    assert card.get("/dashboard/templates/loose").status_code == 404


def test_only_the_editor_may_make_styles_and_each_page_by_its_own_nonce(card: TestClient) -> None:
    policies = [card.get("/dashboard/templates/card").headers["content-security-policy"] for _ in range(2)]
    nonces = {re.search(r"style-src 'self' 'nonce-([\w-]{20,})'", policy)[1] for policy in policies}  # type: ignore[index]
    assert len(nonces) == 2
    assert all("unsafe" not in policy and "script-src 'self';" in policy for policy in policies)


def test_a_template_with_markup_of_the_page_stays_in_its_box(card: TestClient) -> None:
    text = "</textarea><script>alert(1)</script><!-- \" ' -->"
    post(card, "/card", json=True, do="save", template=text, companion="")
    page = card.get("/dashboard/templates/card").text
    assert "<script>alert" not in page
    assert json.dumps(tried(card, text))
