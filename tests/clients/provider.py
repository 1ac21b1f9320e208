"""A model provider on loopback whose usage is known: OpenAI's chat completions, responses and
embeddings, Anthropic's messages, each also streamed.
   provider.py TRUTH: prints its port, then writes each answered call to TRUTH, one JSON a line.

A client's base address is http://127.0.0.1:PORT/NAME, and NAME stands in the lines of its calls. No
two calls have the same numbers, so that a call can only be taken for itself. With tools offered and
no result yet it calls the first; a question with "fail" in it is answered 429."""
import base64
import itertools
import json
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TEXT = "Sunny, 21 degrees."
ARGUMENTS = '{"city": "Oslo"}'
FULL_NAMES = {"gpt-4o": "gpt-4o-2024-08-06", "claude-sonnet-4-5": "claude-sonnet-4-5-20250929"}
numbers = itertools.count(1)
writing = threading.Lock()


class Call:
    """One call: who asks, what the answer is called, and what it costs in tokens."""

    def __init__(self, path, request):
        self.client, _, self.endpoint = path.split("?")[0].strip("/").partition("/")
        self.request = request
        self.number = next(numbers)
        self.model = FULL_NAMES.get(request.get("model"), request.get("model"))
        self.stream = bool(request.get("stream"))
        self.told = True  # whether the answer says its usage
        n = self.number
        if self.endpoint.endswith("messages"):
            self.maker, self.id = "anthropic", f"msg_{n:08}"
            self.tokens = {"input": 300 + n, "cache_read": 1024 + 2 * n, "cache_write": 150 + 3 * n,
                           "cache_write_1h": 50 + n, "output": 200 + 5 * n}
        elif self.endpoint.endswith("embeddings"):
            self.maker, self.id = "openai", None
            self.tokens = {"input": 8 + n}
        else:
            self.maker = "openai"
            self.id = f"resp_{n:08}" if self.endpoint.endswith("responses") else f"chatcmpl-{n:08}"
            self.tokens = {"input": 170 + n, "cache_read": 1024 + 2 * n, "output": 80 + 5 * n,
                           "reasoning": 64 + n}
            if self.stream and self.id.startswith("chatcmpl"):
                self.told = bool((request.get("stream_options") or {}).get("include_usage"))

    def write(self, file, status):
        line = {"client": self.client, "endpoint": self.endpoint, "id": self.id,
                "asked": self.request.get("model"), "model": self.model, "status": status,
                "stream": self.stream, "told": self.told,
                "tokens": self.tokens if status == 200 else {}}
        with writing:
            print(json.dumps(line), file=file, flush=True)

    def wants_tool(self):
        """Name of the tool to call, or None."""
        asked = self.request.get("messages") or self.request.get("input")
        last = asked[-1] if isinstance(asked, list) else {}
        parts = last.get("content") if isinstance(last.get("content"), list) else []
        done = (last.get("role") == "tool" or last.get("type") == "function_call_output" or
                any(isinstance(p, dict) and p.get("type") == "tool_result" for p in parts))
        if done or not self.request.get("tools"):
            return None
        tool = self.request["tools"][0]
        return tool.get("function", tool)["name"]


def chat_usage(call):
    t = call.tokens
    into, out = t["input"] + t["cache_read"], t["output"] + t["reasoning"]
    return {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out,
            "prompt_tokens_details": {"cached_tokens": t["cache_read"], "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": t["reasoning"], "audio_tokens": 0,
                                          "accepted_prediction_tokens": 0,
                                          "rejected_prediction_tokens": 0}}


def chat(call):
    """OpenAI's chat completions: the answer, or the events of a stream."""
    tool = call.wants_tool()
    message = {"role": "assistant", "content": None if tool else TEXT}
    if tool:
        message["tool_calls"] = [{"id": f"call_{call.number}", "type": "function",
                                  "function": {"name": tool, "arguments": ARGUMENTS}}]
    ends = "tool_calls" if tool else "stop"
    base = {"id": call.id, "created": 1790000000, "model": call.model, "service_tier": "default"}
    if not call.stream:
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": ends}
        return dict(base, object="chat.completion", choices=[choice], usage=chat_usage(call))
    if tool:
        message["tool_calls"][0]["index"] = 0
    deltas = [(message, None), ({}, ends)]
    if not tool:
        half = len(TEXT) // 2
        deltas[:1] = [(dict(message, content=TEXT[:half]), None), ({"content": TEXT[half:]}, None)]
    base["object"] = "chat.completion.chunk"
    events = [dict(base, choices=[{"index": 0, "delta": d, "finish_reason": f}]) for d, f in deltas]
    if call.told:
        events.append(dict(base, choices=[], usage=chat_usage(call)))
    return [f"data: {json.dumps(e)}\n\n" for e in events] + ["data: [DONE]\n\n"]


def named(events):
    return [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events]


