"""`wetink doctor` finds what is wrong with a wetink, says how to fix it, and repairs what can be derived again."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.cli.run import wetink
from tests.contracts.test_inspection import filled
from tests.web.scraped import serving
from wetink.settings import read
from wetink.wiring import Wetink


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a shop's messages, a block and a feed."""
    data = tmp_path_factory.mktemp("doctor") / "data"
    with serving(data) as house:  # it reads the feed
        house.wait(lambda numbers: "wetink_feed_age_seconds{feed=stores}" in numbers)

    async def fill() -> None:
        async with Wetink(read({}, data=data), draws=False) as made:
            await filled(made.store)

    asyncio.run(fill())
    wetink("backup", data.parent / "backup", "--data", data)
    return data


@pytest.fixture
def data(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "data")
    return tmp_path / "data"


def found(data: Path, *more: str, status: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Return the findings by check."""
    by_check: dict[str, list[dict[str, Any]]] = {}
    for each in json.loads(wetink("doctor", "--data", data, "--json", *more, status=status)):
        by_check.setdefault(each["check"], []).append(each)
    return by_check


def states(data: Path, *more: str, status: int = 0) -> dict[str, set[str]]:
    return {check: {each["state"] for each in some} for check, some in found(data, *more, status=status).items()}


ABOUT_THE_MACHINE = {"disk", "sync", "clock"}


@pytest.mark.parametrize("more", [(), ("--all",), ("--sample", "10")])
def test_a_whole_wetink_passes_every_check(data: Path, more: tuple[str, ...]) -> None:
    told = states(data, *more)
    checks = {"disk", "sync", "clock", "followers", "feeds", "backup", "keys", "content", "store", "drawing"}
    assert told.keys() == checks | {"identities", "catalog", "conversions"}
    assert {check: state for check, state in told.items() if state != {"ok"} and check not in ABOUT_THE_MACHINE} == {}


def test_each_check_is_one_line_with_its_remedy_below(data: Path) -> None:
    (data / "content" / "blocks" / "hero.yaml").write_text("variants: 3\n")
    lines = wetink("doctor", "--data", data, status=1).splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith("✗ content"))
    assert "hero" in lines[place]
    assert lines[place + 1].strip() == "→ Fix the file, or run `wetink rollback`."
    assert all(line[0] in "✓!✗ " for line in lines)


def damage(data: Path, *statements: str) -> None:
    """Change the store as no wetink would."""
    db = apsw.Connection(str(data / "wetink.db"))
    for statement in statements:
        db.execute(statement)
        assert db.changes() > 0, statement
    db.close()


WRONG = {
    "identities": "UPDATE holding SET owner = 'unobody' WHERE identifier = 'aa3'",
    "catalog": "DELETE FROM product WHERE key = 'S-1'",
    "conversions": "DELETE FROM outcome WHERE id LIKE '%o-3%'",
}


@pytest.mark.parametrize("part", WRONG)
def test_wrong_derived_data_is_found_and_repaired(data: Path, part: str) -> None:
    damage(data, WRONG[part])
    (finding,) = found(data, "--all", status=1)[part]
    assert finding["state"] == "problem"
    assert "differ from the stored ones" in finding["text"]
    assert "--repair" in finding["remedy"]
    assert states(data, "--all", status=1)[part] == {"problem"}, "looking changes nothing"
    assert states(data, "--all", "--repair")[part] == {"repaired"}
    assert states(data, "--all")[part] == {"ok"}


def test_followers_that_lag_or_are_ahead_of_the_log_are_repaired(data: Path) -> None:
    damage(data, "UPDATE catalog_cursor SET seq = 1000000")
    (finding,) = found(data, status=1)["followers"]
    assert finding == {
        "check": "followers",
        "state": "problem",
        "text": "catalog is ahead of the log",
        "remedy": "Run `wetink rebuild catalog`.",
    }
    assert "repaired" in states(data, "--repair")["followers"]
    assert states(data)["followers"] == {"ok"}
    damage(data, "UPDATE catalog_cursor SET seq = 0")
    assert found(data)["followers"][0]["text"] == "at most 120 messages behind"
    assert found(data, "--repair")["followers"][0]["text"] == "at most 0 messages behind"


def _overwrite(data: Path) -> None:
    path = data / "audiences.db"
    body = bytearray(path.read_bytes())
    body[4096:12288] = b"\xff" * 8192
    path.write_bytes(body)


def _no_database(data: Path) -> None:
    (data / "opens.db").write_bytes(b"no database at all" * 1000)


def _bad_block(data: Path) -> None:
    (data / "content" / "blocks" / "hero.yaml").write_text("variants: 3\n")


def _no_backup(data: Path) -> None:
    (data / "last-backup.json").unlink()


def _old_backup(data: Path) -> None:
    note = json.loads((data / "last-backup.json").read_text())
    (data / "last-backup.json").write_text(json.dumps({**note, "at": note["at"] - 20 * 86_400_000}))


def _no_upload(data: Path) -> None:
    (data / "content" / "feeds" / "more.yaml").write_text("file: more.csv\nformat: csv\n")


def _bad_seals(data: Path) -> None:
    db = apsw.Connection(str(data / "secrets.db"))
    db.execute("UPDATE secret SET value = 'nothing' WHERE name = 'seal.keys'")
    db.close()


def _no_secrets(data: Path) -> None:
    for path in data.glob("secrets.db*"):
        path.unlink()


def _old_key(data: Path) -> None:
    wetink("keys", "rotate", "shop", "--data", data)
    damage(data, "UPDATE source SET rotated = rotated - 40 * 86400000")


def _future(data: Path) -> None:
    damage(data, "UPDATE message SET received = received + 100 * 86400000 * 365")


@pytest.mark.parametrize(
    ("harm", "check", "state", "word"),
    [
        (_overwrite, "store", "problem", "audiences.db"),
        (_no_database, "store", "problem", "opens.db"),
        (_bad_block, "content", "problem", "hero"),
        (_no_backup, "backup", "warning", "no backup yet"),
        (_old_backup, "backup", "warning", "20 days old"),
        (_no_upload, "feeds", "problem", "more"),
        (_bad_seals, "store", "problem", "seal.keys is damaged"),
        (_no_secrets, "keys", "problem", "no keys that seal links"),
        (_old_key, "keys", "warning", "old key of shop"),
        (_future, "clock", "problem", "in the future"),
    ],
)
def test_harm_is_found_with_a_remedy(
    data: Path, harm: Callable[[Path], None], check: str, state: str, word: str
) -> None:
    harm(data)
    told = found(data, status=1 if state == "problem" else 0)[check]
    assert [each for each in told if each["state"] == state and word in each["text"] and each["remedy"]], told


def test_a_folder_that_is_no_data_folder_is_an_error(tmp_path: Path) -> None:
    assert "does not exist" in wetink("doctor", "--data", tmp_path / "nowhere", status=1)
