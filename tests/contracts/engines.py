"""Every storage engine there is, as what opens it in a folder. The contract runs on each."""

import os
from collections.abc import Callable
from pathlib import Path

from tests import postgresql, storage
from wetink.ports import Storage
from wetink.ports.moving import Moving

ALL: dict[str, Callable[..., Storage]] = {"sqlite": storage.opened, "postgresql": postgresql.opened}
"""Each opens a folder, as `tests.storage.opened` does."""
ENGINES = {name: ALL[name] for name in os.environ.get("ENGINES", "sqlite,postgresql").split(",")}


def moving(engine: str, folder: Path) -> Moving:
    """Return all data of what an engine keeps for a folder, for a move."""
    return (postgresql if engine == "postgresql" else storage).moving(folder)
