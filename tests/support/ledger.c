/* What was acknowledged, and the checker. */
#include "support/ledger.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "support/client.h"
#include "support/doc.h"
#include "support/number.h"
#include "support/pb.h"

#define LEDGER_MAX_BYTES ((size_t)2 << 30)
#define KEY_BYTES 24 /* trace id and span id stand first in a record */

bool ledger_open(struct ledger *ledger, const char *path)
{
    ledger->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return ledger->fd >= 0;
}

void ledger_close(struct ledger *ledger)
{
    if (ledger->fd >= 0)
        close(ledger->fd);
    ledger->fd = -1;
}

bool ledger_add(struct ledger *ledger, const struct ledger_record records[], size_t count)
{
    const size_t len = count * sizeof(records[0]);

    return write(ledger->fd, records, len) == (ssize_t)len;
}

static int compare_records(const void *a, const void *b)
{
    return memcmp(a, b, KEY_BYTES);
}

static size_t read_records(const char *path, struct buf *out)
{
    if (!file_read(path, out))
        return 0;
    const size_t count = out->len / sizeof(struct ledger_record);
    if (count)
        qsort(out->at, count, sizeof(struct ledger_record), compare_records);
    return count;
}

static uint64_t content_of_name(const char *name)
{
    return strncmp(name, "content ", 8) == 0 ? number_at_hex(name + 8) : 0;
}

/* Rows of the database as records, sorted. */
static bool read_rows(PGconn *db, struct buf *out)
{
    PGresult *res = PQexecParams(db,
                                 "SELECT uuid_send(trace_id), int8send(span_id), name::text "
                                 "FROM spanledger.span",
                                 0, NULL, NULL, NULL, NULL, 1);
    const bool ok = PQresultStatus(res) == PGRES_TUPLES_OK;

    if (!ok)
        (void)fprintf(stderr, "ledger_check: %s", PQerrorMessage(db));
    for (int i = 0; ok && i < PQntuples(res); i++) {
        struct ledger_record r;
        char name[64];
        memcpy(r.trace_id, PQgetvalue(res, i, 0), 16);
        memcpy(r.span_id, PQgetvalue(res, i, 1), 8);
        (void)snprintf(name, sizeof(name), "%.*s", PQgetlength(res, i, 2), PQgetvalue(res, i, 2));
        r.content = content_of_name(name);
        buf_add(out, &r, sizeof(r));
    }
    PQclear(res);
    if (ok && out->len)
        qsort(out->at, out->len / sizeof(struct ledger_record), sizeof(struct ledger_record),
              compare_records);
    return ok && buf_ok(out);
}

static bool trace_rows_off(PGconn *db, int64_t *out)
{
    PGresult *res = PQexec(db, "SELECT (SELECT coalesce(sum(span_count), 0) FROM spanledger.trace) "
                               "- (SELECT count(*) FROM spanledger.span)");
    const bool ok = PQresultStatus(res) == PGRES_TUPLES_OK;

    if (ok)
        *out = number_at(PQgetvalue(res, 0, 0));
    else
        (void)fprintf(stderr, "ledger_check: %s", PQerrorMessage(db));
    PQclear(res);
    return ok;
}

/* Both sides sorted by key: one walk. */
static void compare_sides(const struct ledger_record *want, size_t want_count,
                          const struct ledger_record *have, size_t have_count,
                          struct ledger_findings *out)
{
    size_t h = 0;

    for (size_t i = 1; i < have_count; i++)
        out->twice += compare_records(&have[i - 1], &have[i]) == 0;
    for (size_t w = 0; w < want_count; w++) {
        while (h < have_count && compare_records(&have[h], &want[w]) < 0)
            h++;
        if (h == have_count || compare_records(&have[h], &want[w]) != 0)
            out->lost++;
        else if (have[h].content != want[w].content)
            out->wrong++;
    }
}

/* The spans of one trace, want[0 .. count), by the API. */
static bool check_trace(struct client *client, const struct ledger_record *want, size_t count,
                        struct ledger_findings *out)
{
    char path[100];
    struct reply reply;
    struct arena arena;

