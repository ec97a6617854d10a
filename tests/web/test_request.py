"""A request as the opens' doors read it."""

from wetink.web.request import OpenRequest


def test_the_last_of_repeated_headers_counts() -> None:
    headers = ((b"x-forwarded-for", b"9.9.9.9"), (b"accept", b"*/*"), (b"x-forwarded-for", b"8.8.4.4"))
    asked = OpenRequest("GET", "/d/hero/x.json", b"", headers, "127.0.0.1")
    assert asked.header(b"x-forwarded-for") == b"8.8.4.4"
    assert asked.header(b"user-agent") == b""
