"""People: browsers of members of the team, over one wetink without a server."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from argon2 import PasswordHasher
from starlette.testclient import TestClient

from wetink.core.access.account import Account
from wetink.core.access.role import Role
from wetink.settings import read
from wetink.web.app import create
from wetink.wiring import Wetink

T = TypeVar("T")
PASSWORD = "copper lantern walks north"


class Office:
    """A wetink, and who works there."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.runner = asyncio.Runner()
        self.wetink = Wetink(read({}, data=folder, **{"public_url": "http://testserver", **settings}))
        self.app = create(self.wetink)
        self.wetink.team._passwords._hasher = PasswordHasher(time_cost=1, memory_cost=1024)  # quick
        self.run(self.wetink.look_again())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def close(self) -> None:
        self.run(self.wetink.close())
        self.runner.close()

    def browser(self, address: str = "192.0.2.1") -> TestClient:
        return TestClient(
            self.app,
            follow_redirects=False,
            raise_server_exceptions=False,
            client=(address, 5_000),
            headers={"accept": "text/html"},
        )

    def hire(self, name: str, role: Role = "owner") -> Account:
        return self.run(self.wetink.team.found(f"{name}@shop.example", name.title(), PASSWORD, role))

    def renew_passwords(self) -> None:
        """Give everybody the usual password again."""
        hashed = self.run(self.wetink.team._passwords.hash(PASSWORD))
        for each in self.run(self.wetink.store.accounts.all()):
            self.run(self.wetink.store.accounts.change(each.id, password=hashed))

    def signed_in(self, name: str, address: str = "192.0.2.1") -> TestClient:
        client = self.browser(address)
        got = client.post("/dashboard/login", data={"email": f"{name}@shop.example", "password": PASSWORD})
        assert got.status_code == 303, got.text
        return client

    def with_token(self) -> TestClient:
        client = self.browser()
        assert client.post("/dashboard/login", data={"token": self.wetink.dashboard_token}).status_code == 303
        return client


def employ(data: Path, *names: str, role: Role = "owner") -> None:
    """Give people with the usual password to a data folder, in a thread: a browser may have the loop of this one."""

    async def work() -> None:
        async with Wetink(read({}, data=data), draws=False) as wetink:
            for name in names:
                await wetink.team.found(f"{name}@shop.example", name.title(), PASSWORD, role)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work()).result()


def csrf(client: TestClient) -> str:
    return str(client.get("/dashboard/session").json()["csrf"])


def send(client: TestClient, path: str, **fields: Any) -> Any:
    """Post a form of the dashboard."""
    return client.post(f"/dashboard{path}", data={"csrf": csrf(client), **fields})


def link_in(text: str) -> str:
    """Return the secret of the link that a page shows."""
    return text.partition("/dashboard/join?link=")[2].partition("<")[0]
