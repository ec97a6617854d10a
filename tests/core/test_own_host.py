"""Own host: what a shop can name as its own, and what would let strangers in."""

import pytest

from wetink.core.errors import BadSettings
from wetink.core.text.link import SECOND_LEVEL, SHARED, own_host, own_hosts
from wetink.settings import read

GOOD = {
    "shop.example": "shop.example", " CDN.Shop.Example ": "cdn.shop.example", "bücher.example": "bücher.example",
    "xn--bcher-kva.example": "xn--bcher-kva.example", "shop.co.uk": "shop.co.uk", "localhost": "localhost",
    "127.0.0.1:8000": "127.0.0.1:8000", "localhost:3000": "localhost:3000", "[::1]:8000": "[::1]:8000",
    "mine.myshopify.com": "mine.myshopify.com", "a-b.c1.example:443": "a-b.c1.example:443", "co.example": "co.example",
}  # fmt: skip
BAD = [
    "com", "de", "shop", "a..b", ".shop.example", "shop.example.", "*", "*.shop.example", "https://shop.example",
    "http://shop.example/x", "//shop.example", "shop.example/path", "shop.example?x", "shop.example#x", 
    "a@shop.example",
    "shop .example", "-shop.example", "shop-.example", "shop_x.example", "sh\u00a0op.example", "shop.example:0",
    "shop.example:70000", "shop.example:http", "1.2.3", "999.1.1.1", "1.2.3.4.5", "::1", "[zz]",
    "shop.example\n.evil.com",
    f"{'x' * 64}.example", ".".join(["abcdefgh"] * 40), "javascript:alert(1)", "shop,example", "sh\u200bop.example",
    *sorted(SHARED), *(f"{name}.uk" for name in sorted(SECOND_LEVEL)), "com.br", "co.jp", "or.at",
]  # fmt: skip


@pytest.mark.parametrize(("text", "kept"), GOOD.items())
def test_a_host_of_ones_own_is_kept_as_it_is_compared(text: str, kept: str) -> None:
    assert own_host(text) == kept


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused_and_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        own_host(text)
    with pytest.raises(BadSettings, match="is not a host") as caught:
        own_hosts(["shop.example", text])
    assert caught.value.hint


def test_each_host_is_kept_once_and_empty_ones_are_not() -> None:
    assert own_hosts(["shop.example", "", " ", "SHOP.example"]) == ["shop.example"]


@pytest.mark.parametrize("text", ["com", "shop.example,https://x.example", "*"])
def test_the_setting_of_link_hosts_takes_the_same(text: str) -> None:
    with pytest.raises(BadSettings, match="WETINK_LINK_HOSTS"):
        read({"WETINK_LINK_HOSTS": text})
    assert read({"WETINK_LINK_HOSTS": "Shop.example, cdn.example.net"}).link_hosts == (
        "shop.example",
        "cdn.example.net",
    )
