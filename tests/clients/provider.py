"""A model provider on loopback, as much of it as the clients need: OpenAI's chat completions.
With tools offered and no tool result yet, it calls the first tool; else it answers a fixed text."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def choice(request):
    if request.get("tools") and request["messages"][-1]["role"] != "tool":
        function = {"name": request["tools"][0]["function"]["name"], "arguments": '{"city": "Oslo"}'}
        call = {"id": "call_1", "type": "function", "function": function}
        return {"index": 0, "finish_reason": "tool_calls",
                "message": {"role": "assistant", "content": None, "tool_calls": [call]}}
    return {"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Sunny, 21 degrees."}}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": request["model"],
            "choices": [choice(request)],
            "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
        }).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def start():
    """Base address for an OpenAI client."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}/v1"
