/* Counting once in the write transaction: whatever came in which order, in which request, over which
 * connection, and how often: what is billed is the same, and the same as ledger/fold says of all
 * spans together. */
#include "store/write.h"
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ledger/fold.h"
#include "store/migrate.h"
#include "support/cluster.h"
#include "support/must.h"

#define NOW_NS (INT64_C(20778) * S_PER_DAY * NS_PER_S + 3600 * NS_PER_S) /* 2026-11-21 01:00 */
#define HOUR_NS (INT64_C(3600) * NS_PER_S)
#define SPANS 120
#define TRACES 12

static struct cfg cfg;
static struct cluster *cluster;
static char conninfo[CLUSTER_CONNINFO_BYTES];
static struct db db;
static struct arena arena;

static struct stored_resource resource = {
    .id.at = {1}, .service_name = BYTES_CONSTANT("shop"), .attributes = BYTES_CONSTANT("{}")};
static struct stored_scope scopes[] = {
    {.id.at = {2}, .name = BYTES_CONSTANT("one"), .attributes = BYTES_CONSTANT("{}")},
    {.id.at = {3}, .name = BYTES_CONSTANT("two"), .attributes = BYTES_CONSTANT("{}")},
    {.id.at = {4},
     .name = BYTES_CONSTANT("com.anthropic.sdk.python"),
     .attributes = BYTES_CONSTANT("{}")}};

static int setup(void **state)
{
    struct err err = {0};
    int rest;
    int applied;
    char program[] = "it_fold";
    char *argv[] = {program};

    (void)state;
    cluster = cluster_start(NULL);
    cluster_new_database(cluster, conninfo);
    must(cfg_load(&cfg, 0, argv, NULL, &rest, &err));
    must(db_open(&db, conninfo, DB_ADMIN, 0, &err));
    must(migrate_run(&db, &cfg, &applied, &err));
    arena_init(&arena, (size_t)256 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    db_close(&db);
    cfg_done(&cfg);
    cluster_stop(cluster);
    return 0;
}

static uint32_t dice;

static uint32_t roll(uint32_t sides)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % sides;
}

static const struct meaning *some_meaning(void)
{
    struct meaning *m = arena_new(&arena, struct meaning);

    assert_non_null(m);
    m->observation =
        (enum observation[]){OBSERVATION_LLM,   OBSERVATION_LLM,   OBSERVATION_EMBEDDING,
                             OBSERVATION_AGENT, OBSERVATION_CHAIN, OBSERVATION_TOOL}[roll(6)];
    m->model = roll(3) ? BYTES_LITERAL("gpt-4o") : BYTES_LITERAL("gpt-4o-2024-08-06");
    m->reported_cost = roll(8) ? COST_UNKNOWN : 5000;
    m->cost = (struct cost){
        .total = m->reported_cost, .computed = COST_UNKNOWN, .reported = m->reported_cost};
    if (roll(3) && (observation_is_call(m->observation) || roll(3) == 0)) {
        m->usage.sent = true;
        m->usage.rule = USAGE_RULE_PLAIN;
        m->usage.tokens[TOKEN_INPUT] = 100 + roll(3);
        m->usage.tokens[TOKEN_OUTPUT] = 10 + roll(2);
        m->usage.tokens[TOKEN_CACHE_READ] = roll(2);
        for (size_t i = 0; i < TOKEN_KIND_COUNT; i++)
            m->usage.total += m->usage.tokens[i];
        m->cost.computed = 2 * m->usage.total;
        m->cost.total = m->cost.computed;
        m->cost.source = COST_SOURCE_COMPUTED;
        m->cost.by_kind[TOKEN_INPUT] = m->cost.computed;
    }
    if (roll(3) && observation_is_call(m->observation))
        m->response_id = bytes_of(arena_printf(&arena, "response %u", roll(SPANS / 4)));
    if (roll(12) == 0)
        m->flags |= MEANING_AGGREGATE;
    if (roll(12) == 0)
        m->flags |= MEANING_NATIVE;
    if (roll(20) == 0)
        m->flags |= MEANING_CACHE_HIT;
    m->session_id = roll(4) ? (struct bytes){0} : BYTES_LITERAL("s");
    return m;
}

