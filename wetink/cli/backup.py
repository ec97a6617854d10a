"""Commands that back a wetink up and restore it."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from wetink import backups
from wetink.cli.common import DATA, iso, now_ms, settings_of, there

PLACE = click.Path(path_type=Path)


@click.command()
@click.argument("target", type=PLACE, metavar="FILE_OR_FOLDER")
@DATA
def backup(target: Path, data: str | None) -> None:
    """Back up the data folder while the server runs.

    Writes FILE_OR_FOLDER, which must not exist: a tar file if its name ends with .tar, .tar.gz or .tgz, else a folder.
    It contains every message that was acknowledged before the start, keys, content, uploads, decisions, opens, clicks
    and audiences. wetink checks the backup before it gives it its name. It contains keys and personal data.
    """
    with _bar() as progress:
        made = backups.back_up(there(data), target, now_ms(), progress)
    click.echo(f"{target}: {made.messages:,} messages, {made.bytes / 1e6:,.1f} MB, as of {iso(made.at)}")


@click.command()
@click.argument("source", type=PLACE, metavar="BACKUP")
@DATA
def restore(source: Path, data: str | None) -> None:
    """Restore BACKUP into a new data folder.

    Checks each file first. The folder must be new or empty, so stop the server and move the old folder away. The first
    start of the server derives the rest again.
    """
    settings = settings_of(data=data)
    with _bar() as progress:
        made = backups.restore(source, settings, progress)
    click.echo(f"{settings.data}: {made.messages:,} messages, as of {iso(made.at)}. Start it with `wetink serve`.")


@contextmanager
def _bar() -> Iterator[backups.Progress]:
    """Yield a function that shows progress on stderr. SIGTERM ends the command inside as Ctrl-C does, in order."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        with click.progressbar(length=1, file=sys.stderr) as bar:

            def progress(doing: str, left: int, of: int) -> None:
                bar.label, bar.length = f"{doing:9}", max(of, 1)
                bar.update(bar.length - left - bar.pos)

            yield progress
    finally:
        signal.signal(signal.SIGTERM, before)
