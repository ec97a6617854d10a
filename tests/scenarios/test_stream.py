"""A stream in front of the store: processes of each role act as one wetink, and an event is shown once it is stored."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpcore

from tests.jetstream import cluster
from tests.serving import Server
from tests.storage import opened
from wetink.web.request import now_ms

BLOCK = """
data: true
recipients: [user]
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/"}
"""
PATIENCE_SECONDS = 30.0


def ask(http: httpcore.ConnectionPool, server: Server, method: str, path: str, body: object = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    answer = http.request(method, server.address + path, content=content)
    assert answer.status == 200, answer.content
    return json.loads(answer.content)


def test_an_event_taken_in_by_one_process_is_shown_by_another(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "content" / "blocks").mkdir(parents=True)
    (data / "content" / "blocks" / "seen.yaml").write_text(BLOCK)
    key = asyncio.run(opened(data, now_ms).sources.create_key("shop", "server", (), now_ms())).write_key
    with cluster() as nodes, httpcore.ConnectionPool() as http:
        log = f"{nodes.address}?monitoring=http://127.0.0.1:{nodes.nodes[0].monitor}"
        roles = [Server(data, workers=1, settings={"role": role, "log": log}) for role in ("ingest", "worker", "open")]
        with roles[0] as ingest, roles[1] as worker, roles[2] as opens:
            assert ask(http, worker, "GET", "/readyz")["roles"] == ["worker"]
            product = {"sku": "S-1", "url": "https://shop.example/s-1", "name": "Blue mug", "price": 9}
            sent = {"userId": "jane", "event": "Product Viewed", "properties": product, "writeKey": key}
            for number in range(20):
                ask(http, ingest, "POST", "/v1/track", {**sent, "messageId": f"m{number}"})
            end = time.monotonic() + PATIENCE_SECONDS
            while "Blue mug" not in json.dumps(shown := ask(http, opens, "GET", "/d/seen.json?user=jane")):
                assert time.monotonic() < end, shown
                time.sleep(0.05)
