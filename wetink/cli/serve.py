"""The server from the command line."""

import sys

import click

from wetink import __version__
from wetink.cli.common import DATA, settings_of


@click.command()
@DATA
@click.option("--host", metavar="H", help="Address to listen on.  [WETINK_HOST; default: 127.0.0.1]")
@click.option("--port", metavar="N", help="Port to listen on. 0 picks a free port.  [WETINK_PORT; default: 8000]")
@click.option("--workers", metavar="N", help="Number of processes.  [WETINK_WORKERS; default: one per core]")
def serve(data: str | None, host: str | None, port: str | None, workers: str | None) -> None:
    """Run the server.

    Creates the data folder if missing and prints its URL when it is ready. Ctrl-C or SIGTERM stops it. A 200 response
    means that the event is on disk.
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
