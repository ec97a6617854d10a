"""Uploads in SQLite: no parts of files that were replaced, or never finished, stay in the file."""

import asyncio
from pathlib import Path

import apsw

from wetink.store.sqlite.uploads import LEFT_MS, SQLiteUploads

NOW = 20_000 * 86_400_000


def parts(folder: Path) -> int:
    with apsw.Connection(str(folder / "uploads.db")) as db:
        [(count,)] = db.execute("SELECT count(*) FROM part")
    return int(count)


def test_parts_of_replaced_removed_and_unfinished_files_are_dropped(tmp_path: Path) -> None:
    async def story() -> None:
        uploads = SQLiteUploads(tmp_path)
        for _ in range(2):
            revision = await uploads.put("a.csv", iter([b"1", b"2"]), NOW)
        assert parts(tmp_path) == 2
        with apsw.Connection(str(tmp_path / "uploads.db")) as db:  # as a killed process leaves it
            db.execute("INSERT INTO part VALUES (?, 0, x'00')", (f"{NOW:013}-killed",))
        await uploads.put("b.csv", iter([b"1"]), NOW + LEFT_MS)
        assert parts(tmp_path) == 4, "it may be on its way in"
        await uploads.put("b.csv", iter([b"1"]), NOW + LEFT_MS + 1)
        assert parts(tmp_path) == 3
        await uploads.remove("a.csv", revision)
        assert parts(tmp_path) == 1
        await uploads.close()

    asyncio.run(story())
