"""Countdowns are made ready once: for all processes and the next start, within bounds; a failure says its cause."""

import asyncio
import io
import logging
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

from tests.render.renderer import Album
from wetink.core.errors import BadContent
from wetink.ports import Picture, Ticking
from wetink.render import Renderer, jobs
from wetink.render.cache import Shared
from wetink.render.countdowns import Countdowns
from wetink.render.gif.countdown import Countdown, Look, Plate
from wetink.store.sqlite.leases import SQLiteLeases

LABELS = ("DAYS", "HOURS", "MINUTES", "SECONDS")
SMALL = Ticking("Ends in", LABELS, "#ff6b4a", 200, 60, 90_061_000, 1)


def told(countdown: Ticking, folder: Path, *, workers: int = 1) -> Picture:
    studio = Renderer(Album(), workers=workers, shared=folder)
    try:
        return asyncio.run(studio.countdown(countdown))
    finally:
        studio.close()


def frames(picture: Picture) -> int:
    with Image.open(io.BytesIO(picture.body)) as image:
        return getattr(image, "n_frames", 1)


def test_what_was_made_ready_ticks_after_a_restart_without_being_drawn(tmp_path: Path) -> None:
    first = told(SMALL, tmp_path)
    again = told(SMALL, tmp_path, workers=0)  # nobody is there to draw: who had to be asked would be waited for
    assert again == first
    assert frames(again) >= 60


@pytest.mark.parametrize(
    "size", [(600, 300, 2), (640, 800, 3), (1200, 1600, 1)], ids=lambda size: "x".join(map(str, size))
)
def test_the_largest_countdowns_are_made_within_what_a_worker_may_hold(
    size: tuple[int, int, int], tmp_path: Path
) -> None:
    width, height, scale = size
    picture = told(replace(SMALL, width=width, height=height, scale=scale), tmp_path)
    with Image.open(io.BytesIO(picture.body)) as image:
        assert image.size == (width * scale, height * scale)
        assert getattr(image, "n_frames", 1) >= 60


def test_what_would_have_too_many_pixels_has_fewer_for_each_of_css(tmp_path: Path) -> None:
    with Image.open(io.BytesIO(told(replace(SMALL, width=1200, height=1600, scale=3), tmp_path).body)) as image:
        assert image.size == (1200, 1600)


def test_other_words_colors_sizes_and_fonts_are_another_countdown(tmp_path: Path) -> None:
    made: list[jobs.Press] = []
    ready = countdowns(made, tmp_path)
    looks = [SMALL, replace(SMALL, title="Now"), replace(SMALL, labels=("T", "S", "M", "S")),
             replace(SMALL, accent="#000000"), replace(SMALL, width=300), replace(SMALL, height=90),
             replace(SMALL, scale=2), replace(SMALL, scheme="dark")]  # fmt: skip

    async def all_of_them() -> None:
        for look in (*looks, *looks, *(replace(look, remaining_ms=5) for look in looks)):
            await ready.ready(look)

    asyncio.run(all_of_them())
    assert len(made) == len(looks), "what remains makes no other one"
    ready.use(b"a font of the shop's")
    asyncio.run(ready.ready(SMALL))
    assert len(made) == len(looks) + 1


def now() -> int:
    return time.time_ns() // 1_000_000


def countdowns(made: list[jobs.Press], folder: Path, make: Callable[[], Awaitable[None]] | None = None) -> Countdowns:
    """Return countdowns that note what is made, which any bytes are good for."""

    async def noted(job: jobs.Press) -> Countdown:
        made.append(job)
        if make is not None:
            await make()
        return nothing(job)

    return Countdowns(noted, Shared(folder, 1 << 20), SQLiteLeases(folder.parent / "leases", now))


def nothing(job: jobs.Press) -> Countdown:
    """Return a countdown that says what it is of, and shows nothing."""
    plate = Plate(b"", b"", (), b"", (), ())
    return Countdown(job.look.title.encode(), plate, plate)


