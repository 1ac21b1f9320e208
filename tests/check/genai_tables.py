#!/usr/bin/env python3
"""The tables of docs/genai.md and docs/counting.md, and a list of words in docs/openapi.yaml, from the
   sources that they speak of.
   genai_tables.py             writes them between their markers
   genai_tables.py --check     exit 1 where a table is not what it would write

A marker is a line <!-- NAME -->, its end <!-- end of NAME -->. Rows of dialects.tsv whose target no
source reads are left out: they are known, and nothing is made of them yet.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = ("docs/genai.md", "docs/counting.md", "docs/openapi.yaml")
MEANING = (ROOT / "include/model/meaning.h").read_text()
SOURCES = "\n".join(p.read_text() for p in sorted((ROOT / "src/genai").glob("*.c")))
USAGE = (ROOT / "include/genai/usage.h").read_text()

# Fields of the API that no call in src/genai names beside its target.
FIELDS = {"cost_total": "cost.reported", "cost_object": "cost.reported", "usage_object": "usage", "usage_aggregated": "usage",
          "usage_counted_tokens": "usage.counted (free: shown, not used)", "completion_start_time": "completion_start_time",
          "time_to_first_token": "completion_start_time", "conversation_id": "session_id", "tags": "tags",
          "observation_type": "observation_type", "input_messages": "messages (input)", "output_messages": "messages (output)",
          "output_text": "messages (output)", "output_tool_calls": "messages (output)", "output_reasoning": "messages (output)",
          "output_files": "messages (output)", "system_instructions": "messages (instructions)", "retrieval_query": "input",
          "retrieval_documents": "output", "tool_name": "tool.name", "tool_call_id": "tool.call_id", "tool_arguments": "tool.arguments",
          "tool_result": "tool.result", "response_text": "response_id (inside the text)", "error_type": "failed",
          "tool_error": "failed", "streaming": "flag `streamed`", "cache_hit": "flag `cache_hit`", "drop_span": "flag `pending`",
          "usage_redundant_copy": "flag `copy`", "usage_estimated": "flag `estimated`",
          "service_tier": "flags `batch`, `flex`, `priority`",
          "usage_exclusive": "usage: cached tokens beside input", "cost_currency": "cost.reported: its currency",
          "model_parameters": "parameters", "embedding_dimensions": "parameters.dimensions"}
# Targets that a source names for another reason than to read them.
NOT_READ = {"cost_audio", "cost_discount", "error_message"}
# Keys that are known only so that they are not taken (src/genai/identity.c).
REFUSED = {("project", "service.name"), ("session_id", "langsmith.trace.session_name"), ("session_id", "langsmith.trace.session_id")}
PARAMETERS = re.findall(r'\{"(\w+)", TARGET_(\w+), (?:true|false)\}', SOURCES)
WHERE = {"resource": " of the resource", "event": " of an event", "event-name": " (name of an event)", "scope": "", "name": "",
         "status": ""}


def rows_of(path):
    for line in (ROOT / path).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def macro(name, text=MEANING):
    """The X rows of an X macro: identifier, the other arguments, the comment behind it."""
    body = re.search(rf"#define {name}\(X\)(.*?[^\\])\n", text, re.S).group(1)
    for row in re.finditer(r"X\((\w+),((?:[^()\"]|\"[^\"]*\")*)\)\s*(?:/\* (.*?) \*/)?", body, re.S):
        args = [a or b for a, b in re.findall(r'"([^"]*)"|([\w.]+)', row.group(2).replace("\\", " "))]
        yield row.group(1), args, row.group(3) or ""


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows]


def rules():
    return table(("`usage_rule`", "`usage_reason`"), [(f"`{a[1]}`", a[2]) for _, a, _ in macro("USAGE_RULES")])


def reasons():
    # ledger/fold bills these two.
    return table(("`billing_reason`", "billed", "`billing_text`"),
                 [(f"`{a[1]}`", "yes" if i in ("CALL", "CONTAINER") else "no", a[2])
                  for i, a, _ in macro("BILLING_REASONS") if i != "NONE"])


def kinds():
    return table(("kind", ""), [(f"`{a[0]}`", note) for _, a, note in macro("TOKEN_KINDS")])


def flags():
    # Of the column span.meaning_flags.
    return table(("bit", "flag", ""), [(str(1 << int(a[0])), f"`{a[1]}`", note) for _, a, note in macro("MEANING_FLAGS")])


def known_fields():
    fields = {t.lower(): f for t, f in re.findall(r'TARGET_(\w+),\s*"([\w.]+)"', SOURCES)}
    usage = {i: a[0] for i, a, _ in macro("USAGE_FIELDS", USAGE)}
    for target, field in re.findall(r"\[TARGET_(\w+)\] = 1 \+ USAGE_(\w+)", SOURCES):
        fields[target.lower()] = usage[field]
    fields.update((target.lower(), f"parameters.{name}") for name, target in PARAMETERS)
    fields.update(FIELDS)
    return fields


def used_rows():
    read = {t.lower() for t in re.findall(r"TARGET_(\w+)", SOURCES)} - NOT_READ
    return [row for row in rows_of("src/genai/dialects.tsv") if row[0] in read and (row[0], row[6]) not in REFUSED]


def signs():
    shown = {"key": "`{}`", "value": "`{}`", "resource": "resource `{}`", "scope": "scope `{}`", "name": "span `{}`"}
    by, keys = {}, {}
    for target, _, names, where, _, _, key in rows_of("src/genai/dialects.tsv"):
        if target == "sign":
            by.setdefault(names, []).append(shown[where].format(key))
    for row in used_rows():
        for name in row[2].split(","):
            keys[name] = keys.get(name, 0) + 1
    return table(("dialect", "shows itself by", "keys"),
                 [(f"[{n}](#{n})", ", ".join(by.get(n, ["its keys alone"])), str(keys[n])) for n in sorted(keys)])


def keys():
    fields, by = known_fields(), {}
    for target, rank, names, where, _, _, key in used_rows():
        text = key.strip("()") if where in ("scope", "name", "status") else f"`{key}`{WHERE.get(where, '')}"
        field = fields.get(target, target)
        if key.startswith("anthropic.usage.compaction."):  # usage_collect.c
            field = field.replace("usage.", "usage.extra_")
        for name in names.split(","):
            by.setdefault(name, {}).setdefault(field, []).append((int(rank), text))
    out = []
    for name in sorted(by):
        out += [f"### {name}", ""]
        out += table(("field", "keys"), [(field, ", ".join(f"{t} ({r})" for r, t in sorted(found, key=lambda f: f[0])))
                                         for field, found in sorted(by[name].items())])
        out.append("")
    return out[:-1]


def words():
    by = {}
    looked_up = {m.lower() for m in re.findall(r"GENAI_MAP_(\w+)", SOURCES)}
    looked_up |= {row[5][4:] for row in used_rows() if row[5].startswith("map:")}
    for name, raw, means in rows_of("src/genai/values.tsv"):
        if name not in looked_up:
            continue
        by.setdefault(name, {}).setdefault(means, []).append(f"`{raw}`")
    meant = {"-": "as sent: nobody lists prices of it", "*": "no provider: a framework's name"}
    return table(("list", "means", "words"), [(name, meant.get(means, means.replace("+", ", ")), ", ".join(raw))
                                              for name in sorted(by) for means, raw in by[name].items()])


def filled(text):
    sections = {"rules": rules, "reasons": reasons, "kinds": kinds, "flags": flags, "signs": signs, "keys": keys, "words": words}
    for name, make in sections.items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)",
                      lambda m: m.group(1) + "\n".join(make()) + "\n" + m.group(2), text, flags=re.S)
    return text


def with_reasons(text):
    """The words of billing_reason in the description of the API."""
    words = ", ".join(a[1] or '""' for _, a, _ in macro("BILLING_REASONS"))
    return re.sub(r"(\n +billing_reason:\n +type: string\n +enum: )\[.*?\]", rf"\1[{words}]", text)


def main():
    bad = 0
    for page in PAGES:
        path = ROOT / page
        have = path.read_text()
        want = filled(have) if page.endswith(".md") else with_reasons(have)
        if want == have:
            continue
        if "--check" in sys.argv:
            print(f"{page}: a table differs from the sources; 'make docs' writes it anew")
            bad = 1
        else:
            path.write_text(want)
    return bad


sys.exit(main())
