"""Media: pictures and fonts are uploaded, replaced, renamed and deleted; bad files leave nothing behind."""

import asyncio
import errno
import io
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from httpx2 import Response
from PIL import Image
from starlette.testclient import TestClient

from tests.web.dashboard import files
from tests.web.dashboard.editing import undone
from wetink.content import media
from wetink.core.errors import StoreUnavailable
from wetink.web.dashboard.content import media as pages
from wetink.wiring import Wetink

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def put(dashboard: TestClient, room: str, name: str, body: bytes, **query: str) -> Response:
    return dashboard.put(f"/dashboard/media/{room}/{name}", content=body, params=query)


def post(dashboard: TestClient, path: str, **fields: str) -> Response:
    return dashboard.post(f"/dashboard/media/{path}", data=fields, follow_redirects=False)


def said(answer: Response) -> dict[str, str]:
    found: dict[str, str] = answer.json()["error"]
    return found


def nothing_left(wetink: Wetink) -> bool:
    return (
        not wetink.content.images and not wetink.content.fonts and not [*(wetink.settings.data / "received").iterdir()]
    )


def with_block(wetink: Wetink, text: str) -> None:
    (wetink.settings.content / "blocks" / "own.yaml").write_text(text)
    run(wetink.look_again())


OWN = "# ours\nfallback: {image: hero.jpg, link: 'https://shop.example/hero.jpg'}\nvariants: []\n"


def test_a_dropped_picture_is_content_at_once(dashboard: TestClient, wetink: Wetink) -> None:
    answer = put(dashboard, "images", "Größe & Maß.JPEG", files.photo(exif=files.exif()))
    assert (answer.status_code, answer.json()["path"]) == (200, "images/grosse-mass.jpg")
    assert files.TAKEN not in wetink.content.images["grosse-mass.jpg"].body
    version = run(wetink.versions.last_change("images/grosse-mass.jpg"))
    assert version is not None
    assert version.message == "uploaded images/grosse-mass.jpg"
    page = dashboard.get("/dashboard/media").text
    assert "60 \u00d7 40" in page
    assert "Not used" in page
    shown = dashboard.get("/dashboard/media/images/grosse-mass.jpg/picture")
    with Image.open(io.BytesIO(shown.content)) as thumbnail:
        assert thumbnail.size == (60, 40)


@pytest.mark.parametrize(
    ("room", "body", "status", "why"),
    [
        ("images", b"", 400, "empty"),
        ("images", b"<svg/>", 400, "SVG"),
        ("images", b"\0\0\0\x18ftypheic", 400, "HEIC"),
        ("images", files.photo(300, 300)[:-500], 400, "broken"),
        ("images", files.bomb(60_000, 60_000), 400, "pixels"),
        ("images", files.moving("GIF"), 400, "moves"),
        ("images", files.font(), 400, "not a picture"),
        ("fonts", b"", 400, "empty"),
        ("fonts", files.photo(), 400, "not a font"),
        ("fonts", files.font()[:300], 400, "broken"),
        ("fonts", b"\0\1\0\0" + b"\xff" * 400, 400, "broken"),
        ("fonts", b"wOF2" + b"\xff" * 400, 400, "broken"),
        ("fonts", b"wOFF" + b"\xff" * 400, 400, "broken"),
        ("fonts", b"ttcf" + b"\0" * 40, 400, "collection"),
        ("fonts", b"PK\3\4" + b"\0" * 40, 400, "archive"),
        ("fonts", b"a" * (9 << 20), 400, "8 MB"),
    ],
)
def test_a_file_that_is_none_is_refused_and_nothing_is_kept(
    dashboard: TestClient, wetink: Wetink, room: str, body: bytes, status: int, why: str
) -> None:
    answer = put(dashboard, room, "given", body)
    assert (answer.status_code, why in said(answer)["message"]) == (status, True), answer.text
    assert said(answer)["hint"]
    assert nothing_left(wetink)


def test_a_large_picture_is_offered_to_be_scaled_down(dashboard: TestClient, wetink: Wetink) -> None:
    body = files.noise(3_000, 3_000, quality=97)
    assert len(body) > 4 << 20
    answer = put(dashboard, "images", "wall.jpg", body)
    assert (said(answer)["where"], nothing_left(wetink)) == ("scale", True)
    answer = put(dashboard, "images", "wall.jpg", body, scale="1")
    assert answer.status_code == 200, answer.text
    assert answer.json()["bytes"] <= 2 << 20
    assert len(wetink.content.images["wall.jpg"].body) == answer.json()["bytes"]


