"""Content as code: the apps for blocks, scenarios, and a copy in a repository to pull and push."""

import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from wetink.apps import load
from wetink.cli.common import DATA, JSON, iso, now_ms, settings_of, with_wetink
from wetink.cli.content_client import RemoteVersions
from wetink.content.content import load as read
from wetink.content.scenario import outcomes
from wetink.content.tree import Difference, Origin, differences, keep_origin, names, origin_in, read_tree, write_tree
from wetink.content.versions import Pushed, Versions
from wetink.core.errors import BadContent, BadSettings, Conflict


@click.command("apps")
@click.option(
    "--content",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Include the apps of this content folder.",
)
@JSON
def apps_(content: Path | None, as_json: bool) -> None:
    """List the apps that blocks can use; --json adds the JSON schema of their settings.

    Each variant of a block names an app: `app: last-viewed`.
    """
    own = load()
    found = [*own.values(), *(read(read_tree(content), own).apps.values() if content is not None else ())]
    if as_json:
        listed = [
            {"name": app.name, "title": app.title, "settings": msgspec.json.schema(app.settings)} for app in found
        ]
        click.echo(msgspec.json.encode(listed).decode())
        return
    for app in found:
        click.echo(f"{app.name:20} {app.about}")


@click.command("test")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@DATA
@JSON
def test_(folder: Path | None, data: str | None, as_json: bool) -> None:
    """Run the scenarios of a content FOLDER: tests of the picture a block shows for given events at a given time.

    FOLDER defaults to the content of the data folder. Needs no server and no store. Exits with 1 if a scenario fails or
    if content has errors.
    """
    place = folder or settings_of(data=data).content
    if not place.is_dir():
        raise BadSettings(f"--data: {place} does not exist", hint="check the spelling, or name a FOLDER")
    unread: list[str] = []
    tree = read_tree(place, unread)
    content = read(tree, load())
    found = list(outcomes(tree, content, {**load(), **content.apps}))
    wrong = [outcome for outcome in found if outcome.wrong]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        for problem in (*unread, *content.problems):
            click.echo(f"! {problem}")
        for note in content.notes:
            click.echo(f"~ {note}")
        for outcome in found:
            click.echo(f"{'✗' if outcome.wrong else '✓'} {outcome.file}: {outcome.scenario} [{outcome.block}]")
            for line in (*outcome.wrong, *(f"  {step}" for step in outcome.trace)) if outcome.wrong else ():
                click.echo(f"    {line}")
        click.echo(f"{len(found) - len(wrong)} of {len(found)} hold" if found else f"{place} has no scenarios")
    if wrong or unread or content.problems:
        sys.exit(1)


T = TypeVar("T")
AnyVersions = Versions | RemoteVersions
Work = Callable[[AnyVersions], Coroutine[Any, Any, T]]

NOTE = ".wetink.json"
"""The file beside the content that holds the version it came from, and the digests of its files."""

TO = click.option(
    "--to",
    metavar="URL",
    help="URL of a server to use instead of a local data folder.  [WETINK_URL]",
    envvar="WETINK_URL",
)
TOKEN = click.option(
    "--token", metavar="T", help="Dashboard token of the server.  [WETINK_TOKEN]", envvar="WETINK_TOKEN", default=""
)
FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")


@click.command()
@FOLDER
@click.option("--force", is_flag=True, help="Overwrite local changes in FOLDER.")
@DATA
@TO
@TOKEN
def pull(folder: Path, force: bool, data: str | None, to: str | None, token: str) -> None:
    """Download the content into FOLDER (default: the current directory).

    Writes blocks, templates, feeds, images and scenarios as files to review and keep in git, never keys or tokens.
    """
    version, files = _at(data, to, token, lambda there: there.read())
    mine, origin = (read_tree(folder) if folder.exists() else {}), origin_in(folder / NOTE)
    if names(mine) not in ({}, version.files, origin.files if origin is not None else {}) and not force:
        raise Conflict(f"{folder} has changes that were not pushed", hint="push them, or pass --force to lose them")
    folder.mkdir(parents=True, exist_ok=True)
    write_tree(folder, files, mine)
    keep_origin(folder / NOTE, Origin(version.number, version.files))
    click.echo(f"version {version.number}: {len(files)} files in {folder}")


