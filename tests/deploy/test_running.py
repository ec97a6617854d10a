"""What the files in `deploy/` promise holds for running processes: health checks, a read-only root, restarts unseen."""

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpcore
import pytest
import yaml

from bench.program import free_port
from tests import postgresql
from tests.deploy.files import DEPLOY, instruction
from tests.serving import Server
from tests.storage import opened
from tests.web.keys import key_in

BLOCK = """
recipients: [user]
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/"}
"""
NAMES = ("ingest-0", "ingest-1", "open-0", "open-1", "dashboard-0")
ALONE = "mount --make-rprivate / && mount -o remount,ro,bind / && exec "
"""Gives a process a root that nobody can write to. What is mounted below it stays as it is."""


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


def test_the_health_check_of_the_image_finds_a_process_and_misses_one(tmp_path: Path) -> None:
    said = instruction("HEALTHCHECK")
    command = [sys.executable, *yaml.safe_load(said[said.index("[") :])[1:]]

    def checked(port: int) -> int:
        asked = [text.replace(":8000/", f":{port}/") for text in command]
        return subprocess.run(asked, capture_output=True, timeout=30, check=False).returncode

    with Server(tmp_path / "data", workers=1, settings={"role": "ingest"}) as server:
        assert checked(server.port) == 0
    assert checked(server.port) != 0


def can_unshare() -> bool:
    command = ["unshare", "--mount", "sh", "-c", f"{ALONE} true"]
    try:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not can_unshare(), reason="this user may not make a mount namespace")
def test_wetink_needs_no_more_than_its_folders_on_a_read_only_root(tmp_path: Path) -> None:
    """The folder of the test is a mount of its own here, as the data folder and `/tmp` are in a container."""
    shown, scratch = tmp_path / "shown", tmp_path / "scratch"
    scratch.mkdir()
    command = shlex.join([sys.executable, "-P", "-m", "wetink", "demo", "--once", str(shown)])
    own = f"mount --bind {shlex.quote(str(tmp_path))} {shlex.quote(str(tmp_path))} && "
    script = ALONE.replace("&& mount -o", f"&& {own} mount -o")
    known = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(scratch), "TMPDIR": str(scratch)}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{script} sh -c '! touch /x && exec {command}'"],
        cwd=tmp_path,
        env=known,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Read-only file system" in done.stderr, "the root could not be written to"
    assert len(list(shown.glob("*.jpg"))) > 3


@contextmanager
def proxied(folder: Path, **addresses: str) -> Iterator[str]:
    """Run Caddy with the file that we ship. Yields the address of the site."""
    site = f"http://127.0.0.1:{free_port()}"
    known = {**os.environ, **addresses, "WETINK_SITE": site, "HOME": str(folder)}
    known["CADDY_ADMIN"] = f"127.0.0.1:{free_port()}"
    command = [Path(sys.executable).parent / "caddy", "run", "--config", DEPLOY / "Caddyfile"]
    with (folder / "caddy.log").open("wb") as log, subprocess.Popen(command, env=known, stderr=log) as caddy:
        try:
            yield site
        finally:
            caddy.terminate()
            caddy.wait(20)


class Load(threading.Thread):
    """Repeats a request until it is told to end, and notes each status that is not 200."""

    def __init__(self, make: Callable[[int], tuple[str, str, bytes]], site: str) -> None:
        super().__init__(daemon=True)
        self._make, self._site, self.done, self.wrong, self.ending = make, site, 0, list[object](), threading.Event()

    def run(self) -> None:
        with httpcore.ConnectionPool(retries=0) as http:
            while not self.ending.wait(0.01):
                method, path, body = self._make(self.done)
                try:
                    status: object = http.request(method, self._site + path, content=body or None).status
                except Exception as error:
                    status = error
                self.done += 1
                if status != 200:
                    self.wrong.append(status)


