"""Markup: what is taken apart for the engine."""

import pytest

from wetink.render.page import NO_SOURCE, taken_apart


def test_styles_are_lifted_out_in_order() -> None:
    markup = taken_apart("<style>.a{}</style><p>x</p><STYLE type='text/css'>.b{}</STYLE >")
    assert markup.styles == (".a{}", ".b{}")
    assert "style>" not in markup.body.lower()
    assert "<p>x</p>" in markup.body


@pytest.mark.parametrize(
    "image",
    [
        "<img>",
        "<img/>",
        '<img src="">',
        "<img src=''>",
        "<img src>",
        '<img class="a" src="" alt="a > b">',
        '<img src=" ">',
    ],
)
def test_an_image_without_an_address_gets_one(image: str) -> None:
    markup = taken_apart(image)
    assert markup.sources == {NO_SOURCE}
    assert f'src="{NO_SOURCE}"' in markup.body


@pytest.mark.parametrize(
    "image",
    [
        '<img src="https://a.example/x?a=1&amp;b=2">',
        "<img alt='src' src='https://a.example/x?a=1&amp;b=2'>",
        '<img data-src="https://b.example/" src=https://a.example/x?a=1&b=2 class=c>',
    ],
)
def test_addresses_are_read_as_the_engine_reads_them(image: str) -> None:
    markup = taken_apart(image)
    assert markup.sources == {"https://a.example/x?a=1&b=2"}
    assert markup.mentioned(["https://a.example/x?a=1&b=2"])


def test_css_mentions_pictures_too() -> None:
    markup = taken_apart("<style>.a{background-image:url(https://a.example/x)}</style>")
    assert markup.mentioned(["https://a.example/x", "https://a.example/y", ""]) == ["https://a.example/x"]
