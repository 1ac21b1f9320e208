"""A LangChain agent (one tool, two model calls) watched by OpenInference, sent by OTLP/HTTP."""
import os

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import provider as fake
from seen import Seen

traces = TracerProvider(resource=Resource.create({"service.name": "client-langchain"}))
seen = Seen()
traces.add_span_processor(seen)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
LangChainInstrumentor().instrument(tracer_provider=traces)


@tool
def weather(city: str) -> str:
    """Weather of a city."""
    return f"{city}: sunny"


model = ChatOpenAI(model="gpt-4o", base_url=fake.start(), api_key="none")
answer = create_react_agent(model, [weather]).invoke({"messages": [("user", "Weather in Oslo?")]})
assert "Sunny" in answer["messages"][-1].content
traces.shutdown()
assert len(seen.spans) >= 5, len(seen.spans)
seen.tell()
os._exit(0)
