"""URLs: what shops write is read as a browser reads it, and what is read always passes the strict check."""

from urllib.parse import quote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from tests.browser import chromium
from tests.core.urls import BARE, CLEAN, NONE, PAGE, TABLE, TRIMMED_BY_US
from wetink.core.text.link import LONGEST, allowed, host_of
from wetink.core.text.url import absolute, ascii_host, read

MARKS = "\\'`{}|^"
"""What a browser leaves as it is in some parts of a URL, and wetink encodes."""

HREF = """all => all.map(([url, base]) => {
    try { return new URL(url, base || undefined).href } catch { return "" }
})"""


def test_the_table_is_long_enough() -> None:
    assert len(set(TABLE)) >= 220


@pytest.mark.parametrize(("written", "page", "meant"), TABLE)
def test_a_url_is_read_as_a_browser_reads_it(written: str, page: str, meant: str) -> None:
    assert read(written, page) == meant


@pytest.mark.parametrize(("written", "meant"), TRIMMED_BY_US)
def test_blanks_of_any_kind_around_a_url_are_dropped(written: str, meant: str) -> None:
    assert read(written) == read(written, PAGE) == meant


@pytest.mark.parametrize("value", [None, True, 7, 1.5, [], {}, ["https://shop.example/"], b"https://shop.example/"])
def test_a_url_that_is_not_text_is_none(value: object) -> None:
    assert read(value) == read(value, PAGE) == ""


@pytest.mark.parametrize("url", CLEAN)
def test_a_clean_url_is_its_own_reading(url: str) -> None:
    assert absolute(url) == absolute(absolute(url)) == url


def encoded(href: str) -> str:
    return "".join(quote(each) if each in MARKS else each for each in href)


def hrefs(asked: list[tuple[str, str]]) -> list[str]:
    with chromium() as browser:
        return _evaluated(browser, asked)


def _evaluated(browser: Browser, asked: list[tuple[str, str]]) -> list[str]:
    return list(browser.new_page().evaluate(HREF, [list(each) for each in asked]))


def html(written: str) -> str:
    """What stands in an attribute as `written` is this to a browser: ampersands are the only entity read here."""
    for entity in ("&amp;", "&AMP;", "&#38;", "&#038;", "&#x26;"):
        written = written.replace(entity, "\0")
    return written.replace("\0", "&")


def test_chromium_reads_them_the_same_and_stays_with_what_was_read() -> None:
    read_ = [each for each in TABLE if each[2] != NONE]
    asked = [
        (html(written), page or ("https://x.invalid/" if written.strip()[:1] in "/\\" else ""))
        for written, page, _ in read_
    ]
    found = hrefs([*asked, *((meant, BARE) for _, _, meant in read_)])
    for (written, page, meant), href, again in zip(read_, found, found[len(read_) :], strict=False):
        assert encoded(href) == meant, (written, page)
        assert again == meant, "a browser goes where we say"


ODD = st.text("/\\@:?#.[]%\t |'&;a1\u00e9\u3002\uff0f", max_size=12)
PARTS = (
    "https:",
    "http:",
    "//",
    "/",
    "\\",
    "shop.example",
    "evil.example",
    "@",
    ":",
    ":80",
    "?",
    "#",
    "..",
    "%2e",
    "|",
)
PIECES = st.lists(st.sampled_from([*PARTS, "&amp;", " ", "\t", "\u00e9", "a b"]), max_size=8).map("".join)


@given(st.one_of(ODD, PIECES, st.text(max_size=40)), st.sampled_from([BARE, PAGE, "http://shop.example/", "nothing"]))
@example("https://shop.example/" + "\u00e9" * 400, BARE)
def test_what_is_read_passes_the_strict_check_and_is_read_again_the_same(written: str, page: str) -> None:
    url = read(written, page)
    if url:
        host = host_of(url)
        assert host
        assert allowed(url, (host,))
        assert len(url) <= LONGEST
        assert url.isascii()
        parts = urlsplit(url)
        assert (parts.netloc, parts.scheme in ("http", "https")) == (host, True), "a simple parser sees the same host"
        assert read(url) == read(url, PAGE) == url


@given(st.text("/\\@:?#.[]%\t ", max_size=4), st.text("/\\@:?#.[]%\t ", max_size=4), st.sampled_from(["", "x"]))
def test_no_mark_makes_a_foreign_host_the_shops(before: str, between: str, more: str) -> None:
    url = read(f"https://{before}evil.example{between}shop.example{more}")
    if url and allowed(url, ["shop.example"]):
        host = urlsplit(url).hostname or ""
        assert host == "shop.example" or host.endswith(".shop.example")


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("shop.example", "shop.example"),
        ("Shop.Example:8000", "shop.example:8000"),
        ("B\u00fccher.example", "xn--bcher-kva.example"),
        ("b\u00fccher.example:8000", "xn--bcher-kva.example:8000"),
        ("a b.example", "a b.example"),
        ("\uff0f", "\uff0f"),
    ],
)
def test_a_host_is_written_as_urls_carry_it(host: str, meant: str) -> None:
    assert ascii_host(host) == meant
