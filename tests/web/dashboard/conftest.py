"""A dashboard over a real store: one shopper with a past, one message in trouble, two blocks."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.identity_provider import IdentityProvider
from tests.serving import Server
from tests.web.dashboard.shopper import BLOCKS, past
from wetink.core.access.who import SERVER
from wetink.settings import read
from wetink.web import session
from wetink.web.app import ERRORS, ROUTES
from wetink.web.request import now_ms
from wetink.wiring import Wetink

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of this file's server."""
    return tmp_path_factory.mktemp("dashboard") / "data"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    """A real server for this file's browsers."""
    with Server(data, workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    """A real identity provider that sends people back to this file's pages."""
    with IdentityProvider("http://testserver/dashboard/login/back") as running:
        yield running


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Wetink]:
    """A wetink that has received nothing, with the two blocks and one that cannot be used."""
    settings = read({}, data=tmp_path / "data", port=8000)
    for name, text in BLOCKS.items():
        path = settings.content / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    wetink = Wetink(settings, draws=False)
    asyncio.run(wetink.look_again())
    yield wetink
    asyncio.run(wetink.close())


@pytest.fixture
def wetink(empty: Wetink) -> Wetink:
    """A wetink that knows a shopper."""

    async def fill() -> None:
        await empty.store.sources.create_key("shop-backend", "server", ["shop.example"], now_ms())
        await empty.store.log.append(past(now_ms()))

    asyncio.run(fill())
    return empty


class AsOwner:
    """Lets everybody in as an owner."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["who"] = SERVER
        await self._app(scope, receive, send)


def client_of(wetink: Wetink, *more: Route) -> TestClient:
    """Return a browser on the dashboard's pages alone: who may see them is the app's business."""
    app = Starlette(routes=[*ROUTES, *more], exception_handlers=ERRORS, middleware=[Middleware(AsOwner)])
    app.state.wetink = wetink
    request = Request({"type": "http", "headers": [], "app": app})
    return TestClient(app, headers={"accept": "text/html,*/*", "x-csrf": session.csrf(request)})


@pytest.fixture
def nobody_yet(empty: Wetink) -> Iterator[TestClient]:
    """A browser on the dashboard of an empty store."""
    with client_of(empty) as client:
        yield client


@pytest.fixture
def dashboard(wetink: Wetink) -> Iterator[TestClient]:
    """A browser on the dashboard of a store with a shopper."""
    with client_of(wetink) as client:
        yield client