def test_whoever_asks_meanwhile_waits_for_the_one_that_is_being_made(tmp_path: Path) -> None:
    made: list[jobs.Press] = []
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        begun.set()
        await go.wait()

    async def many() -> None:
        one, other = countdowns(made, tmp_path, slowly), countdowns(made, tmp_path, slowly)
        asking = [asyncio.create_task(each.ready(SMALL)) for each in (one, other) for _ in range(20)]
        await begun.wait()
        asking[0].cancel()  # who began it may go: the others still get it
        go.set()
        found = await asyncio.gather(*asking[1:])
        assert all(each == found[0] for each in found)

    asyncio.run(many())
    assert len(made) == 1


PROCESS = """
import asyncio, sys
from pathlib import Path
from tests.render.test_countdowns import SMALL, countdowns, jobs
made: list[jobs.Press] = []
asyncio.run(countdowns(made, Path(sys.argv[1]), lambda: asyncio.sleep(0.3)).ready(SMALL))
print(len(made))
"""


def test_one_of_several_processes_makes_a_countdown(tmp_path: Path) -> None:
    known = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", PROCESS, str(tmp_path)]
    several = [subprocess.Popen(command, env=known, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sorted(each.communicate(timeout=60)[0].strip() for each in several) == ["0", "0", "1"]


def test_a_failure_says_its_cause_to_all_who_ask_and_is_not_tried_at_every_open(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[jobs.Press] = []

    async def fails() -> None:
        raise BadContent("the picture cannot be rendered: it takes too much memory")

    ready = countdowns(made, tmp_path, fails)

    async def asked() -> str:
        try:
            await ready.ready(SMALL)
        except BadContent as error:
            return str(error)
        return ""

    with caplog.at_level(logging.WARNING):
        causes = [asyncio.run(asked()) for _ in range(5)]
    assert set(causes) == {"the picture cannot be rendered: it takes too much memory"}
    assert len(made) == 1
    assert (
        "200 by 60 at 1x cannot be made ready: the picture cannot be rendered: it takes too much memory" in caplog.text
    )


def test_what_was_not_foreseen_is_logged_with_its_traceback(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def breaks() -> None:
        raise ZeroDivisionError

    ready = countdowns([], tmp_path, breaks)

    async def asked() -> None:
        for kind in (ZeroDivisionError, BadContent):
            with pytest.raises(kind):
                await ready.ready(SMALL)

    with caplog.at_level(logging.ERROR):
        asyncio.run(asked())
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("body", [b"", b"\xc0", b"\x93\x01\x02\x03", os.urandom(200)])
def test_an_unreadable_countdown_on_disk_is_made_again(body: bytes, tmp_path: Path) -> None:
    made: list[jobs.Press] = []
    asyncio.run(countdowns(made, tmp_path).ready(SMALL))
    [kept] = tmp_path.iterdir()
    kept.write_bytes(body)
    asyncio.run(countdowns(made, tmp_path).ready(SMALL))
    asyncio.run(countdowns(made, tmp_path).ready(SMALL))
    assert len(made) == 2


def test_a_folder_that_cannot_be_used_costs_nothing_but_the_disk(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    made: list[jobs.Press] = []
    ready = countdowns(made, place)

    async def twice() -> None:
        await ready.ready(SMALL)
        await ready.ready(SMALL)

    asyncio.run(twice())
    assert len(made) == 1


def test_the_disk_holds_no_more_than_it_may(tmp_path: Path) -> None:
    shared = Shared(tmp_path, 10_000)
    for number in range(50):
        shared.put(number.to_bytes(2), bytes(1_000))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10_000
    assert shared.get((49).to_bytes(2)) == bytes(1_000)
    assert shared.get((0).to_bytes(2)) is None


def test_the_look_that_is_asked_of_a_worker_is_what_was_set() -> None:
    made: list[jobs.Press] = []

    async def one() -> None:
        async def noted(job: jobs.Press) -> Countdown:
            made.append(job)
            return nothing(job)

        await Countdowns(noted, None, None).ready(replace(SMALL, scheme="dark", scale=3))

    asyncio.run(one())
    assert made == [jobs.Press(Look("Ends in", LABELS, "#ff6b4a", scheme="dark"), 200, 60, 3)]
