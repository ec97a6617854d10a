"""A real server of two processes with /metrics, for the tests of those."""

import base64
import contextlib
import http.client
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving import Server
from tests.web.keys import key_in

TOKEN = "the-scrape-token"
BLOCK = (
    "variants: [{name: seen, app: last-viewed}]\nfallback: {link: 'https://shop.example/', title: Hi}\n"
    "recipients: [user]\ndata: true\nwidth: 200\nheight: 100\n"
)


FILES = {
    "content/blocks/hero.yaml": BLOCK,
    "content/feeds/stores.yaml": "file: stores.csv\nformat: csv\n",
    "uploads/stores.csv": "name,city\nNorth,Berlin\n",
}


class House:
    """A server of two processes, its write key, and the port of its metrics."""

    def __init__(self, server: Server, port: int, key: str) -> None:
        self.server, self.port, self.key = server, port, key

    def ask(self, method: str, path: str, body: bytes = b"", port: int = 0, **headers: str) -> tuple[int, bytes]:
        there = http.client.HTTPConnection("127.0.0.1", port or self.server.port, timeout=60)
        try:
            there.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            got = there.getresponse()
            return got.status, got.read()
        finally:
            there.close()

    def scrape(self, **headers: str) -> tuple[int, bytes]:
        return self.ask("GET", "/metrics", port=self.port, **headers)

    def numbers(self) -> dict[str, float]:
        """Return each sample of a scrape by its name with its labels."""
        status, body = self.scrape(authorization=f"Bearer {TOKEN}")
        assert status == 200
        found = {}
        for family in text_string_to_metric_families(body.decode()):
            for sample in family.samples:
                labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
                found[f"{sample.name}{{{labels}}}"] = sample.value
        return found

    def wait(self, holds: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        """Return the first scrape for which `holds`."""
        until = time.monotonic() + 60
        while not holds(found := self.numbers()):
            assert time.monotonic() < until, found
            time.sleep(0.1)
        return found


@contextlib.contextmanager
def serving(data: Path, settings: Mapping[str, str] | None = None) -> Iterator[House]:
    """Serve a data folder with one block and one feed."""
    for name, text in FILES.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text)
    key = key_in(data)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WETINK_METRICS", f"127.0.0.1:{port}")
        patch.setenv("WETINK_METRICS_TOKEN", TOKEN)
        with Server(data, workers=2, settings=settings) as server:
            yield House(server, port, key)


def basic(key: str) -> str:
    """Return the header that authorizes messages of a write key."""
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()
