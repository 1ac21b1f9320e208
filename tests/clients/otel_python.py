"""OpenTelemetry SDK for Python: one trace by otel_python.py http|grpc. Prints what it exported."""
import os
import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from seen import Seen

if sys.argv[1] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

provider = TracerProvider(resource=Resource.create({"service.name": "client-python", "rank": 3}))
seen = Seen()
provider.add_span_processor(seen)
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("clients", "1.0")

with tracer.start_as_current_span("request", kind=SpanKind.SERVER) as root:
    root.set_attributes({"text": "Größe 好", "int": 2**40, "double": 0.1, "bool": True,
                         "list": ["a", "b"], "empty": ""})
    root.add_event("started", {"n": 1})
    for i in range(20):
        links = [Link(root.get_span_context(), {"i": i})] if i == 3 else None
        with tracer.start_as_current_span(f"step {i}", kind=SpanKind.CLIENT, links=links) as step:
            step.set_attribute("i", i)
            if i == 7:
                step.record_exception(ValueError("seven"))
                step.set_status(Status(StatusCode.ERROR, "seven"))

provider.shutdown()
seen.tell()
os._exit(0)
