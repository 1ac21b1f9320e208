"""LangChain agents, each with one tool and two model calls.
   langchain_agent.py once: watched by OpenInference for LangChain.
   langchain_agent.py twice: and by OpenInference for OpenAI, whose spans stand in traces of their own.
   langchain_agent.py stream: as twice, a streamed chat."""
import sys

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

import watched

traces = watched.provider("langchain")
LangChainInstrumentor().instrument(tracer_provider=traces)
if sys.argv[1] != "once":
    OpenAIInstrumentor().instrument(tracer_provider=traces)


@tool
def weather(city: str) -> str:
    """Weather of a city."""
    return f"{city}: sunny"


def ask(model):
    agent = create_agent(model, [weather])
    answer = agent.invoke({"messages": [("user", "Weather in Oslo?")]})
    assert "Sunny" in answer["messages"][-1].text


openai = {"base_url": f"{watched.MODELS}/v1", "api_key": "none", "max_retries": 0}
if sys.argv[1] != "stream":
    ask(ChatOpenAI(model="gpt-4o", **openai))
    ask(ChatOpenAI(model="gpt-5-mini", use_responses_api=True, **openai))
if sys.argv[1] != "twice":
    ask(ChatOpenAI(model="gpt-4o", streaming=True, stream_usage=True, **openai))
watched.finish(traces, 5)
