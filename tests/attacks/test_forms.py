"""What a form takes can be kept: each odd value in each field is refused with its place, or kept and read again.

Some values are sent each time, all of them with ATTACK=all, as `make attack` has it.
"""

import asyncio
import os
from collections.abc import Coroutine, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.asgi import Answer
from tests.attacks.content_forms import content_forms
from tests.attacks.data_forms import MUG, data_forms
from tests.attacks.draft_forms import draft_forms, prepared
from tests.attacks.forms import CONTENT, JANE, VOTE, Form, forms, told_in
from tests.attacks.hostile import Sent, Target, routes
from tests.feeds.outside import refreshed
from tests.web.dashboard import test_sign_in_forms
from tests.web.dashboard.files import png
from tests.web.dashboard.test_team_forms import PATHS
from wetink.settings import read
from wetink.web.app import App, create
from wetink.web.dashboard.page import form as reading
from wetink.web.request import now_ms
from wetink.wiring import Wetink

T = TypeVar("T")

ALL = "ATTACK" in os.environ
FORMS = [*forms(() if ALL else ("countdown", "live-feed")), *data_forms(), *draft_forms(), *content_forms()]
EVERY = 5
"""Of the gallery's forms, whose pictures take a while, one value in so many."""
PATIENCE = 60
LIGHT = (
    *("half a character", "NUL inside", "10^26", "nan", "infinity", "many digits", "the last second"),
    *("half a character in quotes", "NUL", "10^26 0", "half a character 0", "NUL 0", "2^64 1", "1e400", "10^18"),
)
"""What is sent each time, in some fields of each form."""
SOME, DRAWN = 14, 6
"""Values that are sent to a form each time, and to one that draws."""
INSIDE = ("half a character", "10^26", "infinity", "10^18", "1e400")
"""And what stands inside of a file or a mapping."""
MOST_TOLD = 6_000

ELSEWHERE = {
    **{("POST", path): "tests/web/dashboard/test_sign_in_forms.py" for path in test_sign_in_forms.PATHS},
    ("POST", "/api/content"): "tests/content/test_kept.py",
    ("POST", "/dashboard/reports/summary/test"): "tests/scenarios/test_weekly_summary.py",
    ("PUT", "/dashboard/media/{room}/{name}"): "tests/web/dashboard/test_media.py",
    **{
        ("POST", path): "tests/web/dashboard/test_team_forms.py"
        for path in ("/dashboard/join", "/dashboard/session/again", *PATHS)
    },
}
"""Routes whose values have a test of their own."""


