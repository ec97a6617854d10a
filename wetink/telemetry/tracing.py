"""Tracing: where the time of an open or a message goes, as OpenTelemetry spans.

It needs `pip install 'wetink[tracing]'` and one of OpenTelemetry's own variables that name a receiver. Otherwise wetink
imports nothing of OpenTelemetry, and a step costs one comparison. A span has no value that a person or a sender chose.
"""

import logging
from collections.abc import Mapping
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

logger = logging.getLogger(__name__)

VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Variables that turn tracing on. The SDK reads these and all others of OpenTelemetry itself."""


class Trace:
    """The spans of one request."""

    def __init__(self, tracer: Any, name: str, request_id: bytes) -> None:
        """Begin the root span."""
        self._tracer, self._wall, self._begun = tracer, time_ns(), perf_counter()
        attributes = {"wetink.request_id": request_id.decode("ascii")}
        self._root = tracer.start_span(name, kind=_server(), attributes=attributes, start_time=self._wall)
        self._context = _context_of(self._root)

    def step(self, name: str, begun: float, ended: float) -> None:
        """Add a span. Both times are values of `perf_counter`."""
        self._tracer.start_span(name, self._context, start_time=self._at(begun)).end(self._at(ended))

    def note(self, name: str, value: str) -> None:
        """Add an attribute to the root span."""
        self._root.set_attribute(name, value)

    def end(self, status: int) -> None:
        """End the root span with the status of the answer."""
        self._root.set_attribute("http.response.status_code", status)
        self._root.end(self._at(perf_counter()))

    def _at(self, moment: float) -> int:
        return self._wall + round((moment - self._begun) * 1e9)


tracer: Any = None
"""OpenTelemetry's tracer; None while nothing is traced."""
_provider: "TracerProvider | None" = None


def begin(environment: Mapping[str, str], processor: "SpanProcessor | None" = None) -> None:
    """Trace from now on if the environment says so. `processor` replaces the export by OTLP."""
    global tracer, _provider
    if processor is None and not _wanted(environment):
        return
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
    except ImportError:
        logger.warning("no traces: an OTEL_ variable names a receiver, but wetink[tracing] is not installed")
        return
    named = "OTEL_SERVICE_NAME" in environment or "service.name" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    _provider = TracerProvider(resource=Resource.create({} if named else {"service.name": "wetink"}))
    _provider.add_span_processor(processor or _exporting())
    tracer = _provider.get_tracer("wetink")


def end() -> None:
    """Export the remaining spans and stop. Blocks for at most a few seconds."""
    global tracer, _provider
    if _provider is not None:
        _provider.shutdown()
    tracer = _provider = None


def _wanted(environment: Mapping[str, str]) -> bool:
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return any(environment.get(name) for name in VARIABLES)


def _exporting() -> "SpanProcessor":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter())


def _server() -> Any:
    from opentelemetry.trace import SpanKind

    return SpanKind.SERVER


def _context_of(span: Any) -> Any:
    from opentelemetry.trace import set_span_in_context

    return set_span_in_context(span)
