"""The server from the command line."""

import sys

import click

from wetink import __version__
from wetink.cli.common import DATA, settings_of


@click.command()
@DATA
@click.option("--host", metavar="H", help="Address to listen on.  [WETINK_HOST; default: 127.0.0.1]")
@click.option("--port", metavar="N", help="Port; 0 takes a free one.  [WETINK_PORT; default: 8000]")
@click.option("--workers", metavar="N", help="Processes.  [WETINK_WORKERS; default: one for each core]")
def serve(data: str | None, host: str | None, port: str | None, workers: str | None) -> None:
    """Run the server.

    Makes the data folder if need be, and prints a line with its address when it is ready. Ctrl-C or SIGTERM stops it;
    what it has acknowledged is on the disk at any time.
    """
    from wetink.web import logs, server

    logs.begin()
    settings = settings_of(data=data, host=host, port=port, workers=workers)

    def ready(address: str) -> None:
        token = (settings.data / "dashboard.token").read_text()
        click.echo(f"wetink {__version__} is ready at {address}")
        click.echo(f"Dashboard: {address}/dashboard/login?token={token}")
        sys.stdout.flush()

    server.run(settings, ready=ready)
