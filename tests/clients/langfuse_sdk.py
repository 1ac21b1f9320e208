"""Langfuse SDK for Python: its own path and Basic credentials, which are not looked at while
authentication is off.
   langfuse_sdk.py observe: a generation whose usage the application declares.
   langfuse_sdk.py openai: its wrapper of the OpenAI SDK, inside observed functions."""
import os
import sys

os.environ.setdefault("LANGFUSE_PUBLIC_KEY", "pk-lf-test")
os.environ.setdefault("LANGFUSE_SECRET_KEY", "sk-lf-test")

from langfuse import get_client, observe  # reads the environment when imported
from langfuse.openai import openai
from opentelemetry import trace

from seen import Seen

langfuse = get_client()
seen = Seen()
trace.get_tracer_provider().add_span_processor(seen)


@observe(as_type="generation")
def declared(question):
    langfuse.update_current_generation(model="gpt-4o", usage_details={"input": 12, "output": 5})
    return f"answer to {question}"


def wrapped():
    client = openai.OpenAI(base_url=f"{os.environ['CLIENT_MODELS']}/v1", api_key="none",
                           max_retries=0)
    question = [{"role": "user", "content": "Weather in Oslo?"}]
    client.chat.completions.create(model="gpt-4o", messages=question)
    for _ in client.chat.completions.create(model="gpt-4o", messages=question, stream=True,
                                            stream_options={"include_usage": True}):
        pass
    client.responses.create(model="gpt-5-mini", input="Weather in Oslo?")
    client.embeddings.create(model="text-embedding-3-small", input=["Oslo"])
    try:
        client.chat.completions.create(model="gpt-4o",
                                       messages=[{"role": "user", "content": "Please fail."}])
    except openai.RateLimitError:
        pass


@observe()
def request():
    if sys.argv[1] == "openai":
        wrapped()
    else:
        declared("why?")
        declared("again")


request()
langfuse.flush()
assert len(seen.spans) == (6 if sys.argv[1] == "openai" else 3), len(seen.spans)
seen.tell()
os._exit(0)
