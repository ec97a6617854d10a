"""Python: how a process of our own is started, so that it is the wetink that runs, whatever folder one stands in.

`python -m` looks into the current folder first: a folder there called `wetink`, or a file called `json.py`, would be
taken for ours.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import wetink

KNOWN = ("PATH", "LANG", "LC_ALL", "HOME", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
"""What such a process may know of our environment: nothing secret, and nothing that changes what it imports."""

SAFE_PATH = "PYTHONSAFEPATH"
"""The variable that keeps Python from looking into the current folder, also in processes started by others for us."""


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment it runs in, with `more` of it."""
    known = {name: os.environ[name] for name in KNOWN if name in os.environ}
    return {**known, SAFE_PATH: "1", "PYTHONPATH": str(Path(wetink.__file__).parent.parent), **(more or {})}
