"""Controls that show nothing: none in alt texts, and the joiners that scripts and emoji need stay."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.blocks.block import Block, Decision, Fallback, alt_of
from wetink.core.events.event import Product
from wetink.core.text.characters import controls

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Source: Unicode's property Bidi_Control, version 15."""
OTHERS = "\u00ad\u180e\u200b\u2060\ufeff\ufff9\ufffb\x80\x9f"
KEPT = ("\u0915\u094d\u200d\u0937", "\u0646\u200c\u0627", "\U0001f469\u200d\U0001f680", "\u2764\ufe0f", "a\u0301")


def decision(name: str) -> Decision:
    items, links = (Product("7", name=name),), ("https://shop.example/",)
    return Decision("d", "hero", "", "", 0, "seen", "last-viewed", "", {}, items, links, ())


@pytest.mark.parametrize("char", [*BIDI, *OTHERS], ids=lambda char: f"U+{ord(char):04X}")
def test_alt_text_has_no_control_that_shows_nothing(char: str) -> None:
    block = Block("hero", Fallback("https://shop.example/", title=f"A{char}B"), alt=f"C{char}D")
    assert char not in alt_of(block, None, 1)
    assert alt_of(block, decision(f"Mug{char}gnp.exe"), 1) == "CD: Muggnp.exe"


@pytest.mark.parametrize("text", KEPT)
def test_joiners_and_variants_that_writing_needs_stay(text: str) -> None:
    assert controls(text) == text


@given(st.text())
def test_nothing_but_controls_is_dropped(text: str) -> None:
    kept = controls(text)
    assert controls(kept) == kept
    dropped = set(text) - set(kept)
    assert all(unicodedata.category(char) in ("Cf", "Cc", "Cn") for char in dropped)
