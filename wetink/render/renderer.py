"""Renderer: turns scenes into pictures, drawn by workers of the sandbox.

A picture comes from the cache, else from the cached layer and tiles of its page, else the whole page is drawn. This
process caches pictures; each worker caches layers and tiles.
"""

import asyncio
import contextlib
import pickle
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from wetink.core.errors import BadContent
from wetink.ending import seen
from wetink.ports import Comparison, Film, Photos, Picture, Scene, Ticking
from wetink.ports.storage import Leases
from wetink.ports.templates import Inspection, Word
from wetink.render import fonts, jobs
from wetink.render.breaker import Quarantine
from wetink.render.cache import Kept, Shared, key_of
from wetink.render.countdowns import DISK, Countdowns
from wetink.render.fonts import Letters, noted, own_letters
from wetink.render.gif.countdown import Countdown, gif
from wetink.render.page import BROWSER, DEFAULT, MOST_PHOTOS, NO_PHOTO, Photo, Scenery, Sheet, named, photo, sheet
from wetink.render.page import page as html_page
from wetink.render.photo import placeholder
from wetink.sandbox import Lost, Pool, StartFailed
from wetink.telemetry.metrics import DRAW, DRAW_FAILURES, DRAW_WAIT
from wetink.telemetry.request import step

if TYPE_CHECKING:
    from wetink.render.chromium import Chromium

R = TypeVar("R", jobs.Filled, jobs.Drawn, jobs.Compared, jobs.FontReport, jobs.Pressed, jobs.Inspected)

PHOTO_MS, WARM_PHOTO_MS = 400, 5_000
"""How long a picture waits for a photo before a placeholder is drawn; and how long if no open waits for it."""
MOST_PIXELS = 12_000_000
"""Device pixels of one picture."""
PICTURES, HASHED = 16 << 20, 32 << 20
"""Bytes to keep of finished pictures, and of photos whose hash is known."""
SENT = 10_000
"""Photos remembered as sent to a worker, by hash. A worker asks again for one that it no longer has."""

WORKERS = 2
"""One draws while the other hangs."""
FILL_SECONDS, DRAW_SECONDS, LONG_SECONDS = 2.0, 3.0, 15.0
"""Seconds for a worker to fill in a template, to draw a page, and for work no open waits for. Then it is killed."""
MOST_FRAMES, MOST_FILM_PIXELS = 24, 12_000_000
"""Pictures of a film, and device pixels of all of them at a scale above 1."""
GIVE_WAY_TIMES, GIVE_WAY_SECONDS = 50, 0.02
SLOW_SECONDS = 0.5
"""A template that fails after this long is paused like one whose worker had to be killed."""


