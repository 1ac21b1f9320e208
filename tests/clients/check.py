"""Compares what a client says it exported (JSON on stdin) with what the API shows.
   check.py http://127.0.0.1:PORT"""
import json
import sys
import urllib.request

sent = json.load(sys.stdin)
traces = {}
for span in sent:
    if span["trace_id"] not in traces:
        with urllib.request.urlopen(f"{sys.argv[1]}/api/v1/traces/{span['trace_id']}") as answer:
            traces[span["trace_id"]] = json.load(answer)
problems = []
for span in sent:
    found = [s for s in traces[span["trace_id"]]["spans"] if s["span_id"] == span["span_id"]]
    if len(found) != 1:
        problems.append(f"span {span['name']} is there {len(found)} times")
        continue
    for field, want in span.items():
        have = found[0].get(field)
        if field in ("attributes", "events", "links"):
            have = len(have)
        if field != "trace_id" and have != want:
            problems.append(f"span {span['name']}: {field} is {have}, want {want}")
for trace_id, trace in traces.items():
    count = sum(s["trace_id"] == trace_id for s in sent)
    if trace["span_count"] != count or not trace["complete"]:
        problems.append(f"trace {trace_id}: {trace['span_count']} spans of {count}, complete {trace['complete']}")
for problem in problems:
    print(problem)
print(f"{len(sent)} spans in {len(traces)} traces")
sys.exit(1 if problems or not sent else 0)
