"""Queries: reads the `.sql` files of an engine's package."""

from functools import cache
from importlib.resources import files
from types import SimpleNamespace


def queries(package: str, name: str) -> SimpleNamespace:
    """Return the queries of a package's `.sql` file as attributes, by the names in its `-- name:` lines."""
    found: dict[str, str] = {}
    for part in script(package, name).split("-- name:")[1:]:
        head, _, body = part.partition("\n")
        found[head.split()[0]] = body.strip()
    return SimpleNamespace(**found)


@cache
def script(package: str, name: str) -> str:
    """Return the text of a package's `.sql` file."""
    return files(package).joinpath(name).read_text("utf-8")
