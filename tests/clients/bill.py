"""Compares what the API bills with what the provider answered.
   bill.py http://127.0.0.1:PORT TRUTH NAME without=[KIND,…] times=N < what the client says it exported

Each answered call must be billed by one span, with its tokens by kind, and cost these tokens times
the prices below, to the last digit; each other span of a call or with usage must say why it is not
billed, and which is; a failed call is not billed. Traces, their list and the models must say the same sums.
without: kinds that this instrumentation does not carry (stream.KIND: in streamed chats only). Their
tokens are expected in the kind that holds them; money that is wrong by this is printed.
Where a call hid its usage from the client, its span has no tokens and no cost.
times: how often each call is billed. Only 1 is right; what is more is a known limit, and exactly so
many spans must be billed, each with the call's tokens and its price."""
import json
import sys
import urllib.request
from collections import Counter
from decimal import Decimal

PRICES = {  # USD per million tokens, as the providers publish them
    "gpt-4o-2024-08-06": {"input": "2.5", "cache_read": "1.25", "output": "10"},
    "gpt-5-mini": {"input": "0.25", "cache_read": "0.025", "output": "2"},
    "text-embedding-3-small": {"input": "0.02"},
    "claude-sonnet-4-5-20250929": {"input": "3", "cache_read": "0.3", "cache_write": "3.75",
                                   "cache_write_1h": "6", "output": "15"},
}
PARENTS = {"cache_write_1h": "cache_write", "cache_write": "input", "cache_read": "input",
           "reasoning": "output"}
CALLS = ("llm", "embedding", "reranker")
problems = []


def ask(path):
    with urllib.request.urlopen(f"{sys.argv[1]}/api/v1/{path}") as answer:
        return json.load(answer)


def usd(cost):
    return Decimal((cost or {}).get("total_usd") or 0)


def differ(what, have, want):
    if have != want:
        problems.append(f"{what}: {have}, want {want}")


def price(model, tokens):
    rates = PRICES[model]
    return sum((n * Decimal(rates.get(kind) or rates[PARENTS[kind]]) / 1000000
                for kind, n in tokens.items() if n), Decimal(0))


def carried(call, lost):
    """Tokens of a call as an instrumentation sees them that does not know some kinds."""
    known = Counter(call["tokens"])
    chat = call["stream"] and call["endpoint"].endswith("chat/completions")
    for kind, parent in PARENTS.items():
        if kind in lost or (chat and f"stream.{kind}" in lost):
            known[parent] += known.pop(kind, 0)
    return {k: n for k, n in known.items() if n}


def shape(model, tokens):
    return model, tuple(sorted((k, n) for k, n in tokens.items() if n and k != "total"))


def not_billed(trace, span):
    """Why a span is not billed that is a call or has usage; what is wrong about that."""
    why = (ask(f"spans/{trace}/{span['span_id']}")["ledger"] or {}).get("billing_reason")
    if why in (None, "", "none", "call", "container"):
        problems.append(f"span {span['name']} is not billed and says {why}")
    if span["duplicate_of"] is None and span["usage"]:
        problems.append(f"span {span['name']} is not billed, nor does it say which is")
    differ(f"cost of span {span['name']}, not billed", usd(span["cost"]), 0)
    return why


def compare_calls(truth, billed, lost, times):
    # Some spans have only the name that was asked for.
    names = {c["asked"]: c["model"] for c in truth}
    want = Counter(shape(c["model"], carried(c, lost)) for c in truth if c["told"]
                   for _ in range(times))
    have = Counter()
    silent = 0
    for span in billed:
        model = names.get(span["model"], span["model"])
        tokens = {k: n for k, n in (span["usage"] or {}).items() if k != "total"}
        if any(tokens.values()):
            have[shape(model, tokens)] += 1
            differ(f"cost of span {span['name']}", usd(span["cost"]), price(model, tokens))
        else:
            silent += 1
            differ(f"cost of span {span['name']}, which has no usage",
                   (span["cost"] or {}).get("total_usd"), None)
    differ("calls without usage", silent, sum(not c["told"] for c in truth) * times)
    problems.extend(f"not billed: {c}" for c in (want - have).elements())
    problems.extend(f"billed, but no such call: {c}" for c in (have - want).elements())


def compare_sums(sent, traces, calls, cost):
    """The clients run one after the other: a range of time is one client's."""
    starts = [int(s["start_unix_nano"]) for s in sent]
    span = f"from={min(starts)}&to={max(starts) + 1}&limit=1000"
    models = ask(f"models?{span}")["models"]
    differ("calls of models", sum(m["calls"] for m in models), calls)
    differ("cost of models", sum(usd(m["cost"]) for m in models), cost)
    differ("calls of traces", sum(t["calls"] for t in traces), calls)
    differ("cost of traces", sum(usd(t["cost"]) for t in traces), cost)
    rows = {r["trace_id"]: r for r in ask(f"traces?{span}")["traces"]}
    for trace in traces:
        row = rows.get(trace["trace_id"])
        differ("cost in the list", row and row["cost"], trace["cost"])


sent = json.load(sys.stdin)
lost = set(sys.argv[4].removeprefix("without=").split(",")) - {""}
times = int(sys.argv[5].removeprefix("times="))
with open(sys.argv[2], encoding="utf-8") as file:
    asked = [c for c in map(json.loads, file) if c["client"] == sys.argv[3]]
truth = [c for c in asked if c["status"] == 200]
traces = [ask(f"traces/{i}") for i in dict.fromkeys(s["trace_id"] for s in sent)]
billed = [s for t in traces for s in t["spans"] if s["billable"]]
reasons = Counter(not_billed(t["trace_id"], s) for t in traces for s in t["spans"]
                  if not s["billable"] and (s["usage"] or s["observation_type"] in CALLS))
right = sum(price(c["model"], c["tokens"]) for c in truth)
shown = sum(usd(t["cost"]) for t in traces)
differ("spans that are billed", len(billed), len(truth) * times)
differ("calls that failed", reasons["failed"], len(asked) - len(truth))
compare_calls(truth, billed, lost, times)
want = sum(price(c["model"], carried(c, lost)) for c in truth if c["told"]) * times
compare_sums(sent, traces, len(truth) * times, want)
if not truth:
    problems.append("no call was made")

for problem in problems:
    print(problem)
known = "unknown" if all(t["cost"]["total_usd"] is None for t in traces) else f"{shown.normalize():f}"
print(f"{len(truth)} calls, {len(billed)} billed; USD {right.normalize():f} spent, {known} shown"
      f"{f'; not carried: {sorted(lost)}' if lost else ''}; not billed: {dict(reasons)}")
sys.exit(1 if problems else 0)
