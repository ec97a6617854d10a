"""The end of a process has a limit, whatever hangs on purpose, and its log names what did."""

import signal
import time
from pathlib import Path

import pytest

from tests.faults.hanging import HANG
from tests.serving import Server
from wetink.ending import GIVEN_UP
from wetink.worker import TASKS

SECONDS = 1 + 4 + 3.0
"""The limits in `tests.faults.hanging`, with a moment for the process itself."""


@pytest.mark.parametrize(
    ("hangs", "workers", "named"),
    [
        ("tasks", 1, [f"{task.name} did not end within" for task in TASKS]),
        ("store", 1, ["the store did not end within", "for_good"]),
        ("crowd,feeds,photos", 1, ["counts of people did not end", "feeds did not end", "photos did not end"]),
        ("thread", 1, ["uvloop_0 in"]),
        ("tasks", 2, ["metrics did not end"]),
        ("", 1, []),
    ],
)
def test_a_process_ends_in_time_and_names_what_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: str, workers: int, named: list[str]
) -> None:
    monkeypatch.setenv(HANG, hangs)
    log = tmp_path / "log"
    with Server(tmp_path / "data", workers=workers, log=log, module="tests.faults.hanging") as server:
        time.sleep(1.0)  # until each task has begun
        server.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert server.process.wait(SECONDS + 10) == (GIVEN_UP if hangs and workers == 1 else 0)
        assert time.monotonic() - begun < SECONDS
    said = log.read_text()
    assert [each for each in named if each not in said] == []
    assert ("ends although it is not done" in said) == bool(hangs), said