class Renderer:
    """Draws scenes. Implements `ports.Renderer`."""

    def __init__(
        self,
        photos: Photos,
        *,
        browser: "Chromium | None" = None,
        workers: int = WORKERS,
        shared: Path | None = None,
        leases: Leases | None = None,
    ) -> None:
        """Draw at most `workers` pictures at a time.

        The folder `shared` keeps prepared countdowns for all processes with the same `leases`. Raises BadSettings if
        there are no fonts.
        """
        fonts.present()
        self._countdowns = Countdowns(self._pressed, Shared(shared, DISK) if shared is not None else None, leases)
        self._photos, self._browser = photos, browser
        self._pool = Pool("wetink.render.worker", workers)
        self._pool.on_answer = _note
        self._quarantine = Quarantine()
        self._fonts: dict[str, bytes] = {}
        self._letters = own_letters()
        self._problems: tuple[str, ...] = ()
        self.families: Mapping[str, str] = {}
        """The CSS family of each added font that can be drawn, by file name."""
        self._trials = asyncio.Semaphore(1)
        self._warming = asyncio.Semaphore(1)
        self._running: dict[bytes, asyncio.Task[Picture]] = {}
        self._hashed = Kept[tuple[bytes, bytes]](HASHED, lambda known: len(known[0]))
        self._sent = Kept[bool](SENT)
        self._forget()

    @property
    def pool(self) -> Pool:
        """The workers that draw."""
        return self._pool

    async def prepare(self) -> None:
        """Load the slow parts, so that no open has to wait for them. Never raises BadContent."""
        with contextlib.suppress(BadContent):  # an open will report it where somebody sees it
            await self._request(jobs.Complete(), LONG_SECONDS)

    async def use(self, own: Mapping[str, bytes]) -> Sequence[str]:
        """Add these fonts (by file name), forget all pictures, and return the problems with the fonts."""
        if own == self._fonts:
            return self._problems
        problems: list[str] = []
        good, faces, letters, families = {}, [], list(noted()), dict[str, str]()
        for name, body in own.items():  # one by one: a font may crash the worker that reads it
            try:
                report = _as(await self._request(jobs.Use({name: body}), DRAW_SECONDS), jobs.FontReport)
            except BadContent as error:
                report = jobs.FontReport((f"fonts/{name}: {error}",))
            problems += report.problems
            letters += report.letters
            if not report.problems:
                good[name] = body
                faces += [(face, body) for face in report.faces.values()]
                families.update((name, face.family) for face in report.faces.values())
        self._pool.begin_with(jobs.encoded(jobs.Use(good)) if good else b"")
        if self._browser is not None:
            self._browser.use(faces)
        self._fonts, self._problems, self.families = dict(own), tuple(problems), families
        self._countdowns.use(key_of(*(part for each in sorted(good.items()) for part in each)))
        self._letters = Letters(letters)
        self._forget()
        return problems

    def missing(self, text: str) -> str:
        return self._letters.missing(text)

    async def inspect(self, template: str) -> Inspection:
        """Return the mistakes of a template (see `ports.templates.Language`). Raises BadContent."""
        return _as(await self._request(jobs.Inspect(template), FILL_SECONDS), jobs.Inspected).inspection

    def language(self) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
        """Return the filters and the tags of the language, by name. Imported here: other processes do not need them."""
        from wetink.render import grammar

        return grammar.filters(), grammar.tags()

    def _forget(self) -> None:
        self._pictures = Kept[Picture](PICTURES, lambda picture: len(picture.body))

    async def render(self, scene: Scene) -> Picture:
        return await self._rendered(scene)

    async def compare(self, scene: Scene) -> Comparison | None:
        if self._browser is None:
            return None
        ours = await self.render(scene)
        theirs = await self.render(replace(scene, engine=BROWSER))
        job = jobs.Compare(ours.body, theirs.body)
        found = _as(await self._request(job, LONG_SECONDS), jobs.Compared)
        return Comparison(ours, theirs, Picture(found.difference, "image/png"), found.share)

    async def _rendered(self, scene: Scene, *, ahead: bool = False) -> Picture:
        scene = replace(scene, engine=self._engine_of(scene))
        template = key_of(scene.template, scene.engine)
        reply = await self._begun(scene, template, ahead=ahead)
        if isinstance(reply, jobs.Drawn):
            self._quarantine.prove(template)
            self._pictures.put(self._key(scene, reply.key), reply.picture)
            return reply.picture
        page = await self._sheet(scene, reply, WARM_PHOTO_MS if ahead else PHOTO_MS)
        key = self._key(scene, page.key)
        return await self._once(key, lambda: self._drawn(scene, template, page, reply.lacks, ahead=ahead))

    async def _begun(self, scene: Scene, template: bytes, *, ahead: bool) -> jobs.Drawn | jobs.Filled:
        """Return the picture of a scene if nothing more is needed for it, else its page."""
        if scene.width * scene.height * scene.scale**2 > MOST_PIXELS:
            raise BadContent(f"the picture has more than {MOST_PIXELS:,} pixels", hint="make the block smaller")
        if scene.engine == BROWSER or self._quarantine.suspects(template):
            return _as(await self._tried(_fill(scene), template, b"", FILL_SECONDS), jobs.Filled)
        found = {url: self._photos.at_hand(url) for url in scene.photos}
        photos = {url: self._hash(url, body) for url, body in found.items()}
        new = [(url, body) for url, body in found.items() if body and photos[url] not in self._sent][:MOST_PHOTOS]
        scenery = Scenery(scene.width, scene.height, scene.scale, scene.transparent, scene.scheme)
        job = jobs.Make(scene.template, _pickled(scene), photos, dict(new), scenery, scene.most_bytes, ahead)
        reply = await self._tried(job, template, b"", DRAW_SECONDS)
        for url, _ in new:
            self._sent.put(photos[url], True)
        return reply if isinstance(reply, jobs.Drawn) else _as(reply, jobs.Filled)

    def _engine_of(self, scene: Scene) -> str:
        """Return the engine that a scene or its template names; the default one in place of a missing browser."""
        name = scene.engine or named(scene.template)
        return DEFAULT if name == BROWSER and self._browser is None else name

    def _key(self, scene: Scene, page: bytes) -> bytes:
        return key_of(page, scene.engine, scene.most_bytes)

    async def countdown(self, ticking: Ticking) -> Picture:
        return Picture(gif(await self._countdowns.ready(ticking), ticking.remaining_ms), "image/gif")

    async def prepare_countdown(self, ticking: Ticking) -> None:
        """Prepare a countdown ahead of need, and keep it on disk. Gives way to `render`. Raises BadContent."""
        await self._give_way()
        await self._countdowns.ready(ticking)

    async def _pressed(self, job: jobs.Press) -> Countdown:
        return _as(await self._request(job, LONG_SECONDS), jobs.Pressed).countdown

    async def film(self, film: Film) -> Picture:
        """Return an animated GIF of a film, whose first picture is complete. Raises BadContent.

        The browser draws no films: the default engine draws them.
        """
        scene, template = film.scene, key_of(film.scene.template, "film")
        count = min(max(film.frames, 1), MOST_FRAMES)
        if scene.width * scene.height * scene.scale**2 * count > MOST_FILM_PIXELS:
            scene = replace(scene, scale=1)
        pages = []
        for number in range(count):
            each = replace(scene, data={**scene.data, "frame": number, "frames": count}, transparent=False)
            filled = _as(await self._tried(_fill(each), template, b"", FILL_SECONDS), jobs.Filled)
            pages.append(await self._sheet(each, filled, PHOTO_MS))
        key = key_of(film.milliseconds, film.loop, film.most_bytes, *(page.key for page in pages))

        async def shot() -> Picture:
            sheets = tuple(replace(page, photos={url: _light(it) for url, it in page.photos.items()}) for page in pages)
            job = jobs.Shoot(sheets, film.milliseconds, film.loop, film.most_bytes)
            reply = await self._tried(job, template, key, LONG_SECONDS)
            if isinstance(reply, jobs.Lacks):
                reply = await self._tried(replace(job, sheets=tuple(pages)), template, key, LONG_SECONDS)
            self._quarantine.prove(template)
            return _as(reply, jobs.Drawn).picture

        return await self._once(key, shot)

    async def _once(self, key: bytes, make: Callable[[], Coroutine[Any, Any, Picture]]) -> Picture:
        """Return the picture that is kept under a key, else make it once for all callers at that time."""
        kept = self._pictures.get(key)
        if kept is not None:
            return kept
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(make())
            task.add_done_callback(lambda _: self._running.pop(key, None))
            task.add_done_callback(seen)
        try:
            picture = await asyncio.shield(task)
        finally:
            del task  # its error keeps this frame: a cycle
        self._pictures.put(key, picture)
        return picture

    async def warm(self, scene: Scene) -> None:
        """Draw the layer and the tiles of a scene ahead of need, one scene at a time. Never raises BadContent."""
        async with self._warming:
            await self._give_way()
            try:
                await self._rendered(scene, ahead=True)
            except BadContent:
                return  # the open will report it where somebody sees it

    async def _give_way(self) -> None:
        """Let renders that an open waits for go first, for a while."""
        for _ in range(GIVE_WAY_TIMES):
            if self._pool.resting:
                break
            await asyncio.sleep(GIVE_WAY_SECONDS)

    def close(self) -> None:
        """Stop all workers and draw no more. You can call it twice."""
        self._pool.close()

    async def _sheet(self, scene: Scene, filled: jobs.Filled, photo_ms: int) -> Sheet:
        """Return a page with its photos."""
        markup, allowed = filled.markup, frozenset(scene.photos)
        # Only addresses that the scene allows are fetched; every other picture on the page is a placeholder.
        photos = {url: photo(b"", NO_PHOTO, markup.boxes.get(url), 1) for url in markup.strange}
        wanted = [url for url in filled.wanted if url in allowed][:MOST_PHOTOS]
        for url, body in (await self._bodies(wanted, photo_ms)).items():
            photos[url] = photo(body, self._hash(url, body), markup.boxes.get(url), scene.scale)
        return sheet(scene, markup, photos)

    async def _bodies(self, urls: Sequence[str], photo_ms: int) -> dict[str, bytes]:
        """Return photos by address, empty if they are not available in time. They are fetched at the same time."""
        for url in urls:
            self._photos.warm(url)
        # Most are in memory, and requesting one after the other saves a task for each.
        until = time.monotonic() + photo_ms / 1000
        return {
            url: await self._photos.get(url, max(0, round((until - time.monotonic()) * 1000))) or b"" for url in urls
        }

    def _hash(self, url: str, body: bytes | None) -> bytes:
        """Return the hash of a photo, empty bytes if the photo is not in memory."""
        if not body:
            return b"" if body is None else NO_PHOTO
        known = self._hashed.get(url.encode())
        if known is None or known[0] is not body:  # the same object need not be hashed again
            known = body, key_of(body)
            self._hashed.put(url.encode(), known)
        return known[1]

    async def _drawn(self, scene: Scene, template: bytes, page: Sheet, lacks: Sequence[str], *, ahead: bool) -> Picture:
        """Return the picture of a page. Send a photo's bytes only to a worker that lacks them."""
        if scene.engine == BROWSER:
            return await self._browsed(scene, page)
        light = {url: each if url in lacks else _light(each) for url, each in page.photos.items()}
        for photos in (light, page.photos):  # another worker, with other photos, may draw it
            job = jobs.Draw(replace(page, photos=photos), scene.most_bytes, ahead)
            reply = await self._tried(job, template, page.key, DRAW_SECONDS)
            if not isinstance(reply, jobs.Lacks):
                break
        self._quarantine.prove(template)
        return _as(reply, jobs.Drawn).picture

    async def _browsed(self, scene: Scene, page: Sheet) -> Picture:
        """Return the picture of a page as the browser draws it."""
        if self._browser is None:
            raise BadContent("no browser is configured", hint="name one by the setting chromium")
        nothing = placeholder(dark=page.scheme == "dark")
        photos = {url: each.body or nothing for url, each in page.photos.items()}
        paper = "transparent" if page.transparent else "#ffffff"
        whole = html_page(page.markup.body, page.width, page.height, scheme=page.scheme, paper=paper)
        size = page.width, page.height
        shot = await self._browser.draw(whole, page.css, photos, size, page.scale, clear=page.transparent)
        job = jobs.Encode(shot, page.transparent, scene.most_bytes)
        return _as(await self._request(job, DRAW_SECONDS), jobs.Drawn).picture

    async def _tried(self, job: jobs.Job, template: bytes, page: bytes, seconds: float) -> jobs.Reply:
        """Return the answer to a job about a page, unless its template or page is paused. Raises BadContent.

        Jobs of a template that was never drawn run one at a time: if one hangs, it hangs only one worker.
        """
        if self._quarantine.proven(template):
            return await self._watched(job, template, page, seconds)
        async with self._trials:
            return await self._watched(job, template, page, seconds)

    async def _watched(self, job: jobs.Job, template: bytes, page: bytes, seconds: float) -> jobs.Reply:
        why = self._quarantine.why(template, page)
        if why:
            raise BadContent(f"the template is paused after repeated failures: {why}", hint="make it simpler")
        begun = time.monotonic()
        try:
            return await self._request(job, seconds)
        except BadContent as error:
            slow = time.monotonic() - begun > SLOW_SECONDS
            if (slow or isinstance(error.__cause__, Lost)) and not isinstance(error.__cause__, StartFailed):
                self._quarantine.strike(template, page, str(error))
            raise

    async def _request(self, job: jobs.Job, seconds: float) -> jobs.Reply:
        """Return the answer to a job. Raises BadContent."""
        try:
            reply: jobs.Reply = jobs.read_reply(await self._pool.ask(jobs.encoded(job), seconds))
        except Lost as lost:
            DRAW_FAILURES["drawer"].add()
            raise BadContent(f"the picture cannot be rendered: {lost}", hint="make the template simpler") from lost
        if isinstance(reply, jobs.Drawn):  # the last part of its drawing
            ended = perf_counter()
            step("encode", ended - min(max(reply.encode_seconds, 0.0), seconds), ended)
        if isinstance(reply, jobs.Refused):
            DRAW_FAILURES["template"].add()
            raise BadContent(reply.message, hint=reply.hint)
        return reply


def _note(waited: float, worked: float) -> None:
    DRAW_WAIT.observe(waited)
    DRAW.observe(worked)
    ended = perf_counter()
    step("wait for a drawer", ended - worked - waited, ended - worked)
    step("draw", ended - worked, ended)


def _as(reply: jobs.Reply, kind: type[R]) -> R:
    """Return a reply that must be of a kind. Raises BadContent: with another kind, a page took over the worker."""
    if not isinstance(reply, kind):
        raise BadContent(f"its worker failed with {type(reply).__name__}")
    return reply


def _fill(scene: Scene) -> jobs.Fill:
    return jobs.Fill(scene.template, _pickled(scene), scene.photos)


def _pickled(scene: Scene) -> bytes:
    try:
        return pickle.dumps(dict(scene.data), pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise BadContent(f"the template's data cannot be sent to the worker: {error}") from error


def _light(photo: Photo) -> Photo:
    return replace(photo, body=None) if photo.body else photo
