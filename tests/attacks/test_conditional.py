"""Conditional requests are answered safely: never 304, never a part, never what was right a while ago."""

import asyncio

import pytest

from tests.asgi import Answer, ask
from tests.web.test_open import House

CONDITIONS = [
    {"if-none-match": "*"},
    {"if-none-match": '"abc", W/"def"'},
    {"if-modified-since": "Fri, 31 Dec 2100 23:59:59 GMT"},
    {"if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"if-match": '"abc"'},
    {"range": "bytes=0-0"},
    {"range": "bytes=5-", "if-range": '"abc"'},
    {"cache-control": "only-if-cached"},
    {"if-none-match": "*", "if-modified-since": "Fri, 31 Dec 2100 23:59:59 GMT", "range": "bytes=0-1"},
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda each: ", ".join(each))
@pytest.mark.parametrize("door", ["picture", "data", "click"])
def test_a_condition_changes_nothing_of_the_answer(house: House, door: str, condition: dict[str, str]) -> None:
    def asked(headers: dict[str, str]) -> Answer:
        return asyncio.run(ask(house.door, "GET", house.url(door, "hero"), headers=headers))

    house.saw("mug")
    plain, conditional = asked({}), asked(condition)
    assert conditional.status == plain.status in (200, 302)
    assert (conditional.body, conditional.headers) == (plain.body, plain.headers)
    assert not {"etag", "last-modified", "accept-ranges", "content-range", "age"} & plain.headers.keys()
    assert "no-store" in plain.headers["cache-control"]
    house.saw("lamp")
    newer = asked(condition)
    assert newer.status == plain.status
    assert (newer.body, newer.headers.get("location")) != (plain.body, plain.headers.get("location"))
