"""The default engine: SQLite files in one folder, shared by one process for each core, all equal."""

from wetink.store.sqlite.storage import folder_of, holds_storage, open_moving, open_storage

__all__ = ["folder_of", "holds_storage", "open_moving", "open_storage"]