def test_more_bytes_than_are_read_are_refused_on_the_way(
    dashboard: TestClient, wetink: Wetink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "LARGEST_UPLOAD", 100_000)
    assert "more than" in said(put(dashboard, "images", "a.jpg", b"\xff\xd8\xff" * 50_000))["message"]
    assert nothing_left(wetink)


def test_a_name_that_is_taken_may_be_replaced_or_another_is_proposed(dashboard: TestClient, wetink: Wetink) -> None:
    put(dashboard, "images", "hero.jpg", files.photo())
    answer = put(dashboard, "images", "HERO.jpeg", files.photo(80, 20))
    assert (answer.status_code, said(answer)["where"]) == (400, "name")
    assert said(answer)["message"] == "there is already a file called hero.jpg"
    assert said(answer)["hint"].endswith("call this one hero-2.jpg")
    assert put(dashboard, "images", "hero-2.jpg", files.photo(80, 20)).status_code == 200
    assert put(dashboard, "images", "hero.jpg", files.png(), replace="1").status_code == 200
    with Image.open(io.BytesIO(wetink.content.images["hero.jpg"].body)) as replaced:
        assert (replaced.format, replaced.size) == ("JPEG", (30, 20))


def test_a_picture_of_forty_megabytes_is_read_only_to_scale_it_down(dashboard: TestClient, wetink: Wetink) -> None:
    body = files.noise(6_000, 6_000, quality=98)
    body += bytes(max((40 << 20) - len(body), 0))
    answer = put(dashboard, "images", "huge.jpg", body)
    assert said(answer)["where"] == "scale"
    answer = put(dashboard, "images", "huge.jpg", body, scale="1")
    assert (answer.status_code, answer.json()["width"] <= 2_400) == (200, True), answer.text


