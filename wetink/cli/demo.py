"""The sample shop."""

from pathlib import Path

import click


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
