"""Findings: each state of a server, judged, with a remedy beside every trouble."""

import pytest

from wetink.insights import findings
from wetink.insights.findings import DAY_MS, GB, Finding, worst
from wetink.insights.status import FeedStatus, Status
from wetink.ports.inspection import Replica
from wetink.ports.storage import Lease
from wetink.ports.stream import Backlog, StreamState

NOW = 1_795_000_000_000
WAITING = Backlog("opens", 0, 7, 1)
LEASES = (Lease("projections", "host:1:a", NOW + 15_000),)


def status(**more: object) -> Status:
    usual = {
        **{"lag": {"catalog": 0, "conversions": 0}, "leases": LEASES, "sizes": {"wetink": 5}},
        **{"feeds": (), "disk_free": 50 * GB, "disk_size": 100 * GB, "unread": {}},
    }
    return Status(**(usual | more))  # type: ignore[arg-type]


def of(made: Status, backed_up: int | None = NOW, *, backups: bool = True) -> dict[str, Finding]:
    found = list(findings.of_status(made, backups=backups, backed_up=backed_up, now=NOW))
    return {each.check: each for each in found}


@pytest.mark.parametrize(
    ("made", "check", "state", "word"),
    [
        (status(), "disk", "ok", "50.0 GB free of 100.0 GB"),
        (status(disk_free=9 * GB), "disk", "warning", "9.0 GB free"),
        (status(disk_free=4 * GB), "disk", "problem", "4.0 GB free"),
        (status(disk_free=GB, disk_size=4 * GB), "disk", "warning", "1.0 GB free"),
        (status(disk_free=0, disk_size=4 * GB), "disk", "problem", "0.0 GB free"),
        (status(), "followers", "ok", "at most 0"),
        (status(lag={"catalog": 10_000}), "followers", "ok", "at most 10,000"),
        (status(lag={"catalog": 10_001}), "followers", "warning", "catalog is 10,001 messages behind"),
        (status(lag={"catalog": 1, "conversions": 100_001}), "followers", "problem", "conversions is 100,001"),
        (status(lag={"catalog": 10_001}, leases=()), "followers", "problem", "10,001 messages behind"),
        (status(lag={"catalog": -3}), "followers", "problem", "catalog is ahead of the log"),
        (status(replicas=(Replica("b", 0.0), Replica("c", 2.4))), "replicas", "ok", "2 at most 2 s behind"),
        (status(replicas=(Replica("b", 12.0, "it is 12 s behind"),)), "replicas", "warning", "b: it is 12 s behind"),
        (status(stream=StreamState((WAITING,), {"opens": NOW - 9_000}, 0)), "stream", "ok", "7 stream messages wait"),
        (
            status(stream=StreamState((WAITING,), {"opens": NOW - 31_000}, 0)),
            "stream",
            "warning",
            "the oldest for 31 s",
        ),
        (status(stream=StreamState((WAITING,), {"opens": 0}, 0)), "stream", "problem", "the oldest for"),
        (status(stream=StreamState((), {}, 3)), "stream", "warning", "3 stream messages of the last 30 days"),
        (status(), "feeds", "ok", "none"),
        (status(feeds=(FeedStatus("a", "fresh", "", 5),)), "feeds", "ok", "1 with fresh data"),
        (status(feeds=(FeedStatus("a", "stale", "HTTP 500", 5),)), "feeds", "warning", "a: HTTP 500"),
        (status(feeds=(FeedStatus("a", "none", "", None),)), "feeds", "problem", "a: it has no data"),
        (status(unread={"lag": "the store is busy"}), "store", "problem", "lag cannot be read: the store is busy"),
    ],
)
def test_a_status_is_judged(made: Status, check: str, state: str, word: str) -> None:
    finding = of(made)[check]
    assert (finding.state, word in finding.text, bool(finding.remedy)) == (state, True, state != "ok"), finding


@pytest.mark.parametrize(
    ("days", "state", "text"),
    [
        (0, "ok", "the last one is less than a day old"),
        (1, "ok", "the last one is 1 day old"),
        (7, "ok", "the last one is 7 days old"),
        (8, "warning", "the last one is 8 days old"),
        (None, "warning", "no backup yet"),
    ],
)
def test_a_backup_grows_old(days: int | None, state: str, text: str) -> None:
    finding = of(status(), NOW - days * DAY_MS if days is not None else None)["backup"]
    assert (finding.state, finding.text) == (state, text)


def test_a_store_with_tools_of_its_own_needs_no_backup_of_ours() -> None:
    assert "backup" not in of(status(), None, backups=False)


@pytest.mark.parametrize(("seconds", "state"), [(0.001, "ok"), (0.021, "warning"), (0.2, "problem")])
def test_a_slow_disk_is_told(seconds: float, state: str) -> None:
    assert findings.of_sync(seconds).state == state


@pytest.mark.parametrize(
    ("newest", "synchronized", "state"),
    [
        (None, True, "ok"),
        (NOW, True, "ok"),
        (NOW + 59_000, None, "ok"),
        (NOW, False, "warning"),
        (NOW + 61_000, True, "problem"),
    ],
)
def test_a_clock_that_is_wrong_is_told(newest: int | None, synchronized: bool | None, state: str) -> None:
    assert findings.of_clock(NOW, newest, synchronized=synchronized).state == state


@pytest.mark.parametrize(
    ("states", "all_in_all"),
    [((), "ok"), (("ok",), "ok"), (("ok", "repaired"), "repaired"), (("warning", "problem"), "problem")],
)
def test_the_worst_finding_counts(states: tuple[findings.State, ...], all_in_all: str) -> None:
    assert worst([Finding("disk", state, "") for state in states]) == all_in_all
