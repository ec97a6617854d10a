"""A backup of a server under load, restored elsewhere, has every message that was acknowledged before it began."""

import asyncio
import http.client
import itertools
import json
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from tests.cli.run import wetink
from tests.serving import Server
from tests.web.keys import key_in
from tests.web.scraped import FILES, basic
from wetink.core.identity.identifier import Identifier
from wetink.settings import read
from wetink.wiring import Wetink

PEOPLE = 40
MUG = {"sku": "S", "name": "Mug", "price": 12, "currency": "EUR", "url": "https://shop.example/mug"}


def message(number: int) -> bytes:
    """Return a message of a shopper; every fifth joins a visitor to a customer, so that identity changes."""
    who = {"anonymousId": f"a{number % PEOPLE}"} | ({"userId": f"u{number % PEOPLE}"} if number % 5 == 0 else {})
    body = {"event": "Product Viewed", "messageId": f"m{number}", "properties": MUG, **who}
    return json.dumps(body).encode()


class Load:
    """Two senders and a reader of emails. `acked` has the time of each message's acknowledgment."""

    def __init__(self, server: Server, key: str, token: str, numbers: int = 0) -> None:
        self._server, self._key, self._token = server, basic(key), token
        self.acked: dict[str, float] = {}
        self.failed: list[str] = []
        self._numbers, self._stop = itertools.count(numbers), threading.Event()
        self._threads = [
            threading.Thread(target=self._send),
            threading.Thread(target=self._send),
            threading.Thread(target=self._open),
        ]

    def _send(self) -> None:
        there = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        while not self._stop.is_set():
            number = next(self._numbers)
            there.request("POST", "/v1/track", message(number), {"authorization": self._key})
            got = there.getresponse()
            got.read()
            if got.status == 200:
                self.acked[f"m{number}"] = time.monotonic()
            else:
                self.failed.append(f"{number}: {got.status}")
        there.close()

    def _open(self) -> None:
        there = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        while not self._stop.is_set():
            there.request("GET", f"/d/hero/{self._token}.json")
            got = there.getresponse()
            got.read()
            if got.status != 200:
                self.failed.append(f"open: {got.status}")
        there.close()

    def wait(self, count: int) -> None:
        until = time.monotonic() + 60
        while len(self.acked) < count:
            assert time.monotonic() < until, self.failed[:3]
            time.sleep(0.01)

    def wait_for_refusals(self) -> None:
        until = time.monotonic() + 60
        while not any(each.endswith("503") for each in self.failed):
            assert time.monotonic() < until
            time.sleep(0.01)

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(60)


def prepared(data: Path) -> tuple[str, str]:
    """Make a data folder with a block and a feed; return a write key, and a token for the block as in an email."""
    for name, text in FILES.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text)
    key = key_in(data)

    async def sealed() -> str:
        async with Wetink(read({}, data=data), draws=False) as made:
            return made.seals.seal(Identifier("user", "u0"), "hero", "data")

    return key, asyncio.run(sealed())


def stored(data: Path) -> dict[str, bytes]:
    """Return the messages of a data folder by ID."""

    async def story() -> dict[str, bytes]:
        async with Wetink(read({}, data=data), draws=False) as made:
            found = await made.store.log.messages(limit=1_000_000)
            return {each.message_id: each.raw for each in found}

    return asyncio.run(story())


