"""The OpenAI SDK under a span of the application's own.
   openai_sdk.py openinference|openllmetry|both|hidden: which instrumentations watch it. hidden: both,
   and a stream that nobody asked for its usage."""
import json
import sys

import openai
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as OpenLLMetry

import watched

traces = watched.provider("openai")
if sys.argv[1] != "openllmetry":
    OpenInference().instrument(tracer_provider=traces)
if sys.argv[1] != "openinference":
    OpenLLMetry().instrument(tracer_provider=traces)

client = openai.OpenAI(base_url=f"{watched.MODELS}/v1", api_key="none", max_retries=0)
question = [{"role": "user", "content": "Weather in Oslo?"}]
function = dict(watched.TOOL, parameters=watched.TOOL_INPUT)


def stream_without_usage():
    for _ in client.chat.completions.create(model="gpt-4o", messages=question, stream=True):
        pass


def everything():
    client.chat.completions.create(model="gpt-4o", messages=question)
    for _ in client.chat.completions.create(model="gpt-4o", messages=question, stream=True,
                                            stream_options={"include_usage": True}):
        pass
    tools = [{"type": "function", "function": function}]
    first = client.chat.completions.create(model="gpt-4o", messages=question, tools=tools)
    called = first.choices[0].message
    assert json.loads(called.tool_calls[0].function.arguments) == {"city": "Oslo"}
    result = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "sunny"}
    client.chat.completions.create(
        model="gpt-4o", tools=tools,
        messages=question + [called.model_dump(exclude_none=True), result])
    client.responses.create(model="gpt-5-mini", input="Weather in Oslo?")
    for _ in client.responses.create(model="gpt-5-mini", input="Weather in Oslo?", stream=True):
        pass
    client.embeddings.create(model="text-embedding-3-small", input=["Oslo", "Bergen"])
    try:
        client.chat.completions.create(model="gpt-4o",
                                       messages=[{"role": "user", "content": "Please fail."}])
    except openai.RateLimitError:
        return
    raise AssertionError("no error")


with traces.get_tracer("application").start_as_current_span("request"):
    if sys.argv[1] == "hidden":
        stream_without_usage()
    else:
        everything()
watched.finish(traces, 9 if sys.argv[1] != "hidden" else 3)
