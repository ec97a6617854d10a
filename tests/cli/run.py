"""Runs commands as a shell does, but in the test's own process: starting Python anew would take most of the time."""

import json
from pathlib import Path
from typing import Any

import httpcore
from click.testing import CliRunner

from tests.serving import Server
from wetink.cli import main

VIEW = {"type": "track", "userId": "42", "event": "product_viewed", "messageId": "m1",
        "timestamp": "2026-11-20T08:00:00Z",
        "properties": {"sku": "S", "name": "Mug", "url": "https://shop.example/mug"}}  # fmt: skip


def wetink(*arguments: str | Path, given: str = "", status: int = 0, **environment: str) -> str:
    """Run a command; return what it printed, on stderr when it is to fail."""
    words = [str(each) for each in arguments]
    done = CliRunner().invoke(main, words, input=given, env=environment, prog_name="wetink")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.stdout if status == 0 else done.stderr or done.stdout


def keys(data: Path, *more: str) -> Any:
    return json.loads(wetink("keys", "create", "shop", "--data", data, "--json", *more))


def post(server: Server, key: str, message: dict[str, Any]) -> None:
    with httpcore.ConnectionPool() as pool:
        body = json.dumps({**message, "writeKey": key}).encode()
        answer = pool.request("POST", f"{server.address}/v1/{message['type']}", content=body)
        assert answer.status == 200, answer.content
