"""T18: every place that logs is come by on a bad day full of people's data, or stands here with why it tells of nobody.

A new call that logs fails this until either is so, and so does an argument of one that nobody has looked at.
"""

import logging
from collections.abc import Iterator

import pytest

from tests.attacks import bad_day
from tests.attacks.log_calls import Call, Heard, calls

KNOWN = calls()

OWN = "a name out of the content folder, which is the shop's"
WORDS = "an error's words: what they quote, addresses, identifiers and tokens are left out by the formatter"
COUNT = "a number"
ARGUMENTS = {
    **dict.fromkeys(
        (
            "audience",
            "block",
            "block.name",
            "change.audience",
            "channel",
            "decision.block",
            "jobs[0].decision.block",
            "feed.name",
        ),
        OWN,
    ),
    "name": f"{OWN}, a lease of it, or a countdown's size with its title quoted",
    "problem": f"{OWN}: what is wrong with it",
    **dict.fromkeys(("answer", "done", "error", "error.strerror", "odd[0]", "words(error)", "failure"), WORDS),
    "str(error) or type(error).__name__": WORDS,
    "why": f"a fixed text; of what cannot be written, {WORDS}",
    "outcome.why": "how a receiver answered: its status, never its body",
    "None if failure is error else error": "an error, of which a line has the kind and place alone",
    "min(odd)": "the key of a product; an address in it is left out by the formatter",
    "migration.name": "the name of a file of wetink's own",
    "warning": "a fixed text with a number, or what the system says of an address of the settings",
    "*details": "what `log_error` was called with, which stands here itself",
    **dict.fromkeys(
        ("count", "lost", "len(odd)", "child.process.pid", "last", "version.number", "partition", "migration.number"),
        COUNT,
    ),
    "host_of(url)": "the host of a photo, without the rest of its address",
    "word": "the kind of a rule's condition",
    "still_running(task)": "calls, apps, feeds and hosts",
    **dict.fromkeys(
        ("place_of(task)", "task.get_name()", "', '.join(tasks)", "', '.join(threads)"),
        "names of tasks and threads, which are fixed texts with numbers, and names of functions",
    ),
    "seconds": "a number",
    "type(error).__name__": "the kind of an error",
    "self._what": "a fixed text",
    **dict.fromkeys(("path", "self._path", "path.name", "feed.file"), "a file of the data folder or of the settings"),
    "wait": "a number",
    "hint": "a fixed text: the remedy of an error",
    "title": "the name that an owner gave an identity provider",
    "known.account": "the ID of a member of the team",
    **dict.fromkeys(("code", "why", "what"), "a fixed text, the kind of an error, or a code of OAuth"),
    **dict.fromkeys(("True", "not passing(error)"), "whether there is a trace: kinds and places of errors alone"),
}
"""Whatever is put into a line of the log, and what that may be."""

