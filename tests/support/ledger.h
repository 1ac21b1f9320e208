/*
 * What was acknowledged, kept on the tests' own disk, and the checker that compares it with SQL and
 * with the API (RF-01 … RF-06).
 *
 * A record is one span: trace id, span id, content number. Its name is "content <16 hex digits>",
 * so that the content can be read back by both ways.
 */
#ifndef TESTS_SUPPORT_LEDGER_H
#define TESTS_SUPPORT_LEDGER_H

#include <stdio.h>

#include "base/bytes.h"

struct ledger_record {
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint64_t content;
};

struct ledger {
    int fd; /* file, append only */
};

bool ledger_open(struct ledger *ledger, const char *path);
void ledger_close(struct ledger *ledger);
/* Any thread: one write(2). False: disk. */
bool ledger_add(struct ledger *ledger, const struct ledger_record records[], size_t count);

/* What the checker found. lost, wrong and twice are in spans. */
struct ledger_findings {
    size_t acknowledged; /* spans of the ledger */
    size_t stored;       /* rows in the database */
    size_t lost;         /* acknowledged and not there */
    size_t wrong;        /* there with another content */
    size_t twice;        /* rows beyond the first of one (trace, span) */
    size_t traces_read;  /* traces looked up by the API */
    size_t api_lost;     /* the same three by the API */
    size_t api_wrong;
    size_t api_twice;
    int64_t trace_rows_off; /* spans counted by the trace rows less spans that are there */
};

/* Compares the ledger's file with the database (all of it) and with the API (max_traces of its
 * traces, spread evenly). False: the database or the API does not answer; says so on stderr. */
bool ledger_check(const char *path, const char *conninfo, uint16_t port, size_t max_traces,
                  struct ledger_findings *out);
void ledger_print(const struct ledger_findings *findings, FILE *to);
/* Nothing lost, wrong, twice or miscounted. */
bool ledger_is_clean(const struct ledger_findings *findings);

#endif
