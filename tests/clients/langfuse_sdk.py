"""Langfuse SDK for Python: its own path and Basic credentials, which are not looked at while
authentication is off."""
import os

os.environ.setdefault("LANGFUSE_PUBLIC_KEY", "pk-lf-test")
os.environ.setdefault("LANGFUSE_SECRET_KEY", "sk-lf-test")

from langfuse import get_client, observe  # reads the environment when imported
from opentelemetry import trace

from seen import Seen

langfuse = get_client()
seen = Seen()
trace.get_tracer_provider().add_span_processor(seen)


@observe(as_type="generation")
def model(question):
    langfuse.update_current_generation(model="gpt-4o", usage_details={"input": 12, "output": 5})
    return f"answer to {question}"


@observe()
def request(question):
    return model(question) + model("again")


request("why?")
langfuse.flush()
assert len(seen.spans) == 3, len(seen.spans)
seen.tell()
os._exit(0)
