"""An experiment is made, started, stopped and won on a block's page, each as a draft that is published."""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from wetink.wiring import Wetink

T = TypeVar("T")
OWN = (
    "# ours\ntitle: Hero\nfallback: {link: 'https://shop.example/'}\nvariants:\n"
    "- {name: warm, app: countdown}\n- {name: cold, app: countdown}\n- {name: rest, app: last-viewed}\n"
)
FIELDS = {"do": "save", "title": "Warm words", "group.0": "1", "group.1": "2", "holdout": "10", "worth": "20%"}


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture
def own(dashboard: TestClient, wetink: Wetink) -> TestClient:
    """A dashboard with a block of three variants."""
    (wetink.settings.content / "blocks" / "own.yaml").write_text(OWN)
    run(wetink.look_again())
    return dashboard


def post(own: TestClient, **fields: str) -> Response:
    return own.post("/dashboard/blocks/own/experiment", data=fields, follow_redirects=False)


def publish(wetink: Wetink) -> None:
    run(wetink.publishing.publish(["blocks/own.yaml"], by="ida"))


def test_an_experiment_is_made_started_and_won(own: TestClient, wetink: Wetink) -> None:
    made = post(own, **FIELDS)
    assert (made.status_code, made.headers["location"]) == (303, "/dashboard/review?path=blocks%2Fown.yaml")
    assert wetink.content.blocks["own"].experiment is None, "nobody receives it"
    assert "has not started yet" in own.get("/dashboard/blocks/own/experiment").text
    publish(wetink)
    experiment = wetink.content.blocks["own"].experiment
    assert experiment is not None
    assert (experiment.name, [arm.name for arm in experiment.arms]) == ("warm-words", ["warm", "cold"])
    page = own.get("/dashboard/blocks/own/experiment").text
    assert "Running" in page
    assert "/dashboard/experiments/warm-words" in page
    assert post(own, do="stop", winner="cold").status_code == 303
    assert "is not live yet" in own.get("/dashboard/blocks/own/experiment").text
    publish(wetink)
    block = wetink.content.blocks["own"]
    assert (block.experiment, [each.name for each in block.variants]) == (None, ["cold", "rest"])


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        ({"title": ""}, "wrong-title", "give the experiment a name"),
        ({"group.1": ""}, "wrong-groups", "at least two groups"),
        ({"holdout": "many"}, "wrong-holdout", "is not a share"),
        ({"split": "own", "share.1": "60", "share.2": "60"}, "wrong-split", "the shares are 120%"),
    ],
)
def test_an_error_stands_at_its_field(own: TestClient, change: dict[str, str], field: str, why: str) -> None:
    answer = post(own, **{**FIELDS, **change})
    assert answer.status_code == 400
    assert why in answer.text.partition(f'id="{field}">')[2].partition("</p>")[0]


def test_an_experiment_of_a_name_that_was_used_gets_another(own: TestClient, wetink: Wetink) -> None:
    (wetink.settings.content / "blocks" / "other.yaml").write_text(
        OWN + "experiment: {name: warm-words, arms: [{name: a, variants: [warm]}, {name: b, variants: [cold]}]}\n"
    )
    run(wetink.look_again())
    post(own, **FIELDS)
    publish(wetink)
    experiment = wetink.content.blocks["own"].experiment
    assert experiment is not None
    assert experiment.name == "warm-words-2"


def test_how_long_it_will_take_is_said_before_it_starts(own: TestClient) -> None:
    fields = {name: value for name, value in FIELDS.items() if name != "do"}
    part = own.get("/dashboard/blocks/own/experiment/estimate", params=fields).text
    assert "Nobody has opened this block in the last 7 days" in part
    assert "Choose at least two groups" in own.get("/dashboard/blocks/own/experiment/estimate").text


@pytest.mark.parametrize("published", [False, True])
def test_a_stale_form_overwrites_nothing_and_keeps_what_was_entered(
    own: TestClient, wetink: Wetink, published: bool
) -> None:
    page = own.get("/dashboard/blocks/own/experiment").text
    seen = dict(re.findall(r'name="(base|revision)" value="([^"]*)"', page))
    post(own, **{**FIELDS, "title": "Theirs"}, **seen)
    if published:
        publish(wetink)
        post(own, do="stop", winner="")
        publish(wetink)
    late = post(own, **{**FIELDS, "title": "Mine"}, **seen)
    assert late.status_code == 409
    assert 'value="Mine"' in late.text
    assert ("was published since" if published else "saved block own on") in late.text
    drafts = [each.body for each in run(wetink.publishing.pending())]
    assert drafts == [] if published else b"name: theirs" in drafts[0]


@pytest.mark.parametrize("fields", [{"do": "stop", "winner": "absent"}, {"do": "other"}, {}])
def test_an_unknown_change_is_refused(own: TestClient, wetink: Wetink, fields: dict[str, str]) -> None:
    assert post(own, **fields).status_code == 400
    assert run(wetink.publishing.pending()) == []
