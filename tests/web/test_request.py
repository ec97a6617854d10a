"""A request as the opens' doors read it."""

from wetink.web.request import from_scope


def test_the_last_of_repeated_headers_counts() -> None:
    headers = [(b"x-forwarded-for", b"9.9.9.9"), (b"accept", b"*/*"), (b"x-forwarded-for", b"8.8.4.4")]
    scope = {"method": "GET", "path": "/d/hero/x.json", "query_string": b"", "headers": headers, "client": None}
    asked = from_scope(scope)
    assert asked.header(b"x-forwarded-for") == "8.8.4.4"
    assert asked.header(b"user-agent") == ""
