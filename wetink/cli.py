"""The command line. Errors are one line on stderr, with what to do about them; the exit status is then 1."""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeVar

import click
import msgspec

from wetink import __version__
from wetink.apps import load
from wetink.content.folder import load as read_folder
from wetink.content.scenario import outcomes
from wetink.core import clock
from wetink.core.errors import BadRequest, BadSettings, WetinkError
from wetink.core.event import Level
from wetink.core.identifier import Identifier
from wetink.core.identity import FOREVER
from wetink.core.person import Moment
from wetink.ingest import check_line
from wetink.serve.recipient import parse
from wetink.settings import Settings, read
from wetink.wiring import Wetink

T = TypeVar("T")

DATA = click.option("--data", metavar="DIR", help="Data folder.  [WETINK_DATA; default: wetink-data]")
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


class _Commands(click.Group):
    """Lists commands in the order of this file, and tells errors in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def main(self, *args: Any, **kwargs: Any) -> Any:
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


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="wetink %(version)s")
def main() -> None:
    """Decide what an email shows when it is opened.

    \b
    It takes in a shop's Segment-spec events, knows each shopper, and answers
    every open with the right picture, link or data.

    \b
    To begin:
      wetink demo                        a sample shop with an inbox beside it
      wetink serve                       the server, over ./wetink-data
      wetink keys create shop            a write key for your SDK
      wetink check events.jsonl          what wetink would make of messages
    """


@main.command()
@DATA
@click.option("--host", metavar="H", help="Address to listen on.  [WETINK_HOST; default: 127.0.0.1]")
@click.option("--port", metavar="N", help="Port; 0 takes a free one.  [WETINK_PORT; default: 8000]")
@click.option("--workers", metavar="N", help="Processes.  [WETINK_WORKERS; default: one for each core]")
def serve(data: str | None, host: str | None, port: str | None, workers: str | None) -> None:
    """Run the server.

    Makes the data folder if need be, and prints a line with its address when it is ready. Ctrl-C or SIGTERM stops it;
    what it has acknowledged is on the disk at any time.
    """
    from wetink.web import server

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = _settings(data=data, host=host, port=port, workers=workers)

    def ready(address: str) -> None:
        token = (settings.data / "dashboard.token").read_text()
        click.echo(f"wetink {__version__} is ready at {address}")
        click.echo(f"Dashboard: {address}/dashboard/login?token={token}")
        sys.stdout.flush()

    server.run(settings, ready=ready)


@main.group()
def keys() -> None:
    """Make and list the keys that senders use."""


@keys.command("create")
@click.argument("name")
@click.option(
    "--level",
    type=click.Choice(["server", "browser"]),
    default="server",
    show_default=True,
    help="How far it is trusted: a key that stands in a web page is a browser's.",
)
@click.option(
    "--host", "hosts", multiple=True, metavar="HOST", help="A host its links and photos may name; repeatable."
)
@DATA
@JSON
def create(name: str, level: Level, hosts: tuple[str, ...], data: str | None, as_json: bool) -> None:
    """Make the keys of a source called NAME.

    They are shown once: only hashes of them are kept. The write key goes into a Segment or RudderStack SDK; path,
    access key and secret into a Movable Ink destination.
    """
    if not name.strip():
        raise BadSettings("a source needs a name")
    clean = [host.strip().lower() for host in hosts if host.strip()]

    async def work(wetink: Wetink) -> Any:
        return await wetink.store.create_key(name.strip(), level, clean, _now())

    made = _with(data, work)
    if as_json:
        click.echo(msgspec.json.encode(made).decode())
        return
    click.echo(f"Write key   {made.write_key}")
    click.echo(f"Path        {made.path}")
    click.echo(f"Access key  {made.access_key}")
    click.echo(f"Secret      {made.secret}")
    click.echo("They are not shown again.")


@keys.command("list")
@DATA
@JSON
def list_(data: str | None, as_json: bool) -> None:
    """List the sources there are."""

    async def work(wetink: Wetink) -> Any:
        return await wetink.store.sources()

    sources = _with(data, work)
    if as_json:
        click.echo(msgspec.json.encode(sources).decode())
        return
    for source in sources:
        click.echo(f"{source.name:24} {source.level:8} {', '.join(source.hosts) or 'any host'}")


@main.command()
@click.argument("file", type=click.File("rb", lazy=False), default="-")
@JSON
def check(file: BinaryIO, as_json: bool) -> None:
    """Say what wetink would make of messages, one JSON message a line, without a server.

    FILE is a file's name, or - for the standard input. Each message gets a verdict: usable, unusable (stored, but
    something that Signals needs is missing) or parked (kept, but in nobody's profile), with the remedy.
    """
    for line in _lines(file):
        found = check_line(line, _now())
        if as_json:
            click.echo(msgspec.json.encode(found).decode())
            continue
        click.echo(f"{found['verdict']:9} {found['event'] or '-'}  {found['messageId'] or '-'}")
        for problem in found["problems"]:
            click.echo(f"          {problem['property'] or problem['code']}: {problem['hint']}")


@main.group()
def opens() -> None:
    """Look after what is kept of opens and clicks."""


@opens.command()
@DATA
def classify(data: str | None) -> None:
    """Tell people from machines anew, by the rules of now and by all that came of each email since."""

    async def work(wetink: Wetink) -> int:
        return await wetink.ledger.reclassify()

    changed = _with(data, work)
    click.echo(f"{changed} open{'' if changed == 1 else 's'} or clicks came out differently")


@main.group()
def profile() -> None:
    """Look at profiles."""


@profile.command("show")
@click.argument("id_", metavar="ID")
@DATA
@JSON
def show(id_: str, data: str | None, as_json: bool) -> None:
    """Show the profile that ID means now: user:42, email:a@b.c or anonymous:x."""
    who = _identifier(id_)

    async def work(wetink: Wetink) -> dict[str, Any]:
        now = _now()
        found = await wetink.store.profile(who, now)
        events = await wetink.store.history(who, FOREVER - 1, limit=1_000_000)
        person = await wetink.person(who, now)
        identifiers: dict[str, list[str]] = {"user": [], "email": [], "anonymous": []}
        for identifier in found.identifiers if events else ():
            identifiers[identifier.kind].append(identifier.value)
        return {
            "identifiers": {kind: sorted(values) for kind, values in identifiers.items()},
            "traits": person.traits,
            "events": [
                {"event": event.label, "messageId": event.message_id, "timestamp": _iso(event.at)} for event in events
            ],
        }

    found = _with(data, work)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for kind, values in found["identifiers"].items():
        for value in values:
            click.echo(f"{kind:10} {value}")
    for name, value in found["traits"].items():
        click.echo(f"{name:10} {json.dumps(value, ensure_ascii=False)}")
    for event in found["events"]:
        click.echo(f"{event['timestamp']}  {event['event']}")
    if not found["events"]:
        click.echo(f"Nothing is known of {who}.")


@main.command("open")
@click.argument("block")
@click.argument("recipient")
@click.option("--at", metavar="TIME", help="When it is opened, such as 2026-11-20T09:00:00Z.  [default: now]")
@click.option("--image", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Save the picture.")
@click.option("--slot", type=click.IntRange(1, 12), default=1, show_default=True, help="Which slot's picture to save.")
@DATA
@JSON
def open_(
    block: str, recipient: str, at: str | None, image: Path | None, slot: int, data: str | None, as_json: bool
) -> None:
    """Show what RECIPIENT (user:42, email:a@b.c, anonymous:x) would see in BLOCK, and why.

    Nothing is counted, and nothing is kept: it is a preview by the same code that answers opens.
    """
    who = _identifier(recipient)
    now = _time(at)

    async def work(wetink: Wetink) -> Any:
        when = Moment(now=now)
        await wetink.catch_up(block)
        decision = await wetink.preview(block, who, when)
        if image is not None:
            picture = await wetink.picture(decision, slot, when)
            await asyncio.to_thread(image.write_bytes, picture.body)
        return decision

    try:
        decision = _with(data, work)
    except OSError as error:
        raise BadSettings(f"{image} cannot be written: {error.strerror}") from error
    if as_json:
        click.echo(msgspec.json.encode(decision).decode())
        return
    click.echo(f"{block} for {who} at {_iso(now)}")
    for step in decision.trace:
        click.echo(f"  {'→' if step.taken else '·'} {step.variant or 'fallback'}: {step.why}")
    for item, link in zip(decision.items, [*decision.links, *("" for _ in decision.items)], strict=False):
        click.echo(f"    {item.name or item.key}  {link or item.url}")


@main.command("apps")
@JSON
def apps_(as_json: bool) -> None:
    """List what a block can show: the apps, with their settings as JSON schema.

    A block names one for each of its variants: `app: last-viewed`.
    """
    found = load().values()
    if as_json:
        said = [{"name": app.name, "title": app.title, "settings": msgspec.json.schema(app.settings)} for app in found]
        click.echo(msgspec.json.encode(said).decode())
        return
    for app in found:
        click.echo(f"{app.name:20} {app.about}")


@main.command("test")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@DATA
@JSON
def test_(folder: Path | None, data: str | None, as_json: bool) -> None:
    """Run the scenarios of a content FOLDER: given these events, at this time, a block shows this.

    Without FOLDER it is that of the data folder. Needs no server and no store; ends with 1 when one does not hold.
    """
    place = folder or _settings(data=data).content
    content = read_folder(place, load())
    found = list(outcomes(place, content, load()))
    wrong = [outcome for outcome in found if outcome.wrong]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        for problem in content.problems:
            click.echo(f"! {problem}")
        for outcome in found:
            click.echo(f"{'✗' if outcome.wrong else '✓'} {outcome.file}: {outcome.scenario} [{outcome.block}]")
            for line in (*outcome.wrong, *(f"  {step}" for step in outcome.trace)) if outcome.wrong else ():
                click.echo(f"    {line}")
        click.echo(f"{len(found) - len(wrong)} of {len(found)} hold")
    if wrong or not found or content.problems:
        sys.exit(1)


@main.command()
@click.option("--once", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Leave pictures in DIR.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where the demo lives.")
@click.option("--host", metavar="H", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Port.  [default: 8000, or a free one]")
def demo(once: Path | None, data: Path | None, host: str | None, port: int | None) -> None:
    """Show a sample shop beside an inbox whose pictures are live.

    Sends two weeks of a sample shop's life through the real Segment SDK and prints one address to open. With --once DIR
    it does the same without a browser, leaves the opened pictures and a report in DIR, and ends.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if once is not None:
        from wetink.demo.once import once as run_once

        run_once(once)
    else:
        from wetink.demo.run import run

        run(data, host, port)


@main.command()
def version() -> None:
    """Say which wetink this is."""
    click.echo(f"wetink {__version__}")


def _settings(**given: Any) -> Settings:
    return read(os.environ, **given)


def _with(data: str | None, work: Callable[[Wetink], Awaitable[T]]) -> T:
    """Do something with a wetink over a data folder."""

    async def run() -> T:
        async with Wetink(_settings(data=data)) as wetink:
            return await work(wetink)

    return asyncio.run(run())


def _now() -> int:
    return time.time_ns() // 1_000_000


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(text: str | None) -> int:
    if text is None:
        return _now()
    at = clock.parse(text)
    if at is None:
        raise BadRequest(f"{text!r} is no time", hint="write 2026-11-20T09:00:00Z")
    return at


def _identifier(text: str) -> Identifier:
    who = parse(text)
    if who is None:
        raise BadRequest(f"{text!r} names nobody", hint="write user:42, email:a@b.c or anonymous:x")
    return who


def _lines(file: BinaryIO) -> Iterator[bytes]:
    lines: Iterable[bytes] = file
    for line in lines:
        if line.strip():
            yield line