/* Traces that share response ids, some over midnight, some with versions of a span. */
static void make_world(struct stored_span *rows, uint32_t seed)
{
    dice = seed;
    for (uint32_t i = 0; i < SPANS; i++) {
        const uint32_t trace = roll(TRACES);
        struct stored_span *row = &rows[i];

        *row = (struct stored_span){.tenant_id = TENANT_DEFAULT,
                                    .trace_id.at = {(uint8_t)trace, 9, (uint8_t)seed},
                                    .span_id = (int64_t)i + 1,
                                    .start_unix_ns =
                                        NOW_NS + trace * 9 * HOUR_NS + roll(1000) * NS_PER_S,
                                    .duration_ns = (int64_t)(1 + roll(1000)) * NS_PER_S,
                                    .kind = 1 + (int32_t)roll(3),
                                    .name = BYTES_LITERAL("work"),
                                    .service_name = BYTES_LITERAL("shop"),
                                    .attributes = BYTES_LITERAL("{}"),
                                    .content_hash = (int64_t)i,
                                    .received_ns = NOW_NS,
                                    .resource = &resource,
                                    .scope = &scopes[roll(3)],
                                    .meaning = roll(5) ? some_meaning() : NULL};
        row->trace_bucket = stored_bucket(&row->trace_id);
        row->has_parent = roll(6) > 0;
        row->parent_span_id = 1 + roll(SPANS); /* of this trace or of none */
        for (uint32_t k = i; k-- > 0;)         /* mostly one that is there */
            if (memcmp(rows[k].trace_id.at, row->trace_id.at, 16) == 0 && roll(2)) {
                row->parent_span_id = rows[k].span_id;
                break;
            }
        if (i > 0 && roll(10) == 0) { /* another version of an earlier span */
            const uint32_t other = roll(i);

            row->trace_id = rows[other].trace_id;
            row->trace_bucket = rows[other].trace_bucket;
            row->span_id = rows[other].span_id;
            row->start_unix_ns = rows[other].start_unix_ns;
            row->kind = rows[other].kind;
        }
    }
}

static char *dump(const char *sql)
{
    DB_RESULT res = PQexec(db.conn, sql);

    if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1)
        fail_msg("%s", PQresultErrorMessage(res));
    return strdup(PQgetvalue(res, 0, 0));
}

static char *dump_spans(void)
{
    return dump(
        "SELECT string_agg(format('%s %s %s %s %s %s %s %s', trace_id, span_id, start_time, kind, "
        "coalesce(billable, false), coalesce(billing_reason, 0), duplicate_of_trace_id, "
        "duplicate_of_span_id), E'\\n' ORDER BY trace_id, span_id, start_time, kind) FROM "
        "spanledger.span");
}

static char *dump_traces(void)
{
    return dump("SELECT string_agg(to_jsonb(t)::text, E'\\n' ORDER BY t.trace_id, t.day) FROM "
                "spanledger.trace t");
}

/* The same lines from ledger/fold alone, over the versions that stand. */
struct truth {
    struct stored_span rows[SPANS];
    struct fold_span spans[SPANS];
    const struct fold_span *elsewhere[SPANS];
    size_t count;
};

static bool is_greater(const struct stored_span *a, const struct stored_span *b)
{
    if (a->duration_ns != b->duration_ns)
        return a->duration_ns > b->duration_ns;
    return a->content_hash > b->content_hash;
}

static int compare_rows(const void *a, const void *b)
{
    const struct stored_span *x = a;
    const struct stored_span *y = b;
    const int order = memcmp(x->trace_id.at, y->trace_id.at, 16);

    return order ? order : (x->span_id > y->span_id) - (x->span_id < y->span_id);
}

