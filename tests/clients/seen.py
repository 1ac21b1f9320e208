"""A span processor that remembers what ended, in the form that check.py reads."""
import json

from opentelemetry.sdk.trace import SpanProcessor


class Seen(SpanProcessor):
    def __init__(self):
        self.spans = []

    def on_end(self, span):
        self.spans.append(span)

    def tell(self):
        print(json.dumps([{
            "trace_id": f"{s.context.trace_id:032x}",
            "span_id": f"{s.context.span_id:016x}",
            "parent_span_id": f"{s.parent.span_id:016x}" if s.parent else None,
            "name": s.name,
            "start_unix_nano": str(s.start_time),
            "end_unix_nano": str(s.end_time),
            "status": s.status.status_code.name.lower(),
            "attributes": len(s.attributes),
            "events": len(s.events),
            "links": len(s.links),
        } for s in self.spans]))
