"""The server and the sample shop."""

import sys
from pathlib import Path

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


@click.command()
@click.option(
    "--once", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write pictures to DIR and exit."
)
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Data folder of the demo."
)
@click.option("--host", metavar="H", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Port.  [default: 8000, or a free one]")
def demo(once: Path | None, data: Path | None, host: str | None, port: int | None) -> None:
    """Run a sample shop next to an inbox with live pictures.

    Sends two weeks of sample events through the real Segment SDK and prints a URL to open. With --once DIR, it runs
    without a browser, writes the opened pictures and a report to DIR, and exits.
    """
    from wetink.web import logs

    logs.begin()
    if once is not None:
        from wetink.demo.once import once as run_once

        run_once(once)
    else:
        from wetink.demo.run import run

        run(data, host, port)
