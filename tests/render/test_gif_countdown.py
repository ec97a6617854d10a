"""Countdowns: every second looks as the page drawn for that second, whatever remains; the first picture is complete."""

import io
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from wetink.core.errors import BadContent
from wetink.render import liquid
from wetink.render.compose import Pixels
from wetink.render.drawing import Drawing
from wetink.render.fonts import Letters, noted
from wetink.render.gif import countdown as countdowns
from wetink.render.gif import face as faces
from wetink.render.gif.countdown import DAY, Countdown, Look, gif
from wetink.render.gif.face import TEMPLATE, UNITS, scene
from wetink.render.gif.press import Face, Slot, prepare
from wetink.render.page import sheet, taken_apart
from wetink.render.takumi import Takumi

LOOK = Look(title="Midsummer sale ends in")


@cache
def studio() -> tuple[Drawing, Letters]:
    return Drawing(Takumi()), Letters(noted())


@cache
def drawn(look: Look = LOOK, width: int = 600, height: int = 130, scale: int = 2) -> Countdown:
    return faces.drawn(*studio(), look, width, height, scale)


def page(look: Look, seconds: int, width: int = 600, height: int = 130, scale: int = 2) -> Pixels:
    """Return the page of one second, drawn whole."""
    drawing, letters = studio()
    shown = {name: f"{seconds // unit % count:02}" for name, (unit, count) in UNITS.items()}
    shown["hundreds"] = shown["hundreds"][1:]
    one = scene(look, width, height, scale, shown, wide=seconds >= 100 * DAY)
    return drawing.whole(sheet(one, taken_apart(letters.drawable(liquid.html(TEMPLATE, one.data))), {}))


