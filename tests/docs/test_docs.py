"""The documents say what is there."""

import ast
import re
from pathlib import Path

import click
import pytest

from wetink.apps import BUILTIN
from wetink.cli import main
from wetink.core.events.event import HINTS, problem
from wetink.settings import SETTINGS

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "wetink").rglob("*.py"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def commands() -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []

    def walk(name: str, command: click.Command) -> None:
        found.append((name, command))
        if isinstance(command, click.Group):
            for each, inner in command.commands.items():
                walk(f"{name} {each}", inner)

    walk("wetink", main)
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_has_a_docstring(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text()))


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = [
        path.name
        for folder in ("wetink", "tests", "bench", "frontend")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".ts", ".sql")
        and "node_modules" not in path.parts
        and len(path.read_text().splitlines()) > 400
    ]
    assert not long


def test_every_room_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {path.relative_to(ROOT / "wetink").parts[0] for path in MODULES} - {"__init__.py", "__main__.py"}
    for room in rooms:
        name = f"`wetink/{room}`" if room.endswith(".py") else f"`wetink/{room}/`"
        assert name in text


def test_every_setting_is_documented_with_its_meaning() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    for name, _, _, meaning in SETTINGS:
        assert f"| `{name}` |" in text
        assert meaning


@pytest.mark.parametrize(("name", "command"), commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_and_option_has_help(name: str, command: click.Command) -> None:
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


def test_the_readme_opens_with_two_commands_and_counts_the_apps() -> None:
    text = (ROOT / "README.md").read_text()
    assert text.index("make demo") < text.index("make test") < text.index("## ")
    assert f" {len(BUILTIN) - 1} apps" in text, "all but `custom`"


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    for name, _ in commands():
        if name.count(" ") == 1:
            assert f"`{name}`" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        assert target.startswith("http") or (document.parent / target).exists(), target


def test_every_decision_is_listed() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        assert f"decisions/{page.name}" in text


@pytest.mark.parametrize("code", HINTS)
def test_every_problem_has_a_remedy_in_plain_english_and_is_documented(code: str) -> None:
    hint = problem(code, "NAME", "DETAIL").hint
    assert len(hint.split()) >= 2
    assert not re.search(r"[{}]\b|%s|\b(?:is no|of now|what is sent)\b|,? too$|\bwhoever\b", hint), hint
    assert not hint.endswith("."), "hints stand in lists and after a dash"
    assert hint.count("`") % 2 == 0
    text = (ROOT / "docs" / "events.md").read_text().partition("## Problems")[2]
    assert f"`{code}`" in text


def test_no_problem_is_documented_that_there_is_not() -> None:
    text = (ROOT / "docs" / "events.md").read_text().partition("## Problems")[2]
    first = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert {code for cell in first for code in re.findall("`([a-z_]+)`", cell)} == set(HINTS)
