"""Each request has an ID: a proxy's, if it looks like a random number, else a new one. The answer has it as well."""

import http.client
import re
from collections.abc import Iterator

import pytest

from tests.web.scraped import House, basic, serving

GIVEN = "4bf92f3577b34da6a3ce929d0e0e4736"
DOORS = (
    ("POST", "/v1/track", 200), ("POST", "/v1/batch", 400), ("POST", "/behavioral/nobody", 404),
    ("GET", "/v1/pixel/track", 200), ("OPTIONS", "/v1/track", 204),
    ("GET", "/o/hero/1.jpg?user=1", 200), ("GET", "/o/none/1.gif", 200), ("GET", "/d/hero.json?user=1", 200),
    ("GET", "/d/none.json", 404), ("GET", "/c/hero/1?user=1", 302), ("GET", "/a/hero/1.txt", 200),
    ("GET", "/h/hero.html", 200), ("GET", "/v/hero/1/x", 404), ("GET", "/healthz", 200), ("GET", "/dashboard", 303),
    ("GET", "/api/content", 401), ("GET", "/nothing", 404), ("GET", "/static/logo.svg", 200),
)  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with serving(tmp_path_factory.mktemp("ids") / "data") as made:
        yield made


def ids_of(house: House, method: str, path: str, given: str | None = None) -> tuple[int, list[str]]:
    """Return the status and all request IDs of two answers on one connection: the head of the second is known."""
    headers = {"authorization": basic(house.key)} | ({"X-Request-Id": given} if given is not None else {})
    body = b'{"event": "Seen", "userId": "42"}' if path == "/v1/track" else b""
    there = http.client.HTTPConnection("127.0.0.1", house.server.port, timeout=60)
    found = []
    for _ in range(2):
        there.request(method, path, body, headers)
        got = there.getresponse()
        got.read()
        found += got.headers.get_all("x-request-id") or [""]
    there.close()
    return got.status, found


@pytest.mark.parametrize(("method", "path", "status"), DOORS)
def test_every_door_returns_the_id_that_a_proxy_gave(house: House, method: str, path: str, status: int) -> None:
    assert ids_of(house, method, path, GIVEN) == (status, [GIVEN, GIVEN])


@pytest.mark.parametrize(("method", "path", "status"), DOORS)
def test_every_door_makes_a_new_id_for_each_request_without_one(
    house: House, method: str, path: str, status: int
) -> None:
    got, (one, other) = ids_of(house, method, path)
    assert got == status
    assert one != other
    assert re.fullmatch("[0-9a-f-]{16,64}", one)


MALFORMED = (
    "jane@shop.example",
    "user-42",
    "a" * 65,
    "a" * 15,
    "",
    "4bf92f3577b34da6 a3ce929d0e0e4736",
    "0123456789abcdeg",
)


@pytest.mark.parametrize("given", MALFORMED)
@pytest.mark.parametrize("path", ["/o/hero/1.jpg", "/healthz"])
def test_an_id_that_is_not_well_formed_is_replaced(house: House, path: str, given: str) -> None:
    _, found = ids_of(house, "GET", path, given)
    assert given not in found
    assert all(re.fullmatch("[0-9a-f-]{16,64}", each) for each in found)
