"""What the clients of model providers share: the SDK, its exporter, and what was exported."""
import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from seen import Seen

MODELS = os.environ["CLIENT_MODELS"]  # base address of the provider
TOOL = {"name": "weather", "description": "Weather of a city."}
TOOL_INPUT = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
seen = Seen()


def provider(service):
    traces = TracerProvider(resource=Resource.create({"service.name": f"client-{service}"}))
    traces.add_span_processor(seen)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(traces)
    return traces


def finish(traces, least):
    """Sends what is left, tells what was sent, and ends without the libraries' own goodbyes."""
    traces.shutdown()
    assert len(seen.spans) >= least, len(seen.spans)
    seen.tell()
    os._exit(0)
