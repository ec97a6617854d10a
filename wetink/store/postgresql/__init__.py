"""PostgreSQL engine: all data in one database that any number of machines share."""

from wetink.store.engine import Engine
from wetink.store.postgresql.storage import holds_storage, open_moving, open_storage

ENGINE = Engine(open_storage, holds_storage, open_moving)
