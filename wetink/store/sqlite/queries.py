"""Named queries: SQL stays in `.sql` files, read once."""

from importlib.resources import files
from types import SimpleNamespace


def read(name: str) -> SimpleNamespace:
    """Return the queries of a `.sql` file of this package as attributes, by the names in its `-- name:` lines."""
    queries: dict[str, str] = {}
    for part in files(__package__).joinpath(name).read_text("utf-8").split("-- name:")[1:]:
        head, _, body = part.partition("\n")
        queries[head.split()[0]] = body.strip()
    return SimpleNamespace(**queries)


def script(name: str) -> str:
    """Return a `.sql` file of this package whole."""
    return files(__package__).joinpath(name).read_text("utf-8")
