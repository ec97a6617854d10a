"""The sample shop."""

from pathlib import Path

import click


@click.command()
@click.option("--once", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Leave pictures in DIR.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where the demo lives.")
@click.option("--host", metavar="H", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Port.  [default: 8000, or a free one]")
def demo(once: Path | None, data: Path | None, host: str | None, port: int | None) -> None:
    """Show a sample shop beside an inbox whose pictures are live.

    Sends two weeks of a sample shop's life through the real Segment SDK and prints one address to open. With --once DIR
    it does the same without a browser, leaves the opened pictures and a report in DIR, and ends.
    """
    from wetink.web import logs

    logs.begin()
    if once is not None:
        from wetink.demo.once import once as run_once

        run_once(once)
    else:
        from wetink.demo.run import run

        run(data, host, port)
