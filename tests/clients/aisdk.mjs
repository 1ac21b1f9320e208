// Vercel AI SDK watched by its own OpenTelemetry integration: a tool loop, a stream, an embedding with
// OpenAI, a tool loop and a stream with Anthropic. Prints what it exported.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { embed, generateText, jsonSchema, registerTelemetry, stepCountIs, streamText, tool } from "ai";
import { tell } from "./seen.mjs";

const seen = new InMemorySpanExporter();
const traces = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "client-aisdk" }),
  spanProcessors: [new SimpleSpanProcessor(seen), new BatchSpanProcessor(new OTLPTraceExporter())],
});
traces.register();
const telemetry = { isEnabled: true, recordInputs: true, recordOutputs: true };
registerTelemetry(new OpenTelemetry({ usage: true, providerMetadata: true }));

const weather = tool({
  description: "Weather of a city.",
  inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }),
  execute: async ({ city }) => `${city}: sunny`,
});
const base = { baseURL: `${process.env.CLIENT_MODELS}/v1`, apiKey: "none" };
const openai = createOpenAI(base);
const claude = createAnthropic(base)("claude-sonnet-4-5");

for (const model of [openai.chat("gpt-4o"), openai.responses("gpt-5-mini"), claude]) {
  const prompt = "Weather in Oslo?";
  await generateText({ model, prompt, telemetry, tools: { weather }, stopWhen: stepCountIs(3) });
  const stream = streamText({ model, prompt, telemetry });
  if (!(await stream.text).includes("Sunny")) throw new Error("no answer");
}
await embed({ model: openai.embedding("text-embedding-3-small"), value: "Oslo", telemetry });
await traces.forceFlush();
tell(seen.getFinishedSpans());
await traces.shutdown();
