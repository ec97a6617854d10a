"""Drafts of templates in the previews of blocks: drawn there, with their settings, and for nobody else."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from starlette.testclient import TestClient

from tests.web.dashboard.editing import Fields
from wetink.wiring import Wetink

T = TypeVar("T")
BLOCK = "width: 200\nheight: 100\nfallback: {link: 'https://shop.example/'}\nvariants: [{name: all, app: card}]\n"
COMPANION = "title: Card\nsettings:\n  heading: {type: string, default: Hi}\n"
MORE = COMPANION + "  tone: {enum: [calm, loud], default: calm}\n"
TEXT, OTHER = "<p>{{ settings.heading }}</p>", "<p style='font-size: 60px'>{{ settings.tone }}</p>"
EDIT, PICTURE = "/dashboard/blocks/own/edit", "/dashboard/blocks/own/draft/1.img"


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def draft(wetink: Wetink, path: str, text: str) -> None:
    base = run(wetink.versions.newest()).files.get(path, "")
    run(wetink.publishing.save(path, text.encode(), base=base, expected=0, by="ida"))


@pytest.fixture
def card(dashboard: TestClient, wetink: Wetink) -> TestClient:
    """A dashboard with a block whose template is published."""
    files = {"templates/card.liquid": TEXT, "templates/card.yaml": COMPANION, "blocks/own.yaml": BLOCK}
    for path, text in files.items():
        (wetink.settings.content / path).parent.mkdir(exist_ok=True)
        (wetink.settings.content / path).write_text(text)
    run(wetink.look_again())
    return dashboard


def test_a_block_is_drawn_with_the_draft_of_its_template(card: TestClient, wetink: Wetink) -> None:
    before = {path: card.get(path).content for path in (PICTURE, "/dashboard/blocks/own/variants/1.img")}
    assert "Drawn with a draft" not in card.get(EDIT).text
    draft(wetink, "templates/card.liquid", OTHER)
    draft(wetink, "templates/card.yaml", MORE)
    for who in ("", "user:42", "stranger"):
        assert card.get(PICTURE, params={"who": who}).content not in before.values(), who
    assert card.get("/dashboard/blocks/own/variants/1.img").content == before["/dashboard/blocks/own/variants/1.img"]
    page = card.get(EDIT).text
    assert "Drawn with a draft of the template" in page
    assert "v.0.settings.tone" in Fields(page).found, "a drafted setting is a field"
    assert "Drawn with a draft" not in card.get("/dashboard/blocks/hero/edit").text


def test_the_review_of_a_block_alone_leaves_the_draft_of_its_template_out(card: TestClient, wetink: Wetink) -> None:
    draft(wetink, "templates/card.liquid", OTHER)
    draft(wetink, "templates/card.yaml", MORE)
    draft(wetink, "blocks/own.yaml", "title: Own\n" + BLOCK)
    alone, both = "path=blocks/own.yaml", "path=blocks/own.yaml&path=templates/card.liquid&path=templates/card.yaml"
    pictures = [card.get(f"/dashboard/review/own/1.img?who=user:42&{query}").content for query in (alone, both)]
    assert pictures[0] == card.get("/dashboard/review/own/1.img?who=user:42&side=before").content
    assert pictures[1] == card.get(PICTURE, params={"who": "user:42"}).content != pictures[0]


def test_a_template_shows_the_blocks_that_use_it_with_its_draft(card: TestClient, wetink: Wetink) -> None:
    draft(wetink, "blocks/new.yaml", BLOCK.replace("variants: [", "variants: [{name: first, app: countdown}, "))
    page = card.get("/dashboard/templates/card").text
    for path in ("/dashboard/blocks/own/draft/variants/1.img", "/dashboard/blocks/new/draft/variants/2.img"):
        assert path in page
        before = card.get(path).content
        draft(wetink, "templates/card.liquid", OTHER + path)
        assert card.get(path).content != before
        there = run(wetink.store.drafts.get("templates/card.liquid"))
        assert there is not None
        run(wetink.publishing.discard("templates/card.liquid", there.revision))


def test_a_block_may_name_a_template_that_is_only_a_draft(card: TestClient, wetink: Wetink) -> None:
    draft(wetink, "templates/soon.liquid", OTHER)
    draft(wetink, "blocks/own.yaml", BLOCK.replace("app: card", "app: custom, template: soon.liquid"))
    assert "to correct before it can go live" not in card.get(EDIT).text
    assert card.get(PICTURE).status_code == 200
    review = run(wetink.publishing.review(["blocks/own.yaml"]))
    assert not review.ready, "it cannot go live without its template"
