"""Traces: an open and a message as spans that show where their time goes, and nothing about a person."""

import asyncio
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bench.load import request
from tests.web.scraped import basic, serving
from tests.web.sites import answer, site
from wetink.telemetry import tracing
from wetink.web.protocol import HttpProtocol

PERSON = "zuleika.quux@shop.example"
BLOCK = (
    "variants: [{name: seen, app: custom, template: hi.liquid}]\nrecipients: [email]\ndata: true\n"
    "fallback: {link: 'https://shop.example/', title: Hi}\nwidth: 200\nheight: 100\n"
)
TRACK = b'{"event": "Seen", "userId": "42", "traits": {"email": "zuleika.quux@shop.example"}}'
BATCH = b'{"batch": [{"type": "identify", "userId": "42"}]}'


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.begin({}, SimpleSpanProcessor(exporter))
    yield exporter
    tracing.end()


def ask(folder: Path, *requests: bytes) -> list[bytes]:
    """Return the answers of a server over real sockets."""
    (folder / "content" / "blocks").mkdir(parents=True)
    (folder / "content" / "templates").mkdir()
    (folder / "content" / "blocks" / "hero.yaml").write_text(BLOCK)
    (folder / "content" / "templates" / "hi.liquid").write_text("<p>{{ person.traits.email }}</p>")

    async def story() -> list[bytes]:
        async with site(folder) as made, made.connected(HttpProtocol) as (reader, writer):
            found = []
            for raw in requests:
                writer.write(raw.replace(b"KEY", made.key.encode()))
                found.append(await answer(reader))
            return found

    return asyncio.run(story())


def traces(exporter: InMemorySpanExporter, name: str) -> list[tuple[ReadableSpan, list[ReadableSpan]]]:
    """Return the root spans of a name with their children, by their start."""
    found = sorted(exporter.get_finished_spans(), key=lambda each: each.start_time or 0)
    roots = [each for each in found if each.parent is None and each.name == name]
    return [
        (root, [each for each in found if each.parent is not None and each.parent.span_id == root.context.span_id])
        for root in roots
    ]


@pytest.mark.parametrize(
    ("raw", "root", "steps"),
    [
        (request("POST", "/v1/track", TRACK, authorization="KEY"), "message", ["parse", "append"]),
        (request("POST", "/v1/batch", BATCH, authorization="KEY"), "batch", ["parse", "append"]),
        (request("GET", f"/d/hero.json?email={PERSON}"), "data", ["load", "decide", "encode"]),
        (
            request("GET", f"/o/hero/1.jpg?email={PERSON}"),
            "picture",
            ["load", "decide", "settle", "wait for a drawer", "draw", "encode"],
        ),
        (request("GET", f"/c/hero/1?email={PERSON}"), "click", ["load", "decide"]),
    ],
)
def test_a_request_is_a_trace_of_its_steps(
    tmp_path: Path, spans: InMemorySpanExporter, raw: bytes, root: str, steps: list[str]
) -> None:
    ask(tmp_path, raw)
    span, inner = traces(spans, root)[-1]
    assert [name for name in steps if name not in {each.name for each in inner}] == []
    assert {each.name for each in inner} <= set(steps)
    for each in inner:
        assert (span.start_time or 0) - 1_000_000 <= (each.start_time or 0) <= (each.end_time or 0), each.name
        assert (each.end_time or 0) <= (span.end_time or 0) + 1_000_000, each.name


def test_each_message_is_a_trace_of_its_own(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    ask(tmp_path, *[request("POST", "/v1/track", TRACK, authorization="KEY")] * 3)
    found = traces(spans, "message")
    assert len(found) == 4, "with the first one of the site"
    assert all([each.name for each in inner] == ["parse", "append"] for _, inner in found)


def test_a_trace_has_a_status_an_outcome_and_a_request_id_but_no_personal_data(
    tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    given = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
    ask(
        tmp_path,
        request("GET", f"/o/hero/1.jpg?email={PERSON}&c=zuleika", **{"x-request-id": given}),
        request("POST", "/v1/track", TRACK, authorization="KEY"),
        request("GET", f"/d/{PERSON}.json"),
    )
    picture, _ = traces(spans, "picture")[0]
    assert dict(picture.attributes or {}) == {
        "wetink.request_id": given,
        "wetink.outcome": "decided",
        "http.response.status_code": 200,
    }
    text = "".join(each.to_json() for each in spans.get_finished_spans()).lower()
    assert [word for word in ("zuleika", "quux", "shop.example", '"42"') if word in text] == []


RECEIVER = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": RECEIVER, "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": RECEIVER, "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    ],
)
def test_nothing_is_imported_unless_a_receiver_is_named(environment: dict[str, str]) -> None:
    script = (
        "import sys; import wetink.web.server; from wetink.telemetry import tracing;"
        f" tracing.begin({environment!r}); print(tracing.tracer);"
        " print(any(name.partition('.')[0] == 'opentelemetry' for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "False"]


def test_a_server_without_the_extra_starts_and_names_it() -> None:
    script = (
        "import sys; sys.modules['opentelemetry'] = None; from wetink.telemetry import tracing;"
        f" tracing.begin({{'OTEL_EXPORTER_OTLP_ENDPOINT': '{RECEIVER}'}}); print(tracing.tracer)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"
    assert "wetink[tracing] is not installed" in done.stderr


def test_a_real_server_exports_to_the_address_of_the_standard_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[ExportTraceServiceRequest] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            got.append(ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{receiver.server_address[1]}")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
        with serving(tmp_path / "data") as house:
            assert house.ask("POST", "/v1/track", TRACK, authorization=basic(house.key))[0] == 200
            assert house.ask("GET", "/o/hero/1.jpg?user=42")[0] == 200
        receiver.shutdown()
    found = [each for request in got for each in request.resource_spans]
    names = {span.name for each in found for scope in each.scope_spans for span in scope.spans}
    resources = {(pair.key, pair.value.string_value) for each in found for pair in each.resource.attributes}
    assert {"message", "parse", "append", "picture", "load", "decide"} <= names
    assert {("service.name", "wetink"), ("deployment.environment", "test")} <= resources
