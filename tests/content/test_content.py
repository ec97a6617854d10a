"""The content folder: what is right is used, what is wrong is told with its place and spoils nothing else."""

from pathlib import Path

import pytest

from wetink import apps
from wetink.content.content import load
from wetink.content.tree import read_tree, start

GOOD = """
title: Seen lately
variants:
  - name: seen
    app: last-viewed
    when:
      - {done: product_viewed, within: 7d}
      - {trait: plan, one_of: [gold, silver]}
fallback: {link: "https://shop.example/"}
"""


def loaded(folder: Path, **blocks: str) -> tuple[set[str], list[str]]:
    for name, text in {"good": GOOD, **blocks}.items():
        path = folder / "blocks" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    content = load(read_tree(folder), apps.load())
    return set(content.blocks), list(content.problems)


def test_a_block_is_read_and_its_events_get_their_canonical_names(tmp_path: Path) -> None:
    names, problems = loaded(tmp_path)
    assert (names, problems) == ({"good"}, [])
    [variant] = load(read_tree(tmp_path), apps.load()).blocks["good"].variants
    assert variant.when[0].event == "Product Viewed"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fallback: [", "line"),
        ("- a list", "mapping"),
        ("title: no fallback", "fallback"),
        ("fallback: {link: 'ftp://x'}", "fallback.link"),
        ("fallback: {link: 'https://x.example/', image: absent.png}", "absent.png"),
        (GOOD.replace("last-viewed", "last-seen"), "there is no app called 'last-seen'"),
        (GOOD.replace("within: 7d", "within: soon"), "variants[0].when[0].within"),
        (GOOD.replace("one_of: [gold, silver]", "within: a day"), "variants[0].when[1].within"),
        (GOOD.replace("done: product_viewed, ", ""), "use one of done, not_done, sequence"),
        (GOOD.replace("app: last-viewed", "app: last-viewed\n    settings: {items: 99}"), "variants[0].settings"),
        (GOOD.replace("app: last-viewed", "app: custom"), "variants[0].template"),
        (GOOD.replace("app: last-viewed", "app: custom\n    template: absent.liquid"), "absent.liquid"),
        (GOOD + "colour: red\n", "colour"),
        (GOOD + "width: 99999\n", "width"),
        (GOOD + "name: good\n", "already"),
    ],
)
def test_a_wrong_block_is_told_with_its_place_and_spoils_no_other(tmp_path: Path, text: str, told: str) -> None:
    names, problems = loaded(tmp_path, wrong=text)
    assert names == {"good"}
    assert problems[0].startswith("blocks/wrong.yaml: ") or problems[0].startswith("blocks/good.yaml: ")
    assert any(told in problem for problem in problems)


def test_a_file_that_is_not_a_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"GIF89a")
    (tmp_path / "images" / "b.txt").write_bytes(b"")
    assert len(load(read_tree(tmp_path), apps.load()).problems) == 2


def test_the_starter_content_is_all_right_and_never_overwrites(tmp_path: Path) -> None:
    folder = tmp_path / "content"
    start(folder)
    content = load(read_tree(folder), apps.load())
    assert not content.problems
    assert {"last-viewed", "abandoned-cart"} <= set(content.blocks)
    (folder / "blocks" / "last-viewed.yaml").write_text(GOOD)
    start(folder)
    assert (folder / "blocks" / "last-viewed.yaml").read_text() == GOOD
