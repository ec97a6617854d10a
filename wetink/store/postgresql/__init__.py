"""PostgreSQL engine: all data in one database that any number of machines share."""

from wetink.store.postgresql.storage import holds_storage as holds_storage
from wetink.store.postgresql.storage import open_storage as open_storage
