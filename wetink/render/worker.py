"""Desk: draws in a worker of the sandbox. It keeps layers, tiles and photos for the next picture."""

import pickle
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from PIL import Image

from wetink.core.errors import BadContent
from wetink.core.units.money import money
from wetink.ports import Picture
from wetink.render import compose, encode, grammar, jobs, liquid
from wetink.render.cache import Kept
from wetink.render.drawing import Drawing, Lacking
from wetink.render.fonts import Letters, Range, noted, own_letters, ranges_in
from wetink.render.gif import face
from wetink.render.gif.film import film
from wetink.render.page import MOST_PHOTOS, NO_PHOTO, photo, sheet, taken_apart
from wetink.render.takumi import Takumi

SEEN = 1_000
"""Drawn pages that a worker remembers."""


def ready() -> Callable[[bytes], bytes]:
    """Return the function that answers jobs, with the engine's fonts loaded. Raises BadSettings if there are none."""
    Image.init()  # imports the photo decoders before the first photo
    money(1, "EUR")  # and loads the English format of amounts
    return DrawingWorker()


class DrawingWorker:
    """Answers jobs, one at a time."""

    def __init__(self) -> None:
        self._letters = own_letters()
        self._seen = Kept[bool](SEEN)
        self._engine = Takumi()
        self._drawing = Drawing(self._engine)

    def __call__(self, body: bytes) -> bytes:
        """Answer a job."""
        try:
            return jobs.encoded(self._answer(jobs.read_job(body)))
        except BadContent as error:
            return jobs.encoded(jobs.Refused(str(error), error.hint))

    def _answer(self, job: jobs.Job) -> jobs.Reply:
        answers: dict[type[jobs.Job], Callable[[Any], jobs.Reply]] = {
            jobs.Make: self._made,
            jobs.Fill: self._filled,
            jobs.Draw: self._drawn,
            jobs.Shoot: self._shot,
            jobs.Encode: self._encoded_anew,
            jobs.Compare: lambda job: jobs.Compared(*compose.compared(job.ours, job.theirs)),
            jobs.Press: self._pressed,
            jobs.Use: self._use,
            jobs.Inspect: lambda job: jobs.Inspected(grammar.inspected(job.template)),
            jobs.Complete: self._complete,
        }
        return answers[type(job)](job)

    def _encoded_anew(self, job: jobs.Encode) -> jobs.Drawn:
        encoder = encode.png if job.clear else encode.jpeg
        return _drawn(encoder(compose.pixels(job.picture), job.most_bytes), b"")

    def _pressed(self, job: jobs.Press) -> jobs.Pressed:
        return jobs.Pressed(face.drawn(self._drawing, self._letters, job.look, job.width, job.height, job.scale))

    def _complete(self, _: jobs.Complete) -> jobs.FontReport:
        self._engine.complete()
        return jobs.FontReport(())

    def _made(self, job: jobs.Make) -> jobs.Reply:
        filled = self._filled(jobs.Fill(job.template, job.data, tuple(job.photos)))
        wanted = filled.wanted[:MOST_PHOTOS]
        if not all(job.photos[url] for url in wanted):
            return filled
        photos = {url: photo(b"", NO_PHOTO, filled.markup.boxes.get(url), 1) for url in filled.markup.strange}
        for url in wanted:
            photos[url] = photo(job.bodies.get(url), job.photos[url], filled.markup.boxes.get(url), job.scenery.scale)
        page = sheet(job.scenery, filled.markup, photos)
        if self._seen.get(page.key) is not None:  # the renderer keeps its picture: sending it again takes longer
            return filled
        reply = self._drawn(jobs.Draw(page, job.most_bytes, job.ahead))
        return replace(filled, lacks=reply.photos) if isinstance(reply, jobs.Lacks) else reply

    def _filled(self, job: jobs.Fill) -> jobs.Filled:
        html = liquid.html(job.template, pickle.loads(job.data))  # noqa: S301 (our parent pickled it)
        markup = taken_apart(self._letters.drawable(html))
        return jobs.Filled(markup, tuple(markup.mentioned(job.photos)))

    def _drawn(self, job: jobs.Draw) -> jobs.Drawn | jobs.Lacks:
        try:
            self._drawing.encode_seconds = 0.0
            picture = self._drawing.picture(job.sheet, job.most_bytes, ahead=job.ahead)
        except Lacking:
            return jobs.Lacks(tuple(self._drawing.lacks(job.sheet)))
        self._seen.put(job.sheet.key, True)
        return replace(_drawn(picture, job.sheet.key), encode_seconds=self._drawing.encode_seconds)

    def _shot(self, job: jobs.Shoot) -> jobs.Drawn | jobs.Lacks:
        lacks = [url for sheet in job.sheets for url in self._drawing.lacks(sheet)]
        if lacks:
            return jobs.Lacks(tuple(dict.fromkeys(lacks)))
        pictures = [self._drawing.drawn(sheet).copy() for sheet in job.sheets]
        body, note = film(pictures, job.milliseconds, job.most_bytes, loop=job.loop)
        return jobs.Drawn(body, "image/gif", note, b"")

    def _use(self, job: jobs.Use) -> jobs.FontReport:
        problems = self._engine.use(job.fonts)
        self._drawing = Drawing(self._engine)
        letters = tuple(each for name, body in job.fonts.items() if name in self._engine.faces for each in _in(body))
        self._letters = Letters((*noted(), *letters))
        return jobs.FontReport(tuple(problems), self._engine.faces, letters)


def _in(body: bytes) -> list[Range]:
    """Return the characters of a font; none if its table of them cannot be read."""
    try:
        return ranges_in(body)
    except Exception:  # any error of its reader for an unknown file
        return []


def _drawn(picture: Picture, key: bytes) -> jobs.Drawn:
    return jobs.Drawn(picture.body, picture.content_type, picture.note, key)
