"""Every command of wetink that README.md and docs/ mention can be given as it is written there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from wetink.cli import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
IN_LINE = re.compile(r"`(wetink [a-z][^`]*)`")
COMMAND = re.compile(r"(?:\S*/)?(wetink [a-z].*)")
ENDS = frozenset(("|", "&&", ">", "2>", "&", ";"))


def commands() -> list[tuple[str, str]]:
    """Return each command and the name of its page."""
    found: dict[tuple[str, str], None] = {}
    for page in PAGES:
        text = page.read_text()
        blocks = [re.sub(r"\\\n\s*", " ", block) for language, block in BLOCK.findall(text) if language == "sh"]
        lines = [line for block in blocks for line in block.splitlines()]
        given = [made[1] for line in lines if (made := COMMAND.match(line.strip()))]
        for line in (*given, *IN_LINE.findall(BLOCK.sub("", text))):
            found[(page.name, line)] = None
    return list(found)


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_on_a_page_is_one_with_its_options(page: str, line: str) -> None:
    words = shlex.split(line.replace("…", "X"), comments=True)[1:]
    words = words[: next((at for at, word in enumerate(words) if word in ENDS), len(words))]
    command: click.Command = main
    while isinstance(command, click.Group) and words:
        name, *words = words
        assert name in command.commands, f"{page}: {line}"
        command = command.commands[name]
    if not isinstance(command, click.Group):
        command.make_parser(click.Context(command)).parse_args(list(words))


def test_there_are_commands_on_the_pages() -> None:
    assert len(commands()) > 100