def responses(call):
    """OpenAI's responses."""
    usage = chat_usage(call)
    tool = call.wants_tool()
    part = {"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}
    item = {"id": f"msg_{call.number:08}", "type": "message", "status": "completed",
            "role": "assistant", "content": [part]}
    if tool:
        item = {"id": f"fc_{call.number:08}", "type": "function_call", "status": "completed",
                "call_id": f"call_{call.number}", "name": tool, "arguments": ARGUMENTS}
    whole = {"id": call.id, "object": "response", "created_at": 1790000000, "model": call.model,
             "status": "completed", "error": None, "incomplete_details": None,
             "instructions": None, "metadata": {}, "output": [item], "parallel_tool_calls": True,
             "temperature": 1.0, "tool_choice": "auto", "tools": call.request.get("tools") or [],
             "top_p": 1.0, "service_tier": "default",
             "usage": {"input_tokens": usage["prompt_tokens"],
                       "input_tokens_details": {"cached_tokens": call.tokens["cache_read"]},
                       "output_tokens": usage["completion_tokens"],
                       "output_tokens_details": {"reasoning_tokens": call.tokens["reasoning"]},
                       "total_tokens": usage["total_tokens"]}}
    if not call.stream:
        return whole
    at = {"output_index": 0, "item_id": item["id"]}
    begun = dict(whole, status="in_progress", output=[], usage=None)
    first = dict(item, status="in_progress", **({"arguments": ""} if tool else {"content": []}))
    events = [{"type": "response.created", "response": begun},
              {"type": "response.output_item.added", "output_index": 0, "item": first}]
    if tool:
        events.append(dict(at, type="response.function_call_arguments.delta", delta=ARGUMENTS))
    else:
        at["content_index"] = 0
        events += [dict(at, type="response.content_part.added", part=dict(part, text="")),
                   dict(at, type="response.output_text.delta", delta=TEXT, logprobs=[]),
                   dict(at, type="response.output_text.done", text=TEXT, logprobs=[]),
                   dict(at, type="response.content_part.done", part=part)]
    events += [{"type": "response.output_item.done", "output_index": 0, "item": item},
               {"type": "response.completed", "response": whole}]
    return named([dict(e, sequence_number=i) for i, e in enumerate(events)])


def embeddings(call):
    """OpenAI's embeddings."""
    asked = call.request["input"]
    vector = [0.1, 0.2, 0.3, 0.4]
    if call.request.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack("<4f", *vector)).decode()
    count = call.tokens["input"]
    return {"object": "list", "model": call.model,
            "usage": {"prompt_tokens": count, "total_tokens": count},
            "data": [{"object": "embedding", "index": i, "embedding": vector}
                     for i in range(len(asked) if isinstance(asked, list) else 1)]}


def messages(call):
    """Anthropic's messages. A stream says the output twice: a first guess, and at the end all."""
    t = call.tokens
    tool = call.wants_tool()
    block = {"type": "text", "text": TEXT}
    if tool:
        block = {"type": "tool_use", "id": f"toolu_{call.number}", "name": tool,
                 "input": json.loads(ARGUMENTS)}
    usage = {"input_tokens": t["input"], "cache_read_input_tokens": t["cache_read"],
             "cache_creation_input_tokens": t["cache_write"] + t["cache_write_1h"],
             "cache_creation": {"ephemeral_5m_input_tokens": t["cache_write"],
                                "ephemeral_1h_input_tokens": t["cache_write_1h"]},
             "output_tokens": t["output"], "service_tier": "standard"}
    ends = {"stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None}
    whole = {"id": call.id, "type": "message", "role": "assistant", "model": call.model,
             "content": [block], **ends, "usage": usage}
    if not call.stream:
        return whole
    begun = dict(whole, content=[], stop_reason=None, usage=dict(usage, output_tokens=1))
    first = dict(block, **({"input": {}} if tool else {"text": ""}))
    delta = {"type": "text_delta", "text": TEXT}
    if tool:
        delta = {"type": "input_json_delta", "partial_json": ARGUMENTS}
    return named([{"type": "message_start", "message": begun},
                  {"type": "content_block_start", "index": 0, "content_block": first},
                  {"type": "content_block_delta", "index": 0, "delta": delta},
                  {"type": "content_block_stop", "index": 0},
                  {"type": "message_delta", "delta": ends, "usage": {"output_tokens": t["output"]}},
                  {"type": "message_stop"}])


ENDPOINTS = {"chat/completions": chat, "responses": responses, "embeddings": embeddings,
             "messages": messages}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        call = Call(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        answer = ENDPOINTS.get(call.endpoint.removeprefix("v1/"))
        asked = call.request.get("messages") or call.request.get("input")
        status = 404 if not answer else 429 if "fail" in json.dumps(asked) else 200
        call.write(self.server.truth, status)
        if status == 200:
            self.reply(200, answer(call))
        elif call.maker == "anthropic":
            error = {"type": "rate_limit_error", "message": "Too many."}
            self.reply(status, {"type": "error", "error": error})
        else:
            error = {"message": "Too many.", "type": "requests", "code": "rate_limit_exceeded"}
            self.reply(status, {"error": error})

    def reply(self, status, answer):
        events = isinstance(answer, list)
        body = ("".join(answer) if events else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream" if events else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.truth = open(sys.argv[1], "w", encoding="utf-8")
    print(server.server_address[1], flush=True)
    server.serve_forever()


main()
