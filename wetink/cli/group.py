"""The command line's way of listing commands and telling errors: in one line on stderr, the exit status is then 1."""

import sys
from typing import Any, NoReturn

import click

from wetink.core.errors import WetinkError


class Commands(click.Group):
    """Lists commands in the order they were added, and tells errors in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return list(self.commands)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command; what cannot be done ends with one line and 1."""
        try:
            return super().main(*args, **kwargs)
        except WetinkError as error:
            _fail(f"{error}{f' ({error.hint})' if error.hint else ''}")
        except BrokenPipeError:
            sys.stderr.close()  # the reader has gone, as `head` does
            sys.exit(1)


def _fail(sentence: str) -> NoReturn:
    click.echo(f"wetink: {' '.join(sentence.split())}", err=True)
    sys.exit(1)
