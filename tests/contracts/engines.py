"""Every storage engine there is, as what opens it in a folder. The contract runs on each."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw

from tests import postgresql, storage
from wetink.ports import Storage
from wetink.ports.moving import Moving

ALL: dict[str, Callable[..., Storage]] = {"sqlite": storage.opened, "postgresql": postgresql.opened}
"""Each opens a folder, as `tests.storage.opened` does."""
ENGINES = {name: ALL[name] for name in os.environ.get("ENGINES", "sqlite,postgresql").split(",")}


def moving(engine: str, folder: Path) -> Moving:
    """Return all data of what an engine keeps for a folder, for a move."""
    return (postgresql if engine == "postgresql" else storage).moving(folder)


def damage(engine: str, folder: Path, statement: str) -> None:
    """Change the rows of a folder as no wetink would."""
    if engine == "postgresql":
        changed = postgresql.shared().sql(f"{statement} RETURNING 1", postgresql.database_of(folder))
    else:
        with closing(apsw.Connection(str(folder / "wetink.db"))) as db:
            changed = str(list(db.execute(f"{statement} RETURNING 1")) or "")
    assert changed, statement