def test_a_restart_of_one_of_two_processes_behind_the_proxy_fails_no_request(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "content" / "blocks").mkdir(parents=True)
    (data / "content" / "blocks" / "seen.yaml").write_text(BLOCK)
    key = key_in(data)
    ports = {name: free_port() for name in NAMES}

    def server(name: str) -> Server:
        settings = {"role": name.partition("-")[0], "drain_seconds": "2", "trusted_proxies": "127.0.0.0/8"}
        return Server(data, workers=1, log=tmp_path / f"{name}.log", settings=settings, port=ports[name])

    def message(number: int) -> tuple[str, str, bytes]:
        said = {"userId": f"u{number % 7}", "event": "Product Viewed", "messageId": f"m{number}", "writeKey": key}
        return "POST", "/v1/track", json.dumps({**said, "properties": {"sku": f"s{number % 5}"}}).encode()

    with ExitStack() as stack:
        with ThreadPoolExecutor() as pool:
            servers = dict(zip(NAMES, pool.map(lambda name: stack.enter_context(server(name)), NAMES), strict=True))
        places: dict[str, list[str]] = {}
        for name, port in ports.items():
            places.setdefault(f"WETINK_{name.partition('-')[0].upper()}", []).append(f"127.0.0.1:{port}")
        site = stack.enter_context(proxied(tmp_path, **{name: " ".join(each) for name, each in places.items()}))
        http = stack.enter_context(httpcore.ConnectionPool(retries=5))
        for path in ("/dashboard/login", "/o/seen/1.jpg?user=u1", "/v1/projects/KEY/settings"):
            until(lambda path=path: http.request("GET", site + path.replace("KEY", key)).status == 200)
        assert http.request("GET", f"{site}/readyz").status == 404, "the world does not see it"

        loads = [Load(message, site), Load(lambda number: ("GET", f"/o/seen/1.jpg?user=u{number % 7}", b""), site)]
        for load in loads:
            load.start()
        for name in ("ingest-0", "open-0"):
            servers[name].process.send_signal(signal.SIGTERM)
            assert servers[name].process.wait(30) == 0
            servers[name].__exit__(None, None, None)
            servers[name] = stack.enter_context(server(name))
            ready = f"{servers[name].address}/readyz"
            until(lambda ready=ready: http.request("GET", ready).status == 200)
            time.sleep(1.5)  # until the proxy has asked it as well
        for load in loads:
            load.ending.set()
            load.join(30)
        for each in servers.values():  # they drain side by side
            each.process.terminate()
    assert [load.wrong for load in loads] == [[], []]
    assert min(load.done for load in loads) > 100
    assert asyncio.run(stored(data)) == loads[0].done


def test_opens_are_answered_behind_the_proxy_while_the_database_is_down(tmp_path: Path) -> None:
    database = postgresql.Server()
    with ExitStack() as stack:
        stack.callback(database.remove)
        database.sql("CREATE DATABASE shop")
        servers = {}
        for role in ("ingest", "open"):
            (tmp_path / role / "content" / "blocks").mkdir(parents=True)
            (tmp_path / role / "content" / "blocks" / "seen.yaml").write_text(BLOCK)
            settings = {"role": role, "store": database.address("shop"), "trusted_proxies": "127.0.0.0/8"}
            log = tmp_path / f"{role}.log"
            servers[role] = stack.enter_context(Server(tmp_path / role, workers=1, log=log, settings=settings))
        places = {f"WETINK_{role.upper()}": f"127.0.0.1:{each.port}" for role, each in servers.items()}
        site = stack.enter_context(proxied(tmp_path, WETINK_DASHBOARD="127.0.0.1:9", **places))
        http = stack.enter_context(httpcore.ConnectionPool(retries=5))
        until(lambda: http.request("GET", f"{site}/o/seen/1.jpg?user=u1").status == 200)
        until(lambda: http.request("GET", f"{servers['ingest'].address}/readyz").status == 200)

        database.stop()
        until(lambda: http.request("GET", f"{servers['ingest'].address}/readyz").status == 503)
        time.sleep(1.5)  # until the proxy has asked each of them again
        for number in range(5):
            picture = http.request("GET", f"{site}/o/seen/1.jpg?user=u{number}")
            assert (picture.status, picture.content[:3]) == (200, b"\xff\xd8\xff")
        told = json.loads(http.request("GET", f"{servers['open'].address}/readyz").content)
        assert (told["status"], list(told["without"])) == ("ready", ["store"])


async def stored(data: Path) -> int:
    """Return the number of messages in the log."""
    store = opened(data)
    found, cursor = 0, await store.log.cursor(0)
    while True:
        cursor, messages = await store.log.read(cursor, 500)
        if not messages:
            await store.close()
            return found
        found += len(messages)