def ticks(body: bytes) -> list[Pixels]:
    """Return what is seen at the end of each second, every frame decoded; check how long each stands."""
    seen: list[Pixels] = []
    spent = 0
    with Image.open(io.BytesIO(body)) as image:
        assert image.format == "GIF"
        assert "loop" not in image.info, "it plays once"
        for frame in ImageSequence.Iterator(image):
            spent += frame.info.get("duration", 1000)
            if spent % 1000 == 0:
                seen += [np.asarray(frame.convert("RGBA"))] * (spent // 1000 - len(seen))
            assert frame.info.get("duration", 1000) >= 20, "viewers slow down what is quicker"
    assert spent % 1000 == 0
    return seen


def distance(one: Pixels, other: Pixels) -> tuple[float, int]:
    apart = np.abs(one[..., :3].astype(int) - other[..., :3].astype(int))
    return float(apart.mean()), int(apart.max())


@pytest.mark.parametrize(
    "look",
    [
        LOOK,
        Look(),
        Look("Ends soon", accent="#2f6fed", background="#fdf3e7", ink="#7a2e12"),
        Look("Ends", scheme="dark"),
    ],
    ids=["light", "no title", "own colors", "dark"],
)
def test_every_second_looks_as_the_page_drawn_for_it(look: Look) -> None:
    seconds = 12 * DAY + 8 * 3600 + 21
    seen = ticks(gif(drawn(look), seconds * 1000))
    assert len(seen) == 60
    for number in (0, 1, 10, 11, 20, 21, 22, 41, 59):
        mean, most = distance(seen[number], page(look, seconds - number))
        assert mean < 0.25, "levels of 255"
        assert most < 24, "no rim is of another color"


def test_the_first_picture_is_complete_and_stands_alone() -> None:
    seconds = 3 * DAY + 7
    body = gif(drawn(), seconds * 1000 + 999, frames=1)
    with Image.open(io.BytesIO(body)) as image:
        assert getattr(image, "n_frames", 1) == 1
    with Image.open(io.BytesIO(gif(drawn(), seconds * 1000))) as image:
        assert image.tile[0][1] == (0, 0, 1200, 260), "it covers everything"
        first = np.asarray(image.convert("RGBA"))
    assert np.array_equal(ticks(body)[0], first)
    assert distance(first, page(LOOK, seconds))[0] < 0.25


def test_a_countdown_is_small() -> None:
    for seconds in (12 * DAY + 8 * 3600 + 47 * 60 + 36, 88 * DAY + 20 * 3600 + 8, 300 * DAY + 8):
        assert len(gif(drawn(), seconds * 1000)) < 60_000
        assert len(gif(drawn(Look("Your cart is kept for you until", scheme="dark")), seconds * 1000)) < 60_000


# From here on faces whose pictures say which number they show, so that any time can be read back exactly.


PLACES = ((100 * DAY, 10, 1), (DAY, 100, 2), (3600, 24, 2), (60, 60, 2), (1, 60, 2))
"""Of each slot: the seconds of its unit, how many numbers it has, and how many digits are shown."""


def plain(slots: tuple[tuple[int, int, int], ...]) -> Face:
    """Return a face of a small ground; a digit is a column of four pixels, one bit each, between two that are clear."""
    ground = np.full((12, 60, 4), 255, np.uint8)
    ground[..., :3] = 0
    digits = np.zeros((10, 4, 3, 4), np.uint8)
    digits[:, :, 1, :3] = ((np.arange(10)[:, None] >> np.arange(4) & 1) * 200)[:, :, None]
    digits[:, :, 1, 3] = 255
    lefts = [4, 13, 25, 37, 49][-len(slots) :]
    return Face(ground, list(digits), [Slot(*slot, left, 2, 3) for slot, left in zip(slots, lefts, strict=True)])


PLAIN = prepare(plain(PLACES[1:]), plain(PLACES))


def read(picture: Pixels, *, far: bool) -> int:
    """Return the seconds that a plain picture shows."""
    total = 0
    for left, (unit, _, places) in zip((4, 13, 25, 37, 49), PLACES, strict=True):
        shown = [picture[2:6, left + 3 * at + 1, 0] > 100 for at in range(places)]
        number = int("".join(str(int((bits << np.arange(4)).sum())) for bits in shown))
        total += unit * number if far or places == 2 else 0
    return total


boundaries = st.sampled_from([0, 60, 3600, DAY, 10 * DAY, 99 * DAY, 100 * DAY, 101 * DAY, 300 * DAY, 1000 * DAY])
times = st.one_of(
    st.integers(0, 1000 * DAY),
    st.builds(lambda edge, more, days: edge + more + days * DAY, boundaries, st.integers(0, 60), st.integers(0, 3)),
)


@given(times.filter(lambda seconds: seconds < 1000 * DAY), st.integers(0, 999), st.integers(1, 70))
def test_each_frame_shows_a_second_less_and_none_shows_less_than_nothing(seconds: int, more: int, frames: int) -> None:
    seen = ticks(gif(PLAIN, seconds * 1000 + more, frames))
    shown = [seconds - second for second in range(len(seen))]
    assert len(seen) == min(frames, seconds + 1)
    assert [read(picture, far=second >= 100 * DAY) for picture, second in zip(seen, shown, strict=True)] == shown


@pytest.mark.parametrize("remaining", [0, 999, -1, -(10**30)])
def test_an_expired_countdown_is_one_still_picture_of_zeros(remaining: int) -> None:
    body = gif(PLAIN, remaining)
    assert b"\x21" not in body[13 + 3 * 128 :], "nothing that moves"
    (still,) = ticks(body)
    assert read(still, far=False) == 0


def test_more_than_999_days_are_shown_as_999() -> None:
    for days in (1000, 1500, 10**20):
        seen = ticks(gif(PLAIN, (days * DAY + 2) * 1000, 5))
        after = 999 * DAY + 86_399
        assert [read(picture, far=True) for picture in seen] == [
            999 * DAY + 2,
            999 * DAY + 1,
            999 * DAY,
            after,
            after - 1,
        ]


@given(st.integers(), st.integers())
def test_any_number_gives_a_picture(remaining: int, frames: int) -> None:
    body = gif(PLAIN, remaining, frames)
    with Image.open(io.BytesIO(body)) as image:
        image.load()
        assert image.size == (60, 12)
    assert len(ticks(body)) <= countdowns.MOST_FRAMES


def test_what_changes_at_once_is_one_second_together() -> None:
    with Image.open(io.BytesIO(gif(PLAIN, 2 * DAY * 1000, 2))) as image:
        delays = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
    assert delays == [1000, 20, 20, 20, 940]


def test_a_number_that_does_not_show_costs_no_frame() -> None:
    face = plain(PLACES[1:])
    same = Slot(1, 1, 2, *(face.slots[3].left, face.slots[3].top), 3)
    quiet = Face(face.ground, face.digits, [*face.slots[:3], same])
    with Image.open(io.BytesIO(gif(prepare(quiet, quiet), 70_000))) as image:
        assert [frame.info["duration"] for frame in ImageSequence.Iterator(image)] == [11_000, 49_000]


def test_digits_look_on_each_ground_as_laid_over_it() -> None:
    """A ground of many colors: what is clear of a digit shows what lies below, in each place something else."""
    face = plain(PLACES[1:])
    ground = face.ground.copy()
    ground[..., :3] = (np.arange(60) * 4 // 24 * 24)[None, :, None]
    colored = Face(ground, face.digits, face.slots)
    (still,) = ticks(gif(prepare(colored, colored), 34 * DAY * 1000, frames=1))
    assert read(still, far=False) == 34 * DAY
    assert np.abs(still[6:, :, :3].astype(int) - ground[6:, :, :3]).max() < 4
    clear = [left + at for left in (13, 25, 37, 49) for at in (0, 2, 3, 5)]
    assert np.abs(still[2:6, clear, :3].astype(int) - ground[2:6, clear, :3]).max() < 4


def test_faces_that_cannot_be_shown_are_refused() -> None:
    near, far = plain(PLACES[1:]), plain(PLACES)
    one = near.slots[0]
    for slots, said in (
        ([one, Slot(1, 60, 2, one.left + 2, 2, 3)], "beside"),
        ([Slot(1, 60, 2, 58, 2, 3)], "on the ground"),
        ([Slot(1, 60, 2, -1, 2, 3)], "on the ground"),
        ([Slot(1, 60, 2, 4, 9, 3)], "on the ground"),
    ):
        with pytest.raises(ValueError, match=said):
            prepare(Face(near.ground, near.digits, slots), far)
    with pytest.raises(ValueError, match="size"):
        prepare(Face(near.ground[:10], near.digits, []), far)
    with pytest.raises(ValueError, match="size"):
        prepare(Face(near.ground, [*near.digits[:9], near.digits[9][:2]], near.slots), far)


@pytest.mark.parametrize("size", [(120, 32), (200, 60), (320, 100), (300, 250), (600, 300), (800, 60)])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_countdown_draws_at_every_size(size: tuple[int, int], scale: int) -> None:
    width, height = size
    seconds = 345 * DAY + 6 * 3600 + 70
    seen = ticks(gif(drawn(LOOK, width, height, scale), seconds * 1000, 15))
    assert seen[0].shape == (height * scale, width * scale, 4)
    assert distance(seen[14], page(LOOK, seconds - 14, width, height, scale))[0] < 0.5


def test_a_countdown_is_drawn_once() -> None:
    assert drawn() is drawn()
    assert drawn() is not drawn(Look("Another title"))


def test_words_are_shown_as_they_are_written() -> None:
    wordy = Look("<b>5 < 6 & more</b> " * 20, labels=("Tage", "Stunden", "Minuten", "Sekunden" * 9))
    mean, _ = distance(ticks(gif(drawn(wordy), 0))[0], page(wordy, 0))
    assert mean < 0.25
    assert not np.array_equal(page(wordy, 0), page(LOOK, 0))


@pytest.mark.parametrize("size", [(119, 100), (600, 31), (0, 0), (2000, 2000)])
def test_a_size_that_makes_no_sense_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadContent, match="countdown"):
        drawn(LOOK, *size)