def test_a_backup_under_load_has_every_message_acknowledged_before_it_began(tmp_path: Path) -> None:
    data, target, restored = tmp_path / "data", tmp_path / "backup", tmp_path / "restored"
    key, token = prepared(data)
    with Server(data, workers=2) as server:
        load = Load(server, key, token)
        with load.running():
            load.wait(300)
            begun = time.monotonic()
            told = wetink("backup", target, "--data", data)
            load.wait(len(load.acked) + 50)  # the server goes on
    assert load.failed == []
    assert f"{target}: " in told
    assert "messages" in told

    wetink("restore", target, "--data", restored)
    found = stored(restored)
    before, sent = {id_ for id_, at in load.acked.items() if at < begun}, stored(data)
    assert len(before) >= 300
    assert before - found.keys() == set(), "an acknowledged message is lost"
    assert {id_: found[id_] for id_ in found} == {id_: sent[id_] for id_ in found}, "each is what was sent"
    with Server(restored, workers=1) as server:
        there = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        there.request("GET", f"/d/hero/{token}.json")
        opened = json.loads(there.getresponse().read())
        assert [item["product"]["name"] for item in opened["items"]] == ["Mug"], (
            "links of sent emails lead to the person"
        )
        there.request("POST", "/v1/track", message(1_000_000), {"authorization": basic(key)})
        assert there.getresponse().status == 200, "keys of sources go on"
        there.close()
    assert "m1000000" in stored(restored)


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a data folder with 20 messages."""
    folder = tmp_path_factory.mktemp("kept")
    key, _ = prepared(folder / "data")
    with Server(folder / "data", workers=1) as server:
        there = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for number in range(20):
            there.request("POST", "/v1/track", message(number), {"authorization": basic(key)})
            there.getresponse().read()
        there.close()
    wetink("backup", folder / "backup", "--data", folder / "data")
    return folder / "backup"


def test_a_restored_folder_has_content_uploads_and_secrets_and_lets_nobody_else_read_them(
    backup: Path, tmp_path: Path
) -> None:
    wetink("restore", backup, "--data", tmp_path / "restored")
    for name in ("content/blocks/hero.yaml", "content/feeds/stores.yaml", "uploads/stores.csv"):
        assert (tmp_path / "restored" / name).read_text() == FILES[name]
    for path in [tmp_path / "restored", *(tmp_path / "restored").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    one, other = (
        wetink("keys", "seals", "--data", folder) for folder in (backup.parent / "data", tmp_path / "restored")
    )
    assert one == other


@pytest.mark.parametrize("name", ["backup.tar", "backup.tar.gz", "backup.tgz"])
def test_a_backup_in_one_file_is_restored_as_well(backup: Path, tmp_path: Path, name: str) -> None:
    wetink("backup", tmp_path / name, "--data", backup.parent / "data")
    assert (tmp_path / name).stat().st_mode & 0o077 == 0
    wetink("restore", tmp_path / name, "--data", tmp_path / "restored")
    assert stored(tmp_path / "restored") == stored(backup.parent / "data")
    assert {path.name for path in tmp_path.iterdir()} == {name, "restored"}, "nothing is left behind"


def test_a_restored_folder_signs_nobody_in_and_holds_no_lease(backup: Path, tmp_path: Path) -> None:
    wetink("restore", backup, "--data", tmp_path / "restored")
    names = {path.name for path in (tmp_path / "restored").iterdir()}
    assert names & {"sessions.db", "leases.db", "pictures.db"} == set()


def test_no_side_file_is_newer_than_the_messages(backup: Path) -> None:
    manifest = json.loads((backup / "backup.json").read_text())
    stores = [name for name in manifest["files"] if name.endswith(".db")]
    assert stores, manifest
    times = {name: (backup / name).stat().st_mtime_ns for name in stores}
    assert max(times, key=lambda name: times[name]) == "wetink.db", "it is copied last"


def test_a_store_in_a_folder_of_its_own_is_restored_there(backup: Path, tmp_path: Path) -> None:
    elsewhere = {"WETINK_STORE": f"sqlite:///{tmp_path}/store"}
    wetink("restore", backup, "--data", tmp_path / "data", **elsewhere)
    assert (tmp_path / "store" / "wetink.db").is_file()
    assert not [*(tmp_path / "data").glob("*.db")]
    assert "shop" in wetink("keys", "list", "--data", tmp_path / "data", **elsewhere)


def test_a_folder_with_files_is_never_overwritten(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "wetink.db").write_text("mine")
    assert "is not empty" in wetink("restore", backup, "--data", tmp_path / "mine", status=1)
    assert "exists already" in wetink("backup", tmp_path / "mine", "--data", backup.parent / "data", status=1)
    assert (tmp_path / "mine" / "wetink.db").read_text() == "mine"


def _flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 0xFF
    path.write_bytes(body)


def _newer(path: Path) -> None:
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "format": 99}))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda at: _flip(at / "wetink.db"), "wetink.db is damaged"),
        (lambda at: _flip(at / "secrets.db"), "secrets.db is damaged"),
        (lambda at: (at / "content.db").unlink(), "lacks files"),
        (lambda at: (at / "more.db").write_bytes(b""), "others than its list"),
        (lambda at: (at / "backup.json").unlink(), "is not a wetink backup"),
        (lambda at: (at / "backup.json").write_text("{"), "is not a wetink backup"),
        (lambda at: _newer(at / "backup.json"), "restore it with that version or later"),
    ],
    ids=["a message", "a secret", "a file less", "a file more", "no list", "half a list", "a newer format"],
)
def test_a_damaged_backup_is_refused_and_makes_no_folder(
    backup: Path, tmp_path: Path, damage: Callable[[Path], object], told: str
) -> None:
    shutil.copytree(backup, tmp_path / "backup")
    damage(tmp_path / "backup")
    assert told in wetink("restore", tmp_path / "backup", "--data", tmp_path / "restored", status=1)
    assert not (tmp_path / "restored").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["backup"], "nothing is left behind"


def test_a_damaged_store_makes_no_backup(backup: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(backup, data)
    (data / "backup.json").unlink()
    db = apsw.Connection(str(data / "wetink.db"))
    db.execute("CREATE TABLE odd (a); CREATE INDEX odd_a ON odd (a); INSERT INTO odd VALUES (1), (2)")
    turned = "UPDATE sqlite_schema SET sql = 'CREATE INDEX odd_a ON odd (a DESC)' WHERE name = 'odd_a'"
    db.execute(f"PRAGMA writable_schema = ON; {turned}")
    db.close()
    assert "wetink.db is damaged" in wetink("backup", tmp_path / "made", "--data", data, status=1)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("body", [b"", b"nothing", b"\x1f\x8b\x08nothing"])
def test_a_file_that_is_no_backup_is_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "backup.tar.gz").write_bytes(body)
    assert "is not a wetink backup" in wetink(
        "restore", tmp_path / "backup.tar.gz", "--data", tmp_path / "restored", status=1
    )
    assert "does not exist" in wetink("restore", tmp_path / "nothing", "--data", tmp_path / "restored", status=1)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
@pytest.mark.parametrize("name", ["backup.tar", "backup.tar.gz"])
def test_half_a_file_is_refused_and_leaves_nothing(backup: Path, tmp_path: Path, name: str, share: float) -> None:
    wetink("backup", tmp_path / name, "--data", backup.parent / "data")
    body = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(body[: int(len(body) * share)])
    told = wetink("restore", tmp_path / name, "--data", tmp_path / "restored", status=1)
    assert "is not a wetink backup" in told or "lacks files" in told
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.xz", "a.tar.bz2"])
def test_a_name_of_another_kind_of_file_is_refused(backup: Path, tmp_path: Path, name: str) -> None:
    told = wetink("backup", tmp_path / name, "--data", backup.parent / "data", status=1)
    assert f"writes no {Path(name).suffix} files (name a .tar.gz file" in told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_command_that_is_interrupted_leaves_nothing(
    backup: Path, tmp_path: Path, command: str, number: signal.Signals
) -> None:
    data, place = tmp_path / "data", tmp_path / "place"
    shutil.copytree(backup.parent / "data", data)
    with (data / "uploads" / "large.csv").open("wb") as file:  # it takes a moment to copy
        file.truncate(200_000_000)
    words = ["backup", str(place / "made"), "--data", str(data)]
    if command == "restore":
        wetink("backup", tmp_path / "large", "--data", data)
        words = ["restore", str(tmp_path / "large"), "--data", str(place / "made")]
    running = subprocess.Popen([sys.executable, "-m", "wetink", *words], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not place.exists() or not any(place.iterdir()):
        assert time.monotonic() < until
        time.sleep(0.001)
    running.send_signal(number)
    _, error = running.communicate(timeout=60)
    assert running.returncode == {signal.SIGINT: 1, signal.SIGTERM: 143}[number], error
    assert "Traceback" not in error
    assert [*place.iterdir()] == []


def tar_info(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, to
    return made


@pytest.mark.parametrize(
    "members",
    [
        [tar_info("../outside")],
        [tar_info("content/../../outside")],
        [tar_info("/{}/outside")],
        [tar_info("link", tarfile.SYMTYPE, ".."), tar_info("link/outside")],
        [tar_info("link", tarfile.LNKTYPE, "backup.json")],
        [tar_info("pipe", tarfile.FIFOTYPE)],
        [tar_info("twice"), tar_info("twice")],
    ],
    ids=lambda members: members[0].name.replace("/", " "),
)
def test_a_tar_with_more_than_files_in_folders_is_refused(
    backup: Path, tmp_path: Path, members: list[tarfile.TarInfo]
) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        tar.add(backup / "backup.json", "backup.json")
        for member in members:
            member.name = member.name.format(str(tmp_path).strip("/"))
            tar.addfile(member)
    (tmp_path / "new").mkdir()
    said = wetink("restore", tmp_path / "evil.tar", "--data", tmp_path / "new" / "restored", status=1)
    assert "is not a wetink backup: it has" in said
    assert not [*tmp_path.rglob("outside")]
    assert [*(tmp_path / "new").iterdir()] == []
