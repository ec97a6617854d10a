"""The default engine: SQLite files in one folder, shared by one process for each core, all equal."""

from wetink.store.engine import Engine
from wetink.store.sqlite import backup
from wetink.store.sqlite.storage import folder_of, holds_storage, open_moving, open_storage

ENGINE = Engine(open_storage, holds_storage, open_moving, folder_of, backup.copy, backup.check)
