"""Inspection: the facts about the files of a folder."""

from pathlib import Path

from wetink.store.sqlite.connection import in_thread, translated


class SQLiteInspection:
    """`ports.inspection.Inspection` over the files of a folder."""

    def __init__(self, folder: Path) -> None:
        """Report on the files in `folder`."""
        self._folder = folder

    @in_thread
    def sizes(self) -> dict[str, int]:
        with translated("measuring the files"):
            found: dict[str, int] = {}
            for path in sorted(self._folder.glob("*.db*")):
                name = path.name.partition(".")[0]
                found[name] = found.get(name, 0) + _size(path)
            return found


def _size(path: Path) -> int:
    """Return a file's size in bytes; 0 if another process has just removed it."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
