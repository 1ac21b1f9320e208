#!/usr/bin/env python3
"""docs/conformance.md from the tests: which requirement is covered by which test.
   conformance.py > docs/conformance.md      conformance.py --check (differs from the file: exit 1)

An id counts for the test whose comment or body cites it; ranges (OTLP-25..30, OTLP-117 … OTLP-121)
stand for each id between. The head of a file counts for nothing: it only says what the file is about.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FAMILIES = "OTLP|PC|RF|SEC|H2"
ID = re.compile(rf"\b({FAMILIES})-(\d+)(?:\s*(?:\.\.|…)\s*(?:({FAMILIES})-)?(\d+))?")
TEST = re.compile(r"^(?:static )?(?:void|int) (\w+)\((?:void \*\*state|const uint8_t \*\w+, size_t \w+)\)")


def known_ids():
    rows = []
    for line in (ROOT / "tests/check/conformance-ids.txt").read_text().splitlines():
        if line.startswith("# -- "):
            rows.append((None, line[5:]))
        elif line and not line.startswith("#"):
            rows.append(tuple(line.split(" ", 1)))
    return rows


def number_key(found):
    return found.group(1), int(found.group(2)), int(found.group(4) or found.group(2))


def ids_of(text, known):
    for found in ID.finditer(text):
        family, first, last = number_key(found)
        for name in known:
            kind, number = name.split("-")
            if kind == family and first <= int(number) <= last:
                yield name


def test_of(lines, at, starts):
    """Name of the test that line `at` belongs to: a comment at the margin speaks of the next one."""
    margin = lines[at].startswith(("/*", " *"))
    names = [n for i, n in starts if i > at] if margin else [n for i, n in reversed(starts) if i <= at]
    return names[0] if names else None


def cited():
    known = [i for i, _ in known_ids() if i]
    covered = {i: [] for i in known}
    for path in sorted((ROOT / "tests").glob("*.c")):
        if not path.name.startswith(("test_", "it_", "fuzz_")):
            continue
        lines = path.read_text().splitlines()
        first = next((i for i, l in enumerate(lines) if l.startswith("#include")), 0)
        starts = [(i, m.group(1)) for i, l in enumerate(lines) if (m := TEST.match(l))]
        for at in range(first, len(lines)):
            name = test_of(lines, at, starts)
            for i in ids_of(lines[at], known) if name else ():
                where = f"{path.stem}: {name}"
                if where not in covered[i]:
                    covered[i].append(where)
    for line in (ROOT / "tests/check/conformance-more.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            i, where = line.split(" ", 1)
            covered[i].append(known_to_be(where))
    return {i: list(dict.fromkeys(tests)) for i, tests in covered.items()}


def known_to_be(where):
    """A line of conformance-more.txt must not outlive its test."""
    if where.startswith("make "):
        text, pattern = (ROOT / "Makefile").read_text(), rf"^[a-z -]*\b{where[5:]}\b[a-z -]*:"
    else:
        name, test = where.split(": ")
        text, pattern = (ROOT / f"tests/{name}.c").read_text(), rf"^static void {test}\("
    if not re.search(pattern, text, re.M):
        sys.exit(f"tests/check/conformance-more.txt: there is no {where}")
    return where


def page():
    covered = cited()
    rows = known_ids()
    now = [i for i, title in rows if i and not title.endswith("[later]")]
    out = ["# Conformance", "",
           "Made by `tests/check/conformance.py` from the tests: do not edit. Requirements of OTLP and of the",
           "project, and the tests that show them. *later*: belongs to a part that is not built yet.", "",
           f"{sum(bool(covered[i]) for i in now)} of {len(now)} covered.", ""]
    for i, title in rows:
        if i is None:
            out += [f"## {title[0].upper()}{title[1:]}", "", "| id | requirement | tests |", "| --- | --- | --- |"]
            continue
        later = title.endswith(" [later]")
        tests = "<br>".join(f"`{t}`" for t in covered[i]) or ("*later*" if later else "**not covered**")
        out.append(f"| {i} | {title.removesuffix(' [later]')} | {tests} |")
        if rows.index((i, title)) + 1 == len(rows) or rows[rows.index((i, title)) + 1][0] is None:
            out.append("")
    return "\n".join(out).rstrip() + "\n"


if __name__ == "__main__":
    made = page()
    if sys.argv[1:] == ["--check"]:
        if (ROOT / "docs/conformance.md").read_text() != made:
            sys.exit("docs/conformance.md is not what the tests say: tests/check/conformance.py > docs/conformance.md")
    else:
        sys.stdout.write(made)