class Shop:
    """A wetink that is signed in to, and may be started anew."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runner = folder, asyncio.Runner()
        self.target = Target(folder)
        for name, text in CONTENT.items():
            path = self.content / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.run(self.target.prepare())
        self.run(self.target.wetink.store.catalog.learn([MUG], 1))
        self.written = {*self.content.rglob("*.yaml")}
        self.healthy = [path for path in self.lists() if self.run(self.get(path)).status == 200]

    @property
    def content(self) -> Path:
        return self.target.wetink.settings.content

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def close(self) -> None:
        self.run(self.target.wetink.close())
        self.runner.close()

    def lists(self) -> list[str]:
        """Return every page and answer for programs that needs no name."""
        return [path for method, path in routes(self.target.app) if method == "GET" and "{" not in path]

    async def get(self, path: str) -> Answer:
        return await self.target.send(Sent("GET", path))

    async def restart(self) -> None:
        """Start anew over the same folder."""
        await self.target.wetink.close()
        self.target.wetink = Wetink(read({}, data=self.folder / "data", port=8000))
        self.target.app = create(self.target.wetink)
        await self.load()

    async def load(self) -> None:
        await self.target.wetink.look_again()
        await refreshed(self.target.wetink.feeds)

    async def ready(self, form: Form) -> Form:
        """Undo what a form made before; return the form with what only this wetink knows."""
        wetink = self.target.wetink
        for path in {*self.content.rglob("*.yaml")} - self.written:
            if form.kind != "file":
                path.unlink()
        for path in self.content.glob("images/*"):
            path.unlink()
        (self.content / "images").mkdir(exist_ok=True)
        (self.content / "images" / "there.png").write_bytes(png())
        for path in self.content.glob("templates/*"):
            path.unlink()
        (self.content / "templates").mkdir(exist_ok=True)
        (self.content / "templates" / "card.liquid").write_text("<p>Card</p>")
        for draft in await wetink.store.drafts.all():
            if draft.path.startswith(("templates/", "blocks/ends")):
                await wetink.store.drafts.drop(draft.path, draft.revision)
        await wetink.look_again()
        for source in await wetink.store.sources.all():
            if source.name != "shop":
                await wetink.store.sources.delete_source(source.name)
        if form.path == "/dashboard/sources/change":
            await wetink.store.sources.create_key("made", "browser", ["shop.example"], now_ms())
            await wetink.store.sources.rotate_key("made", now_ms())
        await self.sign_in()
        holes = {
            hole: wetink.seals.seal(JANE, "tea", "vote") if each == VOTE else each for hole, each in form.holes.items()
        }
        fields = {**form.fields, **({"token": wetink.dashboard_token} if "token" in form.fields else {})}
        return await prepared(wetink, form._replace(holes=holes, fields=fields))

    async def sign_in(self) -> None:
        """Sign in, unless that lasts."""
        await self.target.wetink.store.sessions.forgive("127.0.0.1")
        if (await self.get("/dashboard/sources")).status != 200:
            await self.target.sign_in()

    async def send(self, form: Form, field: str = "", value: str | bytes = "") -> tuple[int, str]:
        """Return the status, and what the answer says is wrong; 599 for what breaks on the way."""
        if "token" in form.fields:
            await self.target.wetink.store.sessions.forgive("127.0.0.1")
        try:
            answer = await asyncio.wait_for(self.target.send(form.sent(self.target.csrf, field, value)), PATIENCE)
        except Exception as error:
            return 599, repr(error)
        away = answer.headers.get("location", "").startswith("/dashboard/login")
        if away and form.path != "/dashboard/logout":
            return 599, "signed out"
        return answer.status, told_in(answer.body)

    async def unread(self, pages: Iterable[str]) -> list[str]:
        """Return the pages that do not answer."""
        await self.sign_in()
        await self.load()
        return [f"{page}: {answer.status}" for page in pages if (answer := await self.get(page)).status != 200]

    async def attack(self, form: Form) -> list[str]:
        """Send every value in every field; return what went wrong."""
        wrong, fresh = [], await self.ready(form)
        for field, name, value in chosen(form):
            status, told = await self.send(fresh, field, value)
            label = f"{field} = {name}: {status} {told[:300]}"
            if status >= 500:
                wrong.append(label)
            elif status >= 400:
                if not form.names(field, told) or len(told) > MOST_TOLD:
                    wrong.append(f"no place: {label}")
            elif form.method != "GET" and not form.path.startswith("/api/preview"):
                made = str(value) if field == "name" else "made"
                shown = form.shown if form.kind == "file" else [each.replace("made", made, 1) for each in form.shown]
                wrong += [f"{label}, and then {page}" for page in await self.unread(shown)]
                fresh = await self.ready(form)
        fresh = await self.ready(form)
        status, told = await self.send(fresh)
        if status >= 400:
            wrong.append(f"as usual: {status} {told[:300]}")
        return [*wrong, *await self.unread([*(self.healthy if ALL else ()), *form.shown])]


def chosen(form: Form) -> Iterator[tuple[str, str, str | bytes]]:
    """Yield the attacks that are sent."""
    if ALL:
        yield from islice(form.attacks(), None, None, EVERY if "v.0.app" in form.fields else 1)
        return
    found = [each for each in form.attacks() if each[1] in LIGHT or each[1].rpartition(": ")[2] in INSIDE]
    step = max(len(found) // (DRAWN if "v.0.app" in form.fields else SOME), 1)
    yield from found[:: step | 1]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("forms"))
    yield made
    made.close()


def uncovered(app: App) -> set[tuple[str, str]]:
    """Return the routes that take something in and whose values nobody tries."""
    known = {(form.method, form.path) for form in FORMS}
    return {(method, path) for method, path in routes(app) if method != "GET"} - known - ELSEWHERE.keys()


def test_every_route_that_takes_input_is_tested(shop: Shop) -> None:
    assert uncovered(shop.target.app) == set()
    assert {(form.method, form.path) for form in FORMS if form.method != "GET"} <= {*routes(shop.target.app)}


def test_a_route_that_no_test_covers_is_reported(shop: Shop) -> None:
    async def take(request: Request) -> Response:
        raise NotImplementedError

    more = [Route("/dashboard/coupons", take, methods=["POST"])]
    assert uncovered(create(shop.target.wetink, more)) == {("POST", "/dashboard/coupons")}


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_value_is_refused_with_its_place_or_kept_and_read_again(shop: Shop, form: Form) -> None:
    assert "\n".join(shop.run(shop.attack(form))) == ""


def test_without_the_check_a_key_is_made_of_bytes_that_nobody_can_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = next(form for form in FORMS if form.path == "/dashboard/sources")
    status, told = shop.run(shop.send(form, "name", b"%ED%A0%80"))
    assert (status, "name" in told) == (400, True)
    monkeypatch.setattr(reading, "problem_in_text", lambda text: "")
    assert shop.run(shop.send(form, "name", b"%ED%A0%80"))[0] >= 500


def test_a_restart_after_hostile_forms_reads_everything_and_takes_usual_input(shop: Shop) -> None:
    async def story() -> list[str]:
        await shop.restart()
        wrong = await shop.unread(shop.healthy)
        for form in FORMS:
            status, told = await shop.send(await shop.ready(form))
            wrong += [f"{form}: {status} {told[:300]}"] if status >= 400 else []
        return wrong + await shop.unread(shop.healthy)

    assert "\n".join(shop.run(story())) == ""