TRACE = "it puts in nothing but an error's kind and place"
SQLITE = "it puts in numbers and SQLite's words, which tell of files and constraints, never of values"
POSTGRESQL = "it puts in numbers and PostgreSQL's words, which tell of tables and constraints, never of values"
STREAM = "it puts in a number and what the system says of the stream's servers"
ENDS = "it puts in a number, and names of tasks, threads and functions"
SHOP = "it puts in a name of the shop's, and an error's kind and place"
SAID = f"it puts in a name of the shop's, and {WORDS}"
FILE = "it puts in a file's name and what the system says of that"
PROVIDER = "it puts in the name that an owner gave a provider, and a fixed text or a code"
HOST = "it puts in the host of a photo, and an error's kind and place"
NOT_REACHED: dict[tuple[str, str, str], str] = {
    ("access/openid.py", "guarded", "%s may not be asked for a sign-in: %s"): PROVIDER,
    ("access/openid.py", "_away", "%s cannot be reached for a sign-in: %s"): PROVIDER,
    ("access/openid.py", "_refused", "%s refused a sign-in: %s"): PROVIDER,
    ("access/openid.py", "_doubted", "an answer of %s is not trusted: %s"): PROVIDER,
    ("access/passkeys.py", "check", "the counter of a passkey of account %s went back: it may be a copy"): "an ID",
    ("access/passkeys.py", "_trusted", "an answer of a passkey is refused: %s"): "it puts in which part does not fit",
    (
        "telemetry/tracing.py",
        "begin",
        "no traces: an OTEL_ variable names a receiver, but wetink[tracing] is not installed",
    ): "it is a fixed text",
    ("insights/periods.py", "_stored", "stored sums of reports cannot be used: %s"): POSTGRESQL,
    ("core/rules/evaluate.py", "judge", "a rule is evaluated again, to say what is wrong"): TRACE,
    ("opens/lookup.py", "folded_at", "a summary cannot be read; the events say it all the same"): TRACE,
    ("store/postgresql/batch.py", "_apart", "one of many could not be written"): TRACE,
    ("store/postgresql/batch.py", "_flushed", "writing %s stumbled"): TRACE,
    ("store/postgresql/batch.py", "_log_lost", "%d %s are lost: %s"): POSTGRESQL,
    ("store/postgresql/batch.py", "_write", "%s wait to be written: %s"): POSTGRESQL,
    ("store/postgresql/catalog.py", "_followed", "what is newest of the catalog cannot be found yet: %s"): POSTGRESQL,
    ("store/postgresql/catalog.py", "learn", "%d products are not in the catalog, such as %.200r"): "a product's key",
    ("store/postgresql/catalog.py", "put", "%d products are not in the catalog, such as %.200r"): "a product's key",
    (
        "store/postgresql/database.py",
        "_make_partitions",
        "the next partitions of events were not made: %s",
    ): "it puts in an error's kind",
    ("store/postgresql/decisions.py", "_give_up", "decisions are written later: %s"): POSTGRESQL,
    ("store/postgresql/decisions.py", "_settle_alone", "a decision of %s could not be settled"): SHOP,
    ("store/postgresql/decisions.py", "_settle_together", "decisions cannot be settled together"): TRACE,
    ("store/postgresql/decisions.py", "settle", "a decision of %s could not be settled"): SHOP,
    ("store/postgresql/leases.py", "_renew", "the lease %r cannot be renewed: %s"): POSTGRESQL,
    ("store/postgresql/leases.py", "hold", "the lease %r was lost"): SHOP,
    (
        "store/postgresql/migrate.py",
        "_apply",
        "migrating the database: %03d %s",
    ): "the name of a file",
    ("store/postgresql/pictures.py", "_tidy", "%s"): POSTGRESQL,
    ("store/postgresql/pictures.py", "get", "%s"): POSTGRESQL,
    ("store/postgresql/sessions.py", "_note", "%s"): POSTGRESQL,
    ("store/postgresql/summaries.py", "_put", "a profile cannot be summarized"): TRACE,
    ("store/postgresql/writer.py", "_write", "nothing was written: %s"): POSTGRESQL,
    ("ending.py", "cancelled", "%s did not end within %g s: it is in %s"): ENDS,
    ("ending.py", "end", "this process ends although it is not done: %s; threads: %s"): ENDS,
    ("ending.py", "ended", "%s did not end within %g s: it is in %s"): ENDS,
    ("ending.py", "ended", "%s ended with an error"): TRACE,
    ("stream/apply.py", "_store_opens", "opens cannot be stored"): TRACE,
    (
        "store/postgresql/cluster.py",
        "recognize",
        "the database was restored from a dump: new messages follow the restored ones",
    ): "it puts in nothing",
    ("stream/apply.py", "_repeat", "partition %d waits"): TRACE,
    ("opens/open.py", "_stand_in", "%s shows a decision of the last minute"): SAID,
    ("stream/decisions.py", "_leave", "the store settles decisions: %s"): STREAM,
    ("stream/decisions.py", "_probe", "looking for the bucket"): TRACE,
    ("stream/apply.py", "_read", "a stream message cannot be read"): TRACE,
    ("stream/apply.py", "_repeat", "partition %d waits: %s"): STREAM,
    ("stream/apply.py", "_store_alone", "a message cannot be stored"): TRACE,
    ("stream/apply.py", "_store_messages", "messages cannot be stored together, so each is stored alone"): TRACE,
    ("stream/jetstream.py", "_started", "the stream: %s"): STREAM,
    ("stream/jetstream.py", "note", "the stream: %s"): STREAM,
    ("stream/opens.py", "_publish", "opens cannot be published"): TRACE,
    ("stream/opens.py", "_store", "opens wait in memory"): STREAM,
    ("columns/engine.py", "_with_view", "the columns cannot be read and are written again: %s"): SAID,
    ("columns/engine.py", "_try_to_write", "the columns are as before: %s"): SAID,
    (
        "columns/engine.py",
        "_write_alone",
        "all people are being laid out in columns: %s %%",
    ): "it puts in a number",
    ("content/versions.py", "_edited", "content: %s"): SHOP,
    ("ingest/catalog_imports.py", "_keep", "the state of an import cannot be stored: %s"): WORDS,
    ("ingest/catalog_imports.py", "_run", "an import of the catalog broke"): TRACE,
    ("feeds/uploads.py", "_show", "the upload %s is not in the folder: %s"): FILE,
    ("feeds/uploads.py", "take_in", "the upload %s cannot be taken in: %s"): FILE,
    ("content/versions.py", "_write_back", "version %d cannot be written to the content folder: %s"): FILE,
    ("feeds/personal.py", "_fetch", "feed %s has no answer"): SHOP,
    (
        "feeds/photos.py",
        "_fetch",
        "a photo of %s is not available",
    ): HOST,
    ("feeds/schedule.py", "_finished", "feed %s: %s"): SAID,
    ("feeds/schedule.py", "_refresh", "feed %s cannot be refreshed"): SHOP,
    ("feeds/snapshots.py", "_write", "the state of feed %s cannot be stored: %s"): FILE,
    ("render/countdowns.py", "_finished", "%s: %s"): SAID,
    ("render/countdowns.py", "_finished", "%s"): SAID,
    ("ingest/catalog_feeds.py", "take_in", "the catalog %s has %d products"): SHOP,
    ("insights/weekly.py", "step", "the weekly summary was not sent by %s"): "it puts in email or webhook",
    ("insights/health.py", "look", "no picture can be rendered: %s"): SAID,
    ("opens/prerender.py", "_made", "%s is a still picture: %s"): SAID,
    ("opens/prerender.py", "_made", "%s is a still picture"): SHOP,
    (
        "opens/geo.py",
        "_record",
        "%s is damaged (%s): some places stay empty",
    ): FILE,
    (
        "opens/audit.py",
        "_new",
        "block %s and those after it are accepted without a test render, which took too long",
    ): SHOP,
    ("opens/open.py", "picture", "%s shows a fallback"): SHOP,
    ("opens/secrets.py", "_write", "%s cannot be written: %s"): FILE,
    ("wiring.py", "take_in", "the content folder: %s"): SAID,
    ("opens/drawing.py", "_ticking", "a countdown is a still picture"): TRACE,
    ("store/sqlite/batch.py", "_run", "the thread that writes %s stumbled"): TRACE,
    ("store/sqlite/catalog.py", "_caught_up", "what is newest of the catalog cannot be found yet: %s"): SQLITE,
    ("store/sqlite/ledger.py", "_written", "a promise is written later: %s"): SQLITE,
    ("store/sqlite/leases.py", "_renew", "the lease %r was lost"): SHOP,
    ("store/sqlite/leases.py", "_written", "the lease %r cannot be written: %s"): SQLITE,
    ("store/sqlite/memberships.py", "settle", "of %d changes it is not noted what became of them: %s"): SQLITE,
    ("store/sqlite/pictures.py", "_last", "the last pictures cannot be read"): TRACE,
    ("store/sqlite/sessions.py", "_note", "the use of a session is not noted: %s"): SQLITE,
    ("store/sqlite/wal.py", "empty", "the log cannot be emptied"): TRACE,
    ("store/sqlite/wal.py", "sync_soon", "the kernel does not wait for this disk; a thread does"): TRACE,
    ("store/sqlite/wal.py", "_kernel", "the kernel does not wait for the disk; a thread does"): TRACE,
    ("store/sqlite/writer.py", "_refuse", "a request was not taken in: %s"): SQLITE,
    ("store/sqlite/writer.py", "_run", "the writer stumbled"): TRACE,
    ("store/sqlite/writer.py", "_give_up", "rollback failed"): TRACE,
    ("web/ingest.py", "_noted", "that the old key of a source was used is not noted: %s"): SAID,
    ("wiring.py", "has_owner", "the store does not say whether there is an owner: %s"): SQLITE,
    ("web/dashboard/access/forgotten.py", "_send", "a link for a new password was not sent: %s"): SAID,
    ("web/guard.py", "_write", "a change is missing from the audit log: %s"): SQLITE,
    ("web/health.py", "_reason", "a check of readiness failed"): TRACE,
    ("worker.py", "_wait", "the store does not open; wetink tries again every %g s: %s (%s)"): SQLITE,
    ("worker.py", "_wait", "the store is open"): "it puts in nothing",
    ("web/server.py", "_replace", "process %s %s; another takes its place"): "it puts in a number and a fixed text",
}
"""Calls that the bad day does not come by, and why each can tell of nobody."""


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heard]:
    log, heard = logging.getLogger("wetink"), Heard(KNOWN)
    before = log.level, log.propagate
    log.addHandler(heard)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        bad_day.live(tmp_path_factory.mktemp("day"))
        yield heard
    finally:
        log.removeHandler(heard)
        log.setLevel(before[0])
        log.propagate = before[1]


