"""YAML is read within bounds that are counted first, and whatever cannot be kept is refused at its line."""

import resource

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.content.strict_yaml import DEEPEST, MOST_ALIASES, MOST_NODES, parse_all, parse_yaml
from wetink.core.errors import BadContent


def inside_each_other(levels: int, width: int = 9) -> str:
    """Nine aliases of nine aliases of …: a text of some hundred bytes that stands for `width ** levels` values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels + 1)]
    return "\n".join(lines)


HOSTILE = {
    "aliases inside each other": inside_each_other(9),
    "few aliases that are much": inside_each_other(5),
    "merged aliases inside each other": "a0: &a0 {x: 1}\n"
    + "\n".join(f"a{n}: &a{n} {{p: *a{n - 1}, q: *a{n - 1}, r: *a{n - 1}, <<: *a{n - 1}}}" for n in range(1, 14)),
    "many aliases": "a: &a 1\nb: [" + "*a, " * (MOST_ALIASES + 1) + "]",
    "a list that holds itself": "rule: &a [*a]",
    "a rule that denies itself": "rule: &a {not: *a}",
    "a mapping that merges itself": "x: &a {<<: *a}",
    "two that hold each other": "x: &a [&b {c: *a, d: *b}]",
    "a name that is its own value": "? &a [*a]\n: b",
    "lists without end": "[" * 30_000,
    "lists in blocks": "- " * 30_000,
    "mappings without end": "{a: " * 30_000,
    "names without end": "? " * 30_000,
    "one level too many": "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
    "too many values": "[" + "a," * (MOST_NODES + 1) + "]",
    "a number of 26 zeros": "x: 1" + "0" * 26,
    "a negative one": "x: -1" + "0" * 26,
    "one above 64 bits": f"x: {2**64}",
    "one below 64 bits": f"x: {-(2**63) - 1}",
    "a number of 10,000 digits": "x: " + "1" * 10_000,
    "with underscores": "x: " + "1_" * 5_000,
    "in hexadecimal": "x: 0x" + "f" * 10_000,
    "in binary": "x: 0b" + "1" * 10_000,
    "in octal": "x: 0" + "7" * 10_000,
    "said to be one": "x: !!int '" + "1" * 10_000 + "'",
    "nothing said to be one": 'x: !!int ""',
    "a sign said to be one": 'x: !!int "-"',
    "words said to be one": "x: !!float many",
    "endless": "x: .inf",
    "no number": "x: .nan",
    "too large a fraction": "x: " + "9" * 400 + ".5",
    "half an emoji": 'x: "\\ud83d"',
    "two low halves": 'x: "\\udbff\\udfff"',
    "beyond Unicode": 'x: "\\UFFFFFFFF"',
    "half an emoji as it is": "x: \ud83d",
    "a NUL": 'x: "\\0"',
    "a NUL as it is": "x: a\0b",
    "a control character": "x: \x07",
    "a day there is not": "x: 2026-02-31",
    "a month there is not": "x: 2026-99-99T00:00:00Z",
    "the year 0": "x: 0000-01-01",
    "no day said to be one": "x: !!timestamp soon",
    "no truth": "x: !!bool perhaps",
    "a set": "x: !!set {a, b}",
    "bytes": "x: !!binary aGVsbG8=",
    "pairs": "x: !!pairs [a: b]",
    "an ordered mapping": "x: !!omap [a: b]",
    "a Python object": "x: !!python/object/apply:os.system ['true']",
    "a tag of its own": "x: !secret y",
    "a list as a name": "? [a]\n: b",
    "yes as a name": "yes: b",
    "nothing as a name": "~: b",
    "an alias of nothing": "x: *a",
    "two documents": "a: 1\n---\nb: 2",
    "another YAML": "%YAML 3.0\n---\na: 1",
    "an open list": "x: [1, 2",
    "an open text": 'x: "' + "a" * 100_000,
    "a tab": "\tx: 1",
    "at": "x: @",
    "a merge with a number": "<<: 3",
    "colons": "a: " * 20_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_is_refused_with_its_line_and_costs_little(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadContent) as told:
        parse_yaml(HOSTILE[name])
    assert str(told.value).startswith("line ")
    assert len(str(told.value)) < 200
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &a [1, 2]\nb: *a\nc: *a", {"a": [1, 2], "b": [1, 2], "c": [1, 2]}),
        ("base: &base {x: 1}\nmore: {<<: *base, y: 2}", {"base": {"x": 1}, "more": {"x": 1, "y": 2}}),
        ("x: 18446744073709551615\ny: -9223372036854775808", {"x": 2**64 - 1, "y": -(2**63)}),
        ("x: '100000000000000000000000000'", {"x": "1" + "0" * 26}),
        ("equals: =\nmerge: <<", {"equals": "=", "merge": "<<"}),
        ("x: 1:30\ny: 0x1f\nz: 1_000", {"x": "1:30", "y": 31, "z": 1000}),
        ('x: \U0001f600\ny: "\\U0001F600"', {"x": "\U0001f600", "y": "\U0001f600"}),
        ("[" * DEEPEST + "]" * DEEPEST, None),
        ("", None),
        ("# nothing", None),
        ("1: a\n2.5: b", {1: "a", 2.5: "b"}),
    ],
)
def test_usual_yaml_is_read_as_before(text: str, said: object) -> None:
    found = parse_yaml(text)
    assert said is None or found == said


def test_documents_are_counted_each_for_itself() -> None:
    many = "\n---\n".join("[" + "a," * (MOST_NODES - 10) + "]" for _ in range(3))
    assert len(list(parse_all(many))) == 3
    with pytest.raises(BadContent, match="line 4: more than 2 documents"):
        list(parse_all(many, most=2))


@given(st.text(alphabet=st.sampled_from("a1:-[]{}&*?,!|>'\"%#@`~<=. \n\t\\0\x00\x85\ud800é"), max_size=60))
def test_any_text_is_read_or_refused_and_what_is_read_can_be_kept(text: str) -> None:
    try:
        said = parse_yaml(text)
    except BadContent:
        return
    msgspec.json.decode(msgspec.json.encode(said))
    msgspec.msgpack.encode(said)
