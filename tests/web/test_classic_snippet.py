"""The classic snippet in a real browser: a queue on the page, and the SDK from this server, which sends it all here."""

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.serving import Server
from tests.storage import opened
from wetink.ports import Storage
from wetink.web.request import now_ms

SNIPPET = """<!doctype html><title>Mugs</title><script>
(function (key, server) {
  var queue = (window.analytics = window.analytics || []);
  ["page", "track", "identify", "group", "alias", "ready", "on"].forEach(function (method) {
    queue[method] = function () { queue.push([method].concat([].slice.call(arguments))); return queue; };
  });
  queue._writeKey = key;
  var script = document.createElement("script");
  script.async = true;
  script.src = server + "/analytics.js/v1/" + key + "/analytics.min.js";
  document.head.appendChild(script);
})("KEY", "SERVER");
analytics.page();
analytics.identify("jane", { plan: "gold" });
analytics.track("Product Viewed", { sku: "S-1", url: "https://shop.example/s-1" });
</script>"""


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run in a thread of its own: the browser's driver has an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class _Page(BaseHTTPRequestHandler):
    def __init__(self, body: bytes, *args: Any) -> None:
        self._body = body
        super().__init__(*args)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(self._body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[str, str, Storage]]:
    """A shop's page at an address of its own, and the server and the store it sends to."""
    store = opened(tmp_path)
    key = run(store.sources.create_key("page", "browser", (), now_ms())).write_key
    with Server(tmp_path, workers=1) as server:
        body = SNIPPET.replace("KEY", key).replace("SERVER", server.address).encode()
        site = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Page, body))
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{site.server_port}/mugs", server.address, store
        finally:
            site.shutdown()
            thread.join()
            site.server_close()
    run(store.close())


def test_what_the_queue_holds_and_what_comes_later_is_stored(shop: tuple[str, str, Storage], chromium: Browser) -> None:
    address, server, store = shop
    context = chromium.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(lambda response: response.url.startswith(f"{server}/v1/t")):
        page.goto(address)
    with page.expect_response(lambda response: response.url.startswith(f"{server}/v1/t")) as answered:
        page.evaluate("analytics.track('Product Added', {sku: 'S-1', url: 'https://shop.example/s-1'})")
    assert answered.value.status == 200
    context.close()
    stored = run(store.log.messages(limit=50))
    assert sorted(each.name or each.type for each in stored) == ["Product Added", "Product Viewed", "identify", "page"]
    assert {each.verdict for each in stored} == {"usable"}
    added = json.loads(stored[0].raw)
    assert added["userId"] == "jane"
    assert added["context"]["page"]["url"] == address
    assert {url.split("/")[2] for url in asked} == {address.split("/")[2], server.split("/")[2]}, "nobody else is asked"