def test_log_calls_are_found_in_every_package() -> None:
    assert len(KNOWN) > 80
    assert {each.path.partition("/")[0] for each in KNOWN} >= {"core", "feeds", "opens", "store", "web", "wiring.py"}


@pytest.mark.parametrize("call", KNOWN, ids=lambda call: f"{call.path}:{call.first}")
def test_every_argument_of_a_log_call_is_classified(call: Call) -> None:
    assert set(call.arguments) <= ARGUMENTS.keys()
    assert "{" not in call.said or call.path == "core/errors.py", "a text that is made up before it is logged"


def test_every_classified_argument_still_belongs_to_a_log_call() -> None:
    assert ARGUMENTS.keys() == {each for call in KNOWN for each in call.arguments}


def test_every_log_call_is_reached_or_listed_as_free_of_personal_data(heard: Heard) -> None:
    names = {each.name for each in KNOWN}
    assert names - heard.reached - NOT_REACHED.keys() == set(), "a call nobody comes by: provoke it, or say why not"
    assert NOT_REACHED.keys() - names == set(), "there is no such call any more"
    by_now = {name for name in NOT_REACHED.keys() & heard.reached if name[0] != "store/sqlite/wal.py"}  # by the kernel
    assert by_now == set(), "it is come by"


def test_the_log_of_a_bad_day_holds_no_personal_data(heard: Heard) -> None:
    assert len(heard.lines) > 60
    assert [line for line in heard.lines if any(each in line for each in bad_day.SEEDED)] == []
    assert all(line.isprintable() for line in heard.lines)


def test_a_plain_formatter_logs_the_personal_data_of_a_bad_day(heard: Heard) -> None:
    told = "\n".join(heard.plain)
    assert [each for each in bad_day.SEEDED if each not in told] == []