def test_a_store_that_is_full_keeps_nothing(
    dashboard: TestClient, wetink: Wetink, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> int:
        raise StoreUnavailable("the store cannot be written: database or disk is full")

    monkeypatch.setattr(wetink.author, "save", fail)
    answer = put(dashboard, "images", "a.jpg", files.photo())
    assert (answer.status_code, "disk is full" in said(answer)["message"]) == (503, True)
    assert nothing_left(wetink)


@pytest.mark.parametrize(
    ("code", "why"), [(errno.ENOSPC, "the disk of the server is full"), (errno.EIO, "cannot store")]
)
def test_a_full_disk_is_said_and_nothing_half_is_kept(
    dashboard: TestClient, wetink: Wetink, monkeypatch: pytest.MonkeyPatch, code: int, why: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(code, "No space left on device")

    monkeypatch.setattr(media.tempfile, "mkstemp", fail)
    answer = put(dashboard, "images", "a.jpg", files.photo())
    assert (answer.status_code, why in said(answer)["message"]) == (503, True)
    assert not wetink.content.images


@pytest.mark.parametrize(
    ("name", "body", "path"),
    [
        ("Acme Sans.ttf", files.font(), "fonts/acme-sans.ttf"),
        ("a.woff", files.flavored("woff"), "fonts/a.ttf"),
        ("b.otf", files.flavored("woff2"), "fonts/b.woff2"),
        ("inter", files.ours(), "fonts/inter.woff2"),
        ("☃.ttf", files.font("Snow", "☃"), "fonts/font.ttf"),
    ],
)
def test_a_font_is_drawn_and_its_family_is_named(
    dashboard: TestClient, wetink: Wetink, name: str, body: bytes, path: str
) -> None:
    answer = put(dashboard, "fonts", name, body)
    assert (answer.status_code, answer.json().get("path")) == (200, path), answer.text
    found = path.partition("/")[2]
    page = dashboard.get(f"/dashboard/media/{path}").text
    assert wetink.renderer.families[found] in page
    shown = dashboard.get(f"/dashboard/media/{path}/picture")
    with Image.open(io.BytesIO(shown.content)) as specimen:
        assert specimen.getbbox() is not None, "something is drawn"
        assert specimen.getbbox() != (0, 0, *specimen.size)


def test_a_picture_that_a_block_uses_is_not_deleted(dashboard: TestClient, wetink: Wetink) -> None:
    put(dashboard, "images", "hero.jpg", files.photo())
    with_block(wetink, OWN)
    page = dashboard.get("/dashboard/media/images/hero.jpg").text
    assert '"/dashboard/blocks/own"' in page
    answer = post(dashboard, "images/hero.jpg", change="delete")
    assert "used by block own (fallback)" in answer.text
    assert "hero.jpg" in wetink.content.images


def test_a_picture_that_only_a_draft_uses_is_not_deleted(dashboard: TestClient, wetink: Wetink) -> None:
    put(dashboard, "images", "hero.jpg", files.photo())
    run(wetink.publishing.save("blocks/new.yaml", OWN.encode(), base="", expected=0, by="ida"))
    assert "used by block new (fallback, draft)" in post(dashboard, "images/hero.jpg", change="delete").text
    assert "hero.jpg" in wetink.content.images


def test_a_picture_that_nothing_uses_is_deleted(dashboard: TestClient, wetink: Wetink) -> None:
    put(dashboard, "images", "hero.jpg", files.photo())
    assert post(dashboard, "images/hero.jpg", change="delete").status_code == 303
    assert not wetink.content.images
    assert dashboard.get("/dashboard/media/images/hero.jpg").status_code == 404


@pytest.mark.parametrize(("room", "name"), [("images", "hero.jpg"), ("fonts", "acme.ttf")])
def test_a_deleted_file_comes_back_by_one_click(dashboard: TestClient, wetink: Wetink, room: str, name: str) -> None:
    put(dashboard, room, name, files.photo() if room == "images" else files.font())
    before = run(wetink.versions.newest()).files
    post(dashboard, f"{room}/{name}", change="delete")
    assert undone(dashboard, dashboard.get("/dashboard/media").text) == f"/dashboard/media/{room}/{name}"
    assert run(wetink.versions.newest()).files == before


def test_a_font_that_a_template_names_is_not_deleted(dashboard: TestClient, wetink: Wetink) -> None:
    put(dashboard, "fonts", "acme.ttf", files.font())
    folder = wetink.settings.content / "templates"
    folder.mkdir(exist_ok=True)
    (folder / "sale.liquid").write_text("<style>p { font-family: 'acme sans' }</style>")
    run(wetink.look_again())
    assert "used by template sale.liquid" in post(dashboard, "fonts/acme.ttf", change="delete").text
    assert "acme.ttf" in wetink.content.fonts


def test_a_new_name_also_goes_into_the_blocks_that_use_it(dashboard: TestClient, wetink: Wetink) -> None:
    put(dashboard, "images", "hero.jpg", files.photo())
    with_block(wetink, OWN)
    before = run(wetink.versions.read())[0].number
    answer = post(dashboard, "images/hero.jpg", change="rename", name="spring.jpg")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/media/images/spring.jpg")
    version, tree = run(wetink.versions.read())
    assert version.number == before + 1, "one version"
    assert tree["blocks/own.yaml"].decode() == OWN.replace("image: hero.jpg", "image: spring.jpg")
    assert wetink.content.blocks["own"].fallback.image == "spring.jpg"
    assert set(wetink.content.images) == {"spring.jpg"}


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "x" * 90, ".hidden", "other", "OTHER.jpg"])
def test_a_bad_name_is_refused_at_the_field(dashboard: TestClient, wetink: Wetink, name: str) -> None:
    put(dashboard, "images", "hero.jpg", files.photo())
    put(dashboard, "images", "other.jpg", files.photo())
    answer = post(dashboard, "images/hero.jpg", change="rename", name=name)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert set(wetink.content.images) == {"hero.jpg", "other.jpg"}


def test_a_grid_of_many_files_comes_by_pages_and_can_be_searched(
    dashboard: TestClient, wetink: Wetink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SHOWN", 2)
    folder = wetink.settings.content / "images"
    folder.mkdir()
    for name in ("a1", "a2", "a3", "b1"):
        (folder / f"{name}.png").write_bytes(files.png())
    run(wetink.look_again())
    first, second = dashboard.get("/dashboard/media").text, dashboard.get("/dashboard/media?page=2").text
    assert ("a1.png" in first, "a3.png" in first) == (True, False)
    assert ("a1.png" in second, "a3.png" in second) == (False, True)
    assert "a1.png" not in dashboard.get("/dashboard/media?q=B1").text


def test_what_a_killed_process_left_behind_is_removed_later(
    dashboard: TestClient, wetink: Wetink, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = wetink.settings.data / "received"
    folder.mkdir(exist_ok=True)
    (folder / "left").write_bytes(b"half a picture")
    monkeypatch.setattr(media, "LEFT_SECONDS", -1)
    put(dashboard, "images", "a.jpg", files.photo())
    assert not [*folder.iterdir()]
