// OpenTelemetry SDK for JavaScript: one trace by otel_js.mjs json|proto|grpc. Prints what it exported.
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { tell } from "./seen.mjs";

const packages = {
  json: "@opentelemetry/exporter-trace-otlp-http",
  proto: "@opentelemetry/exporter-trace-otlp-proto",
  grpc: "@opentelemetry/exporter-trace-otlp-grpc",
};
const { OTLPTraceExporter } = await import(packages[process.argv[2]]);
const seen = new InMemorySpanExporter();
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "client-js", rank: 3 }),
  spanProcessors: [new SimpleSpanProcessor(seen), new BatchSpanProcessor(new OTLPTraceExporter())],
});
const tracer = provider.getTracer("clients", "1.0");

const root = tracer.startSpan("request", { kind: SpanKind.SERVER });
root.setAttributes({ text: "Größe 好", int: 2 ** 40, double: 0.1, bool: true, list: ["a", "b"], empty: "" });
root.addEvent("started", { n: 1 });
for (let i = 0; i < 20; i++) {
  const links = i === 3 ? [{ context: root.spanContext(), attributes: { i } }] : [];
  const step = tracer.startSpan(`step ${i}`, { kind: SpanKind.CLIENT, links }, trace.setSpan(context.active(), root));
  step.setAttribute("i", i);
  if (i === 7) {
    step.recordException(new Error("seven"));
    step.setStatus({ code: SpanStatusCode.ERROR, message: "seven" });
  }
  step.end();
}
root.end();
tell(seen.getFinishedSpans());
await provider.shutdown();