@click.command()
@FOLDER
@DATA
@TO
@TOKEN
@JSON
def diff(folder: Path, data: str | None, to: str | None, token: str, as_json: bool) -> None:
    """Show the changes that a push of FOLDER would make. Exits with 1 if there are any."""
    _, files = _at(data, to, token, lambda there: there.read())
    found = list(differences(files, read_tree(folder)))
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        _show(found)
    sys.exit(1 if found else 0)


@click.command()
@FOLDER
@click.option("-m", "--message", default="", help="Description of the change, shown in the list of versions.")
@click.option(
    "--force", is_flag=True, help="Overwrite the current content, for repositories that are the source of truth."
)
@DATA
@TO
@TOKEN
@JSON
def push(folder: Path, message: str, force: bool, data: str | None, to: str | None, token: str, as_json: bool) -> None:
    """Replace the content with FOLDER, all or nothing.

    Validates FOLDER and runs its scenarios first. Fails if the content has changed since you pulled FOLDER.
    """
    files, origin = read_tree(folder), origin_in(folder / NOTE)
    if not files:
        raise BadContent(f"{folder} has no content", hint="it has blocks/, templates/, …; `wetink pull` makes one")
    if origin is None and not force:
        raise Conflict(f"{folder} was not pulled from anywhere", hint="pull first, or pass --force")
    base = None if force or origin is None else origin.version

    async def work(there: AnyVersions) -> tuple[Pushed, list[Difference]]:
        version, before = await there.read()
        done = await there.push(files, base, by=_who(), message=message, now=now_ms())
        changed = list(differences(before, files)) if done.version != version.number else []
        return done, changed

    done, changed = _at(data, to, token, work, makes=True)
    if not done.problems:
        keep_origin(folder / NOTE, Origin(done.version, names(files)))
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    else:
        for problem in done.problems:
            click.echo(f"! {problem}")
        for note in read(files, load()).notes:
            click.echo(f"~ {note}")
        for each in changed:
            click.echo(f"{each.what:8} {each.path}")
        click.echo("nothing was changed" if done.problems or not changed else f"version {done.version} stands")
    if done.problems:
        sys.exit(1)


@click.command()
@DATA
@TO
@TOKEN
@JSON
def versions(data: str | None, to: str | None, token: str, as_json: bool) -> None:
    """List versions of the content, newest first."""
    found = _at(data, to, token, lambda there: there.listed())
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for each in found:
        click.echo(f"{each.number:5}  {iso(each.at)}  {each.by:16} {each.message}")


@click.command()
@click.argument("version", type=click.IntRange(1))
@DATA
@TO
@TOKEN
@JSON
def rollback(version: int, data: str | None, to: str | None, token: str, as_json: bool) -> None:
    """Restore an earlier VERSION as a new version. wetink keeps all versions."""
    done = _at(data, to, token, lambda there: there.rollback(version, by=_who(), now=now_ms()))
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    else:
        for problem in done.problems:
            click.echo(f"! {problem}")
        click.echo("nothing was changed" if done.problems else f"version {done.version} stands, as {version} was")
    if done.problems:
        sys.exit(1)


def _at(
    data: str | None,
    to: str | None,
    token: str,
    work: Callable[[AnyVersions], Coroutine[Any, Any, T]],
    *,
    makes: bool = False,
) -> T:
    """Run `work` on the versions of a server, or of a data folder, which must exist unless the command `makes` it."""
    if to:
        return asyncio.run(work(RemoteVersions(to, token)))
    return with_wetink(data, lambda wetink: work(wetink.versions), makes=makes)


def _show(found: list[Any]) -> None:
    for each in found:
        if each.lines:
            click.echo("\n".join(each.lines))
        else:
            click.echo(f"{each.what} {each.path}")


def _who() -> str:
    """Return the name of the user at this terminal."""
    try:
        return os.environ.get("WETINK_AUTHOR") or getpass.getuser()
    except (KeyError, OSError):
        return ""
