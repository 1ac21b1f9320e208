"""The Anthropic SDK, which writes spans of its own, under a span of the application's own.
   anthropic_sdk.py openinference|openllmetry|both: which instrumentations watch it too."""
import sys

import anthropic
from openinference.instrumentation.anthropic import AnthropicInstrumentor as OpenInference
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor as OpenLLMetry

import watched

traces = watched.provider("anthropic")
if sys.argv[1] != "openllmetry":
    OpenInference().instrument(tracer_provider=traces)
if sys.argv[1] != "openinference":
    OpenLLMetry().instrument(tracer_provider=traces)

client = anthropic.Anthropic(base_url=watched.MODELS, api_key="none", max_retries=0)
text = {"type": "text", "text": "Weather in Oslo?", "cache_control": {"type": "ephemeral"}}
question = [{"role": "user", "content": [text]}]
common = {"model": "claude-sonnet-4-5", "max_tokens": 500}


def everything():
    client.messages.create(messages=question, **common)
    for _ in client.messages.create(messages=question, stream=True, **common):
        pass
    with client.messages.stream(messages=question, **common) as stream:
        assert "Sunny" in stream.get_final_text()
    tools = [dict(watched.TOOL, input_schema=watched.TOOL_INPUT)]
    first = client.messages.create(messages=question, tools=tools, **common)
    called = first.content[0]
    assert called.input == {"city": "Oslo"}
    result = {"type": "tool_result", "tool_use_id": called.id, "content": "sunny"}
    client.messages.create(tools=tools, messages=question + [
        {"role": "assistant", "content": [called.model_dump(exclude_none=True)]},
        {"role": "user", "content": [result]}], **common)
    try:
        client.messages.create(messages=[{"role": "user", "content": "Please fail."}], **common)
    except anthropic.RateLimitError:
        return
    raise AssertionError("no error")


with traces.get_tracer("application").start_as_current_span("request"):
    everything()
watched.finish(traces, 11)
