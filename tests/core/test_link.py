"""Links: an address is believed when every reader would go to the host that we read in it."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.text.link import LONGEST, allowed, host_of

HOSTS = ("shop.example", "127.0.0.1:8000")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://shop.example", "shop.example"),
        ("HTTP://Shop.Example/Path?q=1#part", "shop.example"),
        ("http://127.0.0.1:8000/x", "127.0.0.1:8000"),
        ("http://[::1]:8000/x", "[::1]:8000"),
        ("https://shop.example?q=@evil.example", "shop.example"),
        ("https://b\u00fccher.example/\u00e4", "b\u00fccher.example"),
    ],
)
def test_the_host_is_read_in_lower_case_with_the_port_it_names(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/mug",
        "/mug",
        "//shop.example/mug",
        "https:shop.example/mug",
        "https:///shop.example/mug",
        "https://",
        "ftp://shop.example/",
        "javascript:alert(1)",
        "data:text/html,hello",
        " https://shop.example/",
        "https://shop.example/\n",
        "https://shop.example/a b",
        "java\tscript://shop.example/",
        "https://evil.example\\@shop.example/",
        "https://evil.example;.shop.example/",
        "https://evil.example%2f.shop.example/",
        "https://evil.example&.shop.example/",
        "https://evil.example,.shop.example/",
        "https://user@shop.example/",
        "https://shop.example:pass@evil.example/",
        "https://evil.example\uff0f.shop.example/",
        "https://shop.example:99999/",
        "https://shop.example:0/",
        "https://shop.example:/",
        "https://shop.example:80:80/",
        "https://shop.example:\u0668\u0660/",
        "https://[::1/",
        "https://[evil.example]/",
        "https://shop.example/\x00",
        "https://shop.example/\ufffd",
        'https://shop.example/"onload="',
        "https://shop.example/<b>",
        "https://shop.example/" + "a" * LONGEST,
    ],
)
def test_what_two_readers_could_take_for_two_hosts_has_none(url: str) -> None:
    assert host_of(url) == ""
    assert not allowed(url, ())
    assert not allowed(url, HOSTS)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example/", True),
        ("https://SHOP.example:8443/", True),
        ("https://www.shop.example/", True),
        ("https://a.b.shop.example/", True),
        ("http://127.0.0.1:8000/", True),
        ("http://127.0.0.1:8001/", False),
        ("http://127.0.0.1/", False),
        ("https://badshop.example/", False),
        ("https://shop.example.evil.example/", False),
        ("https://example/", False),
        ("https://.evil.example/shop.example", False),
        ("https://evil.example/#.shop.example", False),
        ("https://evil.example?.shop.example", False),
    ],
)
def test_an_address_is_allowed_on_the_shops_hosts_and_those_under_them(url: str, expected: bool) -> None:
    assert allowed(url, HOSTS) is expected


def test_without_hosts_every_true_address_is_allowed() -> None:
    assert allowed("https://anything.example/", ())


def test_the_longest_address_is_believed() -> None:
    url = "https://shop.example/"
    assert host_of(url + "a" * (LONGEST - len(url))) == "shop.example"


@given(st.text("/\\@:?#.[]%\t ", max_size=4), st.text("/\\@:?#.[]%\t ", max_size=4), st.sampled_from(["", "x"]))
def test_no_mark_around_a_foreign_host_makes_it_the_shops(before: str, between: str, more: str) -> None:
    url = f"https://{before}evil.example{between}shop.example{more}"
    if allowed(url, ["shop.example"]):
        host = urlsplit(url).hostname or ""
        assert host == "shop.example" or host.endswith(".shop.example")
        assert "@" not in urlsplit(url).netloc


@given(st.text(max_size=60))
def test_no_text_whatever_breaks_it(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}.shop.example/"):
        host = host_of(url)
        assert host == host.lower()
        assert allowed(url, ()) is bool(host)