static void find_truth(const struct stored_span *rows, struct truth *truth)
{
    struct err err = {0};

    truth->count = 0;
    for (size_t i = 0; i < SPANS; i++) {
        bool stands = true;

        for (size_t k = 0; k < SPANS; k++)
            stands &=
                rows[k].span_id != rows[i].span_id || k == i || is_greater(&rows[i], &rows[k]);
        if (stands)
            truth->rows[truth->count++] = rows[i];
    }
    qsort(truth->rows, truth->count, sizeof(truth->rows[0]), compare_rows);
    for (size_t i = 0; i < truth->count; i++)
        fold_facts(&truth->rows[i], &truth->spans[i]);
    for (size_t i = 0, end; i < truth->count; i = end) {
        struct arena scratch;

        for (end = i; end < truth->count &&
                      memcmp(truth->rows[end].trace_id.at, truth->rows[i].trace_id.at, 16) == 0;)
            end++;
        arena_init(&scratch, (size_t)64 << 20);
        must(fold_trace(&truth->spans[i], end - i, &scratch, &err));
        for (size_t k = i; k < end; k++)
            truth->elsewhere[k] = truth->spans[k].duplicate_of == SIZE_MAX
                                      ? NULL
                                      : &truth->spans[i + truth->spans[k].duplicate_of];
        arena_done(&scratch);
    }
}

static void share_calls(struct truth *truth)
{
    bool done[SPANS] = {false};

    for (size_t i = 0; i < truth->count; i++) {
        struct fold_span *group[SPANS];
        size_t count = 0;
        const uint64_t key = truth->spans[i].call_key;

        if (done[i] || !truth->spans[i].billable || key == 0)
            continue;
        for (size_t k = i; k < truth->count; k++)
            if (truth->spans[k].billable && truth->spans[k].call_key == key) {
                group[count++] = &truth->spans[k];
                done[k] = true;
            }
        fold_response(group, count);
        for (size_t k = 0; k < count; k++)
            if (!group[k]->billable)
                truth->elsewhere[group[k] - truth->spans] = group[group[k]->duplicate_of];
    }
}

static void uuid_text(const struct uuid *id, char text[40])
{
    size_t len = 0;

    for (size_t i = 0; i < 16; i++)
        len += (size_t)snprintf(text + len, 40 - len, "%s%02x",
                                i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id->at[i]);
}

/* Lines of the database against the truth; both in order of trace and span. */
static void assert_true_to_fold(const char *lines, const struct truth *truth)
{
    const char *at = lines;

    for (size_t i = 0; i < truth->count; i++) {
        const struct fold_span *span = &truth->spans[i];
        const struct fold_span *other = truth->elsewhere[i];
        char want[200];
        char id[40];
        char rest[100] = " ";

        uuid_text(&span->trace_id, id);
        if (!strstr(at, id))
            fail_msg("no line of trace %s", id);
        if (other) {
            char other_id[40];

            uuid_text(&other->trace_id, other_id);
            (void)snprintf(rest, sizeof(rest), "%s %lld", other_id, (long long)other->span_id);
        }
        (void)snprintf(want, sizeof(want), "%d %s %d %s", span->kind, span->billable ? "t" : "f",
                       (int)span->reason, rest);
        const char *end = strchrnul(at, '\n');
        const size_t len = strlen(want);
        if ((size_t)(end - at) < len || memcmp(end - len, want, len) != 0)
            fail_msg("span %zu: '%.*s', want it to end with '%s'", i, (int)(end - at), at, want);
        at = *end ? end + 1 : end;
    }
    assert_int_equal(*at, '\0');
}

static void shuffle(struct stored_span *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const size_t other = roll((uint32_t)count);
        const struct stored_span swapped = rows[i];

        rows[i] = rows[other];
        rows[other] = swapped;
    }
}

/* One connection's work. */
struct sender {
    pthread_t thread;
    struct stored_span rows[2 * SPANS];
    size_t count;
    size_t most; /* of one request */
    uint32_t dice;
    struct err err;
    bool failed;
};

