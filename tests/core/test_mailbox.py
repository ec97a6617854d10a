"""Email addresses as forms, CRMs and mail programs write them: one is read, several are told."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_normalize import normal
from wetink.core.identity.identifier import email

JANE = "jane@shop.example"
WRITTEN = (
    JANE,
    "JANE@SHOP.EXAMPLE",
    " jane@shop.example ",
    "\tjane@shop.example\r\n",
    "Jane Roe <jane@shop.example>",
    '"Roe, Jane" <jane@shop.example>',
    "'Roe, Jane' <jane@shop.example>",
    "<jane@shop.example>",
    "< jane@shop.example >",
    "Jane<jane@shop.example>",
    "Jane Roe <JANE@shop.example>,",
    "Jane <jane@shop.example>.",
    "Jane <mailto:jane@shop.example>",
    '"jane@shop.example" <jane@shop.example>',
    "jane@shop.example <jane@shop.example>",
    "mailto:jane@shop.example",
    "MAILTO:jane@shop.example",
    "mailto:jane@shop.example?subject=Hi&cc=bob@x.example",
    "mailto://jane@shop.example",
    "mailto:jane%40shop.example",
    "'jane@shop.example'",
    '"jane@shop.example"',
    "`jane@shop.example`",
    "(jane@shop.example)",
    "[jane@shop.example]",
    "\u201cjane@shop.example\u201d",
    "\u00abjane@shop.example\u00bb",
    "jane@shop.example.",
    "jane@shop.example,",
    "jane@shop.example;",
    "jane@shop.example, ",
    "jane@shop.example...",
    ",jane@shop.example",
    "jane@shop.example (Jane Roe)",
    "jane%40shop.example",
    "jane%40shop%2Eexample",
    "jane\uff20shop.example",
    "jane\ufe6bshop.example",
    "\uff4a\uff41\uff4e\uff45\uff20shop.example",
    "jane@shop\u3002example",
    "jane@shop\uff0eexample",
    "\u200bjane@shop.example",
    "jane@shop.example\u200b",
    "ja\u00adne@shop.example",
    "\ufeffjane@shop.example",
    "jane@\u2060shop.example",
    "\u202ajane@shop.example\u202c",
    "jane@shop.example\u00a0",
    "jane&#64;shop.example",
    "jane&commat;shop.example",
    '"<mailto:jane@shop.example>"',
    "&lt;jane@shop.example&gt;",
    "jane@shop.example:",
)
OTHERS = (
    ("o'brien@shop.example", "o'brien@shop.example"),
    ("jane+news@shop.example", "jane+news@shop.example"),
    ("jane.roe@mail.shop.example", "jane.roe@mail.shop.example"),
    ("jane@b\u00fccher.example", "jane@b\u00fccher.example"),
    ("jane@B\u00dcCHER.example", "jane@b\u00fccher.example"),
    ("jane@xn--bcher-kva.example", "jane@b\u00fccher.example"),
    ("Jane <jane@XN--BCHER-KVA.example>", "jane@b\u00fccher.example"),
    ("j\u00e4ne@shop.example", "j\u00e4ne@shop.example"),
    ("ja\u0308ne@shop.example", "j\u00e4ne@shop.example"),
    ("j&j@shop.example", "j&j@shop.example"),
    ("jane=roe@shop.example", "jane=roe@shop.example"),
    ("jane/sales@shop.example", "jane/sales@shop.example"),
    ("100%@shop.example", "100%@shop.example"),
    ("%jane@shop.example", "%jane@shop.example"),
    ("Jane <%jane@shop.example>", "%jane@shop.example"),
    ("<%4%a@shop.example>", "%4%a@shop.example"),
    ("jane@localhost", "jane@localhost"),
)
SEVERAL = (
    "jane@shop.example, bob@shop.example",
    "jane@shop.example;bob@shop.example",
    "jane@shop.example bob@shop.example",
    "Jane <jane@shop.example>, Bob <bob@shop.example>",
    "bob@shop.example, Jane <jane@shop.example>",
    "mailto:jane@shop.example,bob@shop.example",
    "jane@shop.example/bob@shop.example",
    "jane@shop.example\nbob@shop.example",
    "<jane@shop.example><bob@shop.example>",
    "jane@shop.example|bob@shop.example",
    '["jane@shop.example","bob@shop.example"]',
)
NONE = (
    "jane",
    "jane.shop.example",
    "@shop.example",
    "jane@",
    "jane at shop.example",
    "jane@shop..example",
    "jane@.example",
    ".jane@shop.example",
    "jane@@shop.example",
    "jane roe@shop.example",
    "jane@sh op.example",
    "https://shop.example/jane",
    "https://jane@shop.example/",
    "jane@shop.example/x",
    "Jane <>",
    "Jane <jane>",
    "<",
    "@",
    "a" * 2_000 + "@shop.example",
)


@pytest.mark.parametrize("written", WRITTEN)
def test_an_address_is_read_however_it_is_written(written: str) -> None:
    assert str(email(written)) == f"email:{JANE}"


@pytest.mark.parametrize(("written", "meant"), OTHERS)
def test_an_odd_address_stays_itself(written: str, meant: str) -> None:
    assert str(email(written)) == f"email:{meant}"


@pytest.mark.parametrize("written", [*SEVERAL, *NONE])
@pytest.mark.parametrize("inside", [False, True])
def test_several_addresses_or_none_are_a_problem_at_their_path(written: str, inside: bool) -> None:
    traits = {"traits": {"email": written}}
    found = normal({"type": "identify", "userId": "t", **({"context": traits} if inside else traits)})
    assert found.event is not None
    assert found.event.email == ""
    path = "context.traits.email" if inside else "traits.email"
    code = "placeholder" if written in ("<", "@") else "not_an_email"  # a lone mark stands for nothing anywhere
    assert [(each.code, each.property) for each in found.problems] == [(code, path)]


@pytest.mark.parametrize(
    "written",
    ["Jane <%= user@shop.example %>", "<%=@user.email%>", "<%jane@shop.example%>", "<% jane@shop.example", "<%=@user>"],
)
def test_a_merge_tag_with_an_at_sign_is_no_address(written: str) -> None:
    assert email(written) is None


@pytest.mark.parametrize("value", [7, True, [JANE], {"a": 1}])
def test_an_address_that_is_not_text_is_reported(value: Any) -> None:
    found = normal({"type": "identify", "userId": "t", "traits": {"email": value}})
    assert [each.property for each in found.problems] == ["traits.email"]


@pytest.mark.parametrize(
    "value", [None, "", " ", "n/a", "null", "noreply@shop.example", "Do.Not.Reply@shop.example", "no-reply+7@x.co"]
)
def test_what_says_that_there_is_no_address_is_no_problem_of_its_writing(value: Any) -> None:
    found = normal({"type": "identify", "userId": "t", "traits": {"email": value}})
    assert "not_an_email" not in [each.code for each in found.problems]


@given(st.text(alphabet="aj@. <>\"'(),;%40:\u200b\uff20mailto", max_size=40))
def test_whatever_is_read_has_one_at_sign_and_is_read_the_same_again(text: str) -> None:
    found = email(text)
    if found is not None:
        assert found.value.count("@") == 1
        assert not any(char.isspace() for char in found.value)
        assert email(found.value) == found
        if re.match("%[^a-z0-9]", found.value) is None:  # "<%=" and its like begin a tag of a template
            assert email(f"Jane <{found.value}>") == found
