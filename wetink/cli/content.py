"""What a block can show, and whether a content folder does what its scenarios say."""

import sys
from pathlib import Path

import click
import msgspec

from wetink.apps import load
from wetink.cli.common import DATA, JSON, settings_of
from wetink.content.folder import load as read_folder
from wetink.content.scenario import outcomes
from wetink.core.errors import BadSettings


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
    found = [*own.values(), *(read_folder(content, own).apps.values() if content is not None else ())]
    if as_json:
        said = [{"name": app.name, "title": app.title, "settings": msgspec.json.schema(app.settings)} for app in found]
        click.echo(msgspec.json.encode(said).decode())
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
    content = read_folder(place, load())
    found = list(outcomes(place, content, {**load(), **content.apps}))
    wrong = [outcome for outcome in found if outcome.wrong]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        for problem in content.problems:
            click.echo(f"! {problem}")
        for note in content.notes:
            click.echo(f"~ {note}")
        for outcome in found:
            click.echo(f"{'✗' if outcome.wrong else '✓'} {outcome.file}: {outcome.scenario} [{outcome.block}]")
            for line in (*outcome.wrong, *(f"  {step}" for step in outcome.trace)) if outcome.wrong else ():
                click.echo(f"    {line}")
        click.echo(f"{len(found) - len(wrong)} of {len(found)} hold" if found else f"{place} has no scenarios")
    if wrong or content.problems:
        sys.exit(1)
