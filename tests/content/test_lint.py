"""Lint: what the engine cannot draw is named with its line; our own templates ask for none of it."""

import time
from pathlib import Path

import pytest

import wetink
from wetink.content.check import lint

TEMPLATES = sorted(Path(wetink.__file__).parent.rglob("*.liquid"))


@pytest.mark.parametrize(
    ("css", "said"),
    [
        (".a { width: clamp(1px, 2vw, 3px) }", "clamp()"),
        ('.a { grid-template: "a b" 1fr / 1fr 1fr }', "areas"),
        (".a { grid-template-areas: 'a b' }", "areas"),
        ("@media (prefers-color-scheme: dark) { .a { color: red } }", ".dark"),
        (".a { box-shadow: inset 0 0 4px red }", "inside"),
        (".a { filter: grayscale(1) }", "filters"),
        (".a:has(b) { color: red }", ":has()"),
        ("</style>5<sup>2</sup>", "vertical-align"),
        (".a { writing-mode: vertical-rl }", "rotate()"),
        (".a { columns: 2 }", "grid"),
        (".a { column-count: 2 }", "grid"),
        (".a { background: url(x.png) center / cover }", "background-size"),
        ("@import url(x.css);", "into the template"),
        ("@font-face { font-family: X }", "fonts/"),
        (".a { animation: x 1s }", "animations do not run"),
        (".a { transition: all 1s }", "animations do not run"),
        ("</style><script>1</script>", "scripts"),
        ('</style><div onclick="x()">', "scripts"),
        ("</style><button>Buy</button>", "div"),
        (".a { -webkit-line-clamp: 2; overflow: hidden }", "text-overflow"),
    ],
)
def test_markup_that_cannot_be_drawn_is_reported_with_its_line(css: str, said: str) -> None:
    [note] = lint(f"<style>\n.b {{ color: red }}\n{css}\n</style>")
    assert note.startswith("line 3: ")
    assert said in note


@pytest.mark.parametrize(
    "css",
    [
        ".a { grid-template-columns: 1fr 1fr; grid-template-rows: 10px }",
        ".a { box-shadow: 0 1px 2px red; backdrop-filter: none }",
        ".a { -webkit-line-clamp: 2; text-overflow: ellipsis }",
        ".a { background: url(x.png); background-size: cover }",
        "/* clamp( and filter: in a comment */",
        "{% comment %}<script>{% endcomment %}",
        "<!-- @import -->",
        ".a { --my-filter: 1; text-column: 2 }",
    ],
)
def test_markup_that_can_be_drawn_passes_the_lint(css: str) -> None:
    assert list(lint(f"<style>{css}</style>")) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_our_own_templates_ask_for_nothing_the_engine_lacks(path: Path) -> None:
    assert list(lint(path.read_text(encoding="utf-8"))) == []


ENDLESS = (
    "<!--",
    "/*",
    "{% comment %}",
    "background:",
    "box-shadow:",
    'style="',
    "{",
    "clamp(\n",
    "a{-webkit-line-clamp:1}\n",
)


@pytest.mark.parametrize("part", ENDLESS)
def test_the_largest_template_is_read_in_a_moment_whatever_it_repeats(part: str) -> None:
    begun = time.thread_time()
    list(lint(part * (262_144 // len(part))))
    assert time.thread_time() - begun < 2


def test_a_comment_that_never_ends_hides_nothing() -> None:
    assert [*lint("<!-- a -->\n<!-- b\nclamp(1px)")] == [*lint("\n\nclamp(1px)")] != []