    (void)snprintf(path, sizeof(path), "/api/v1/traces/%s", hex_of(want[0].trace_id, 16));
    reply_init(&reply);
    arena_init(&arena, (size_t)1 << 30);
    bool ok = client_call(client, "GET", path, "", (struct bytes){0}, &reply) &&
              (reply.status == 200 || reply.status == 404);
    const struct doc *spans =
        doc_get(reply.status == 200 ? doc_parse(&arena, buf_bytes(&reply.body)) : NULL, "spans");
    size_t hits = 0;
    for (size_t i = 0; ok && i < count; i++) {
        size_t found = 0;
        bool same = false;
        struct doc *span;
        DOC_EACH(k, span, spans)
        {
            if (strcmp(doc_at(span, "span_id", NULL), hex_of(want[i].span_id, 8)) != 0)
                continue;
            found++;
            same = same || content_of_name(doc_at(span, "name", NULL)) == want[i].content;
        }
        hits += found;
        out->api_lost += found == 0;
        out->api_wrong += found > 0 && !same;
        out->api_twice += found > 1 ? found - 1 : 0;
    }
    out->traces_read++;
    if (!ok)
        (void)fprintf(stderr, "ledger_check: GET %s: status %d\n", path, reply.status);
    arena_done(&arena);
    reply_done(&reply);
    return ok;
}

static bool check_api(const struct ledger_record *want, size_t count, uint16_t port,
                      size_t max_traces, struct ledger_findings *out)
{
    struct client client;
    size_t traces = 0, seen = 0;
    bool ok = client_open(&client, port);

    for (size_t i = 0; i < count; i++)
        traces += i == 0 || memcmp(want[i].trace_id, want[i - 1].trace_id, 16) != 0;
    const size_t step = max_traces && traces > max_traces ? traces / max_traces : 1;
    for (size_t i = 0, end; ok && i < count; i = end) {
        for (end = i + 1; end < count && memcmp(want[i].trace_id, want[end].trace_id, 16) == 0;)
            end++;
        if (seen++ % step == 0)
            ok = check_trace(&client, want + i, end - i, out);
    }
    client_close(&client);
    return ok;
}

bool ledger_check(const char *path, const char *conninfo, uint16_t port, size_t max_traces,
                  struct ledger_findings *out)
{
    struct buf want, have;
    PGconn *db = PQconnectdb(conninfo);

    *out = (struct ledger_findings){0};
    buf_init(&want, LEDGER_MAX_BYTES);
    buf_init(&have, LEDGER_MAX_BYTES);
    out->acknowledged = read_records(path, &want);
    bool ok = PQstatus(db) == CONNECTION_OK;
    if (!ok)
        (void)fprintf(stderr, "ledger_check: %s", PQerrorMessage(db));
    ok = ok && read_rows(db, &have) && trace_rows_off(db, &out->trace_rows_off);
    out->stored = have.len / sizeof(struct ledger_record);
    const struct ledger_record *want_records = (const void *)want.at;
    if (ok)
        compare_sides(want_records, out->acknowledged, (const void *)have.at, out->stored, out);
    ok = ok && check_api(want_records, out->acknowledged, port, max_traces, out);
    PQfinish(db);
    buf_done(&want);
    buf_done(&have);
    return ok;
}

void ledger_print(const struct ledger_findings *f, FILE *to)
{
    (void)fprintf(to,
                  "acknowledged %zu, stored %zu, lost %zu, wrong %zu, twice %zu; by the API: %zu "
                  "traces, lost %zu, wrong %zu, twice %zu; trace rows off by %" PRId64 "\n",
                  f->acknowledged, f->stored, f->lost, f->wrong, f->twice, f->traces_read,
                  f->api_lost, f->api_wrong, f->api_twice, f->trace_rows_off);
}

bool ledger_is_clean(const struct ledger_findings *f)
{
    return f->acknowledged > 0 && f->lost + f->wrong + f->twice == 0 &&
           f->api_lost + f->api_wrong + f->api_twice == 0 && f->trace_rows_off == 0;
}