static void *send_all(void *arg)
{
    struct sender *s = arg;
    struct seen *seen = seen_new();
    struct writer *writer = NULL;

    s->failed = !writer_new(&cfg, conninfo, seen, &writer, &s->err);
    for (size_t i = 0, n; i < s->count && !s->failed; i += n) {
        struct write_item items[2 * SPANS];

        s->dice = s->dice * 1664525 + 1013904223;
        n = 1 + (s->dice >> 8) % s->most;
        n = n < s->count - i ? n : s->count - i;
        for (size_t k = 0; k < n; k++)
            items[k] = (struct write_item){.row = &s->rows[i + k]};
        /* What a client does when it is told to come again. */
        for (int tries = 0; tries < 20; tries++) {
            s->failed = !writer_write(writer, items, n, &s->err);
            if (!s->failed || s->err.kind != ERR_UNAVAILABLE)
                break;
        }
    }
    writer_free(writer);
    seen_free(seen);
    return NULL;
}

static struct sender senders[2];

enum way { AT_ONCE, ONE_BY_ONE, REVERSE, SHUFFLED, TWICE, TWO_CONNECTIONS, WAYS };

static void prepare(const struct stored_span *rows, enum way way, uint32_t seed)
{
    const size_t connections = way == TWO_CONNECTIONS ? 2 : 1;

    dice = seed;
    for (size_t c = 0; c < connections; c++) {
        struct sender *s = &senders[c];

        s->count = SPANS;
        s->dice = seed + (uint32_t)c;
        s->most = way == AT_ONCE ? 2 * SPANS : way == ONE_BY_ONE ? 1 : 1 + roll(20);
        memcpy(s->rows, rows, SPANS * sizeof(*rows));
        if (way == TWICE) {
            memcpy(s->rows + SPANS, rows, SPANS * sizeof(*rows));
            s->count = 2 * SPANS;
        }
        if (way == REVERSE)
            for (size_t i = 0; i < SPANS; i++)
                s->rows[i] = rows[SPANS - 1 - i];
        if (way >= SHUFFLED)
            shuffle(s->rows, s->count);
        if (way == TWO_CONNECTIONS) /* some spans come over both */
            s->count = SPANS * 3 / 4;
    }
    if (way != TWO_CONNECTIONS)
        return;
    /* The second has what the first has not, and more. */
    for (size_t i = 0; i < SPANS / 4; i++)
        senders[1].rows[i] = senders[0].rows[SPANS * 3 / 4 + i];
    shuffle(senders[1].rows, senders[1].count);
}

static void send(enum way way)
{
    const size_t connections = way == TWO_CONNECTIONS ? 2 : 1;
    struct err err = {0};

    must(db_exec(&db, "TRUNCATE spanledger.span, spanledger.trace, spanledger.span_payload", &err));
    for (size_t c = 0; c < connections; c++)
        assert_int_equal(pthread_create(&senders[c].thread, NULL, send_all, &senders[c]), 0);
    for (size_t c = 0; c < connections; c++) {
        assert_int_equal(pthread_join(senders[c].thread, NULL), 0);
        if (senders[c].failed)
            fail_msg("connection %zu: %s: %s", c, err_kind_name(senders[c].err.kind),
                     senders[c].err.text);
    }
}

static void the_same_is_billed_in_every_order(void **state)
{
    static struct stored_span rows[SPANS];
    static struct truth truth;

    (void)state;
    for (uint32_t world = 1; world <= 3; world++) {
        char *first_traces = NULL;

        arena_reset(&arena);
        make_world(rows, world);
        find_truth(rows, &truth);
        share_calls(&truth);
        for (uint32_t turn = 0; turn < 10; turn++) {
            const enum way way = turn < WAYS ? (enum way)turn
                                 : turn % 2  ? TWO_CONNECTIONS
                                             : SHUFFLED;
            char *spans;
            char *traces;

            prepare(rows, way, world * 100 + turn);
            send(way);
            spans = dump_spans();
            traces = dump_traces();
            assert_true_to_fold(spans, &truth);
            if (!first_traces)
                first_traces = strdup(traces);
            assert_string_equal(traces, first_traces);
            free(spans);
            free(traces);
        }
        free(first_traces);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_billed_in_every_order),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
