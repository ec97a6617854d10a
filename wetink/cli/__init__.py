"""The command line, with the commands that run a server.

Errors are one line on stderr, with a hint for fixing them; the exit status is then 1.
"""

import sys
from pathlib import Path

import click

from wetink import __version__
from wetink.cli.accounts import accounts
from wetink.cli.audience import audience, hooks, profile
from wetink.cli.backup import backup, restore
from wetink.cli.catalog import catalog
from wetink.cli.check import check, coverage
from wetink.cli.common import DATA, Commands, settings_of
from wetink.cli.content import apps_, diff, pull, push, rollback, test_, versions
from wetink.cli.doctor import doctor
from wetink.cli.keys import keys
from wetink.cli.move import move
from wetink.cli.opens import open_, opens
from wetink.cli.replay import rebuild, replay
from wetink.cli.report import conversions, experiment, report
from wetink.settings import ROLES
from wetink.wiring import has_owner


@click.command()
@DATA
@click.option("--host", metavar="H", help="Address to listen on.  [WETINK_HOST; default: 127.0.0.1]")
@click.option("--port", metavar="N", help="Port to listen on. 0 picks a free port.  [WETINK_PORT; default: 8000]")
@click.option("--workers", metavar="N", help="Number of processes.  [WETINK_WORKERS; default: one per core]")
@click.option(
    "--role",
    metavar="R",
    help="all, or some of ingest, open, worker and dashboard, separated by commas.  [WETINK_ROLE; default: all]",
)
def serve(data: str | None, host: str | None, port: str | None, workers: str | None, role: str | None) -> None:
    """Run the server, or with --role a part of it.

    Creates the data folder if missing and prints the server's URL when it is ready. Ctrl-C or SIGTERM stops it once the
    requests in progress are answered; a second one stops it at once. A 200 response means that the event is on disk.
    """
    from wetink.web import logs, server

    settings = settings_of(data=data, host=host, port=port, workers=workers, role=role)
    logs.begin(settings.log_format)

    def ready(address: str) -> None:
        roles = [role for role in ROLES if role in settings.role]
        some = f" as {', '.join(roles)}" if len(roles) < len(ROLES) else ""
        click.echo(f"wetink {__version__} is ready at {address}{some}")
        token = settings.data / "dashboard.token"
        if "dashboard" in settings.role and token.exists():
            onward = "" if has_owner(settings) else f"/login?token={token.read_text()}"
            click.echo(f"Dashboard: {address}/dashboard{onward}")
        if settings.metrics is not None:
            click.echo(f"Metrics: http://{':'.join(map(str, settings.metrics))}/metrics")
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


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="wetink %(version)s")
def main() -> None:
    """Decide what an email shows when it is opened.

    \b
    wetink ingests your shop's Segment events, keeps a profile of each shopper,
    and serves the right picture, link or data at every open.

    \b
    Get started:
      wetink demo                        run a sample shop and its inbox
      wetink serve                       run the server on ./wetink-data
      wetink keys create shop            create a write key for your SDK
      wetink check events.jsonl          validate messages without a server
    """


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(f"wetink {__version__}")


audience.add_command(hooks)

for command in (
    serve,
    accounts,
    keys,
    check,
    opens,
    profile,
    open_,
    coverage,
    report,
    conversions,
    experiment,
    audience,
    catalog,
    replay,
    rebuild,
    backup,
    restore,
    move,
    doctor,
    apps_,
    test_,
    pull,
    diff,
    push,
    versions,
    rollback,
    demo,
    version,
):
    main.add_command(command)
