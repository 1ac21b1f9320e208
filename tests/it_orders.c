/*
 * Every recorded export in every order: whatever order its spans come in, each in a request of its
 * own, twice or over two connections at once, the API shows what it shows of the whole recording sent
 * as it was recorded: byte by byte, in the trace (tokens, costs, who is billed and why, sums, whose it
 * is, names, types, previews, messages, sources) and in the list.
 *
 * Each telling is a world of its own (support/world.h), so that all can lie in one database and go
 * side by side. ORDERS=n: how many random orders (20). SEED=n and ONLY=name repeat what was found.
 */
#include "test.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/db.h"
#include "support/client.h"
#include "support/cluster.h"
#include "support/expect.h"
#include "support/fixture.h"
#include "support/fold.h"
#include "support/number.h"
#include "support/otlpview.h"
#include "support/server.h"
#include "support/world.h"

#define ROOM ((size_t)1 << 30)
#define MOST_TEXT ((size_t)64 << 20)
#define SENDERS 16
enum {
    MOST_RECORDINGS = 500,
    MOST_BODIES = 16,
    MOST_SPANS = 200,
    MOST_ROWS = 32,
    MOST_COMPLAINTS = 12
};

enum order { WHOLE, IN_ORDER, REVERSED, TWICE, TWO_CONNECTIONS, FIRST_RANDOM };
static const char *const order_names[] = {"in one request", "in order", "reversed",
                                          "everything twice", "over two connections"};

struct recording {
    const char *name;
    struct fixture_body bodies[MOST_BODIES];
    size_t body_count;
    struct world_ids ids;
    struct world_span spans[MOST_SPANS];
    size_t span_count;
    struct bytes *traces; /* as they are to be shown, by ids.traces */
    struct bytes *rows;   /* of the list, in any order */
    size_t row_count;
};

/* One telling of a recording. */
struct telling {
    const struct recording *of;
    unsigned world;
    unsigned order; /* enum order; from FIRST_RANDOM on a random one */
    struct buf request;
    struct reply reply;
    struct client clients[2];
    bool ok;
};

static struct cluster *cluster;
static char conninfo[CLUSTER_CONNINFO_BYTES];
static struct server server;
static struct db db;
static struct arena arena;   /* what is kept */
static struct arena scratch; /* documents of one recording, of one page of the list */
static struct recording recordings[MOST_RECORDINGS];
static size_t recording_count;
static uint64_t seed;
static unsigned order_count; /* tellings of each recording */

static atomic_uint next_world;
static atomic_uint requests_sent;
static atomic_uint wrong;

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? (uint64_t)number_at(text) : otherwise;
}

static int start(void **state)
{
    /* What is looked at is what is shown, not whether it outlives a crash: that is it_kill's. */
    static const char *const settings[] = {"-c", "fsync=off", NULL};
    static const char *const flags[] = {"--db", conninfo, NULL};
    struct err err;

    (void)state;
    arena_init(&arena, ROOM);
    arena_init(&scratch, ROOM);
    seed = number_of("SEED", (uint64_t)time(NULL));
    order_count = FIRST_RANDOM + (unsigned)number_of("ORDERS", 20);
    cluster = cluster_start(settings);
    cluster_new_database(cluster, conninfo);
    if (!server_up(&server, flags))
        return -1;
    if (!db_open(&db, conninfo, DB_ADMIN, 0, &err)) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    db_close(&db);
    server_remove(&server);
    cluster_stop(cluster);
    arena_done(&scratch);
    arena_done(&arena);
    return 0;
}

/* ---- as recorded ---- */

static void note_body(const struct fixture_body *body, void *context)
{
    const char *only = getenv("ONLY");
    struct recording *last = recording_count > 0 ? &recordings[recording_count - 1] : NULL;

    (void)context;
    if (only && !strstr(body->name, only))
        return;
    if (!last || strcmp(last->name, body->name) != 0) {
        assert_true(recording_count < MOST_RECORDINGS);
        last = &recordings[recording_count++];
        last->name = body->name;
    }
    assert_true(last->body_count < MOST_BODIES);
    last->bodies[last->body_count++] = *body;
}

/* All spans of a recording, in the order sent. */
static struct doc *spans_of(const struct recording *r)
{
    struct doc *all = doc_new(&scratch, DOC_ARRAY);
    struct doc *span;

    for (size_t i = 0; i < r->body_count; i++) {
        const struct fixture_body *body = &r->bodies[i];
        /* JSON as it was sent: a view would put right what is odd about it. */
        const struct doc *view =
            (body->json ? doc_parse : otlpview_of_protobuf)(&scratch, body->body);

        if (!view)
            fail_msg("%s %s is not well-formed", r->name, body->request);
        DOC_EACH(k, span, otlpview_spans(&scratch, view))
        doc_append(&scratch, all, span);
    }
    return all;
}

/* Adds a text that is not there yet. */
static void add_id(const char **ids, size_t *count, size_t most, const char *id)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(ids[i], id) == 0)
            return;
    assert_true(*count < most);
    ids[(*count)++] = arena_printf(&arena, "%s", id);
}

static void collect_traces(struct recording *r, const struct doc *spans)
{
    const struct doc *one;

    r->ids.traces = arena_array(&arena, const char *, MOST_SPANS);
    r->ids.responses = arena_array(&arena, const char *, MOST_SPANS);
    DOC_EACH(i, one, spans)
    add_id(r->ids.traces, &r->ids.trace_count, MOST_SPANS, doc_at(one, "span", "traceId", NULL));
}

static struct bytes shown_trace(struct recording *r, size_t trace)
{
    const char *path = arena_printf(&arena, "/api/v1/traces/%s", r->ids.traces[trace]);
    struct reply reply;
    struct bytes text;
    const struct doc *span;

    reply_init(&reply);
    http_get(server.http_port, path, &reply);
    if (reply.status != 200)
        fail_msg("%s: GET %s: %d", r->name, path, reply.status);
    text = arena_copy(&arena, buf_bytes(&reply.body));
    reply_done(&reply);
    DOC_EACH(i, span, doc_get(doc_parse(&scratch, text), "spans"))
    if (doc_at(span, "response_id", NULL)[0])
        add_id(r->ids.responses, &r->ids.response_count, MOST_SPANS,
               doc_at(span, "response_id", NULL));
    return text;
}

static bool knows_trace(const struct recording *r, const char *id)
{
    for (size_t t = 0; t < r->ids.trace_count; t++)
        if (strcmp(id, r->ids.traces[t]) == 0)
            return true;
    return false;
}

/* The rows of the list, as sorted texts. A trace with a day far from its others has two. */
static void collect_rows(struct recording *r)
{
    const struct doc *list =
        get_doc(&scratch, server.http_port, "/api/v1/traces?from=1970-01-01&limit=1000");
    const struct doc *rows = doc_get(list, "traces");
    const struct doc *row;

    r->rows = arena_array(&arena, struct bytes, doc_count(rows));
    DOC_EACH(i, row, rows)
    {
        assert_true(knows_trace(r, doc_at(row, "trace_id", NULL)));
        r->rows[r->row_count++] = arena_copy(&arena, bytes_of(doc_sorted(&scratch, row)));
    }
    assert_in_range(r->row_count, r->ids.trace_count, MOST_ROWS);
}

/* Ids of responses repeat between recordings: each is told as recorded in an empty table. */
static void empty_tables(void)
{
    struct err err;

    if (!db_exec(&db, "DELETE FROM spanledger.span", &err) ||
        !db_exec(&db, "DELETE FROM spanledger.span_payload", &err) ||
        !db_exec(&db, "DELETE FROM spanledger.trace", &err))
        fail_msg("%s", err.text);
}

static void tell_as_recorded(struct recording *r)
{
    const struct doc *spans;
    const struct doc *one;

    arena_reset(&scratch);
    spans = spans_of(r);
    empty_tables();
    collect_traces(r, spans);
    r->traces = arena_array(&arena, struct bytes, r->ids.trace_count);
    for (size_t i = 0; i < r->body_count; i++) {
        struct reply reply;

        reply_init(&reply);
        http_export(server.http_port, r->bodies[i].json, r->bodies[i].body, &reply);
        if (reply.status != 200)
            fail_msg("%s %s: %d", r->name, r->bodies[i].request, reply.status);
        reply_done(&reply);
    }
    for (size_t t = 0; t < r->ids.trace_count; t++)
        r->traces[t] = shown_trace(r, t);
    if (!world_can_tell(&r->ids))
        fail_msg("%s: its ids are too short or too like each other", r->name);
    collect_rows(r);
    DOC_EACH(i, one, spans)
    {
        assert_true(r->span_count < MOST_SPANS);
        r->spans[r->span_count++] = world_span_of(&arena, &scratch, one, &r->ids);
    }
}

/* ---- told anew ---- */

static const char *order_name(const struct telling *t, char room[32])
{
    if (t->order < FIRST_RANDOM)
        return order_names[t->order];
    (void)snprintf(room, 32, "random order %u", t->order - FIRST_RANDOM + 1);
    return room;
}

static void complain(const struct telling *t, const char *what, struct bytes is, struct bytes want)
{
    char room[32];
    size_t at = 0;
    size_t from;

    if (atomic_fetch_add(&wrong, 1) >= MOST_COMPLAINTS)
        return;
    while (at < is.len && at < want.len && is.at[at] == want.at[at])
        at++;
    from = at < 120 ? 0 : at - 120;
    print_error("%s, %s, seed %" PRIu64 ": %s\n    is   ...%.*s\n    want ...%.*s\n", t->of->name,
                order_name(t, room), seed, what, (int)(is.len - from < 240 ? is.len - from : 240),
                is.len ? (const char *)is.at + from : "",
                (int)(want.len - from < 240 ? want.len - from : 240),
                want.len ? (const char *)want.at + from : "");
}

static void fail_telling(struct telling *t, const char *what)
{
    complain(t, what, buf_bytes(&t->reply.body), (struct bytes){0});
    t->ok = false;
}

/* Which spans are sent, one after the other; returns how many. */
static size_t choose_order(const struct telling *t, size_t *spans)
{
    const size_t count = t->of->span_count;
    const size_t sent = t->order == TWICE ? 2 * count : count;
    uint64_t state = (seed + t->world) * UINT64_C(0x9E3779B97F4A7C15) | 1;

    for (size_t i = 0; i < sent; i++)
        spans[i] = t->order == REVERSED ? count - 1 - i : i % count;
    if (t->order < TWICE)
        return sent;
    for (size_t i = sent; i > 1; i--) {
        const size_t k = fold_random(&state) % i;
        const size_t swapped = spans[i - 1];

        spans[i - 1] = spans[k];
        spans[k] = swapped;
    }
    return sent;
}

/* A request with these spans; its answer is still to be read. */
static bool send_spans(struct telling *t, struct client *client, const size_t *spans, size_t count)
{
    struct buf *text = &t->request;
    struct buf head;
    bool sent;

    buf_clear(text);
    buf_add_text(text, "{\"resourceSpans\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(text, ',');
        world_tell(&t->of->spans[spans[i]], t->world, text);
    }
    buf_add_text(text, "]}");
    buf_init(&head, 1000);
    buf_printf(&head,
               "POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n",
               text->len);
    atomic_fetch_add(&requests_sent, 1);
    sent = buf_ok(text) && client_send(client, head.at, head.len) &&
           client_send(client, text->at, text->len);
    buf_done(&head);
    return sent;
}

static bool read_answer(struct telling *t, struct client *client)
{
    return client_read(client, &t->reply, CLIENT_WAIT_MS, false) && t->reply.status == 200 &&
           t->reply.body.len <= 2;
}

static void tell(struct telling *t)
{
    size_t spans[2 * MOST_SPANS];
    const size_t count = choose_order(t, spans);
    const size_t at_once = t->order == WHOLE ? count : 1;
    const size_t lines = t->order == TWO_CONNECTIONS ? 2 : 1;

    for (size_t i = 0; i < count; i += at_once * lines) {
        const size_t busy = lines == 2 && i + 1 < count ? 2 : 1;

        for (size_t c = 0; c < busy; c++)
            if (!send_spans(t, &t->clients[c], &spans[i + c], at_once)) {
                fail_telling(t, "a request could not be sent");
                return;
            }
        for (size_t c = 0; c < busy; c++)
            if (!read_answer(t, &t->clients[c])) {
                fail_telling(t, "a request was not accepted whole");
                return;
            }
    }
}

static void look_at_traces(struct telling *t)
{
    const struct world_ids *ids = &t->of->ids;
    struct buf shown;

    buf_init(&shown, MOST_TEXT);
    for (size_t i = 0; t->ok && i < ids->trace_count; i++) {
        char id[33];
        char path[80];

        world_trace_id(ids->traces[i], t->world, id);
        (void)snprintf(path, sizeof(path), "/api/v1/traces/%s", id);
        if (!client_call(&t->clients[0], "GET", path, "", (struct bytes){0}, &t->reply) ||
            t->reply.status != 200) {
            fail_telling(t, path);
            break;
        }
        buf_clear(&shown);
        world_forget(buf_bytes(&t->reply.body), ids, t->world, &shown);
        if (!bytes_equal(buf_bytes(&shown), t->of->traces[i]))
            complain(t, path, buf_bytes(&shown), t->of->traces[i]);
    }
    buf_done(&shown);
}

/* The worlds are numbered from 1: order by order, in each all recordings. */
static struct telling telling_of(unsigned world)
{
    return (struct telling){.of = &recordings[(world - 1) % recording_count],
                            .order = (world - 1) / (unsigned)recording_count,
                            .world = world,
                            .ok = true};
}

static unsigned last_world(void)
{
    return order_count * (unsigned)recording_count;
}

static void *send_worlds(void *context)
{
    struct client clients[2] = {{.fd = -1}, {.fd = -1}};
    unsigned world;

    (void)context;
    while ((world = atomic_fetch_add(&next_world, 1)) <= last_world()) {
        struct telling t = telling_of(world);

        reply_init(&t.reply);
        buf_init(&t.request, MOST_TEXT);
        for (size_t c = 0; c < 2; c++)
            if (clients[c].fd < 0 && !client_open(&clients[c], server.http_port))
                fail_telling(&t, "no connection");
        memcpy(t.clients, clients, sizeof(clients));
        if (t.ok)
            tell(&t);
        if (t.ok)
            look_at_traces(&t);
        memcpy(clients, t.clients, sizeof(clients));
        for (size_t c = 0; !t.ok && c < 2; c++)
            client_close(&clients[c]); /* whatever still comes on them is not for the next */
        buf_done(&t.request);
        reply_done(&t.reply);
    }
    for (size_t c = 0; c < 2; c++)
        client_close(&clients[c]);
    return NULL;
}

/* ---- the list ---- */

/* Which rows of which world were seen: a bit each. */
static uint32_t *seen_rows;

static void look_at_row(const struct doc *row)
{
    const char *id = doc_at(row, "trace_id", NULL);
    char number[WORLD_DIGITS + 1] = "";
    struct telling t;
    struct buf shown;
    size_t i = 0;

    memcpy(number, id, WORLD_DIGITS);
    assert_in_range(number_at_hex(number), 1, last_world());
    t = telling_of((unsigned)number_at_hex(number));
    buf_init(&shown, MOST_TEXT);
    world_forget(bytes_of(doc_sorted(&scratch, row)), &t.of->ids, t.world, &shown);
    while (i < t.of->row_count && !bytes_equal(buf_bytes(&shown), t.of->rows[i]))
        i++;
    if (i == t.of->row_count)
        complain(&t, "a row of the list that the whole has not", buf_bytes(&shown), t.of->rows[0]);
    else if (seen_rows[t.world] & UINT32_C(1) << i)
        complain(&t, "a row of the list, twice", buf_bytes(&shown), (struct bytes){0});
    else
        seen_rows[t.world] |= UINT32_C(1) << i;
    buf_done(&shown);
}

/* Each row of each world is listed, once. */
static void look_at_list(void)
{
    const char *cursor = "";
    char path[1000];

    seen_rows = arena_array(&arena, uint32_t, last_world() + 1);
    do {
        const struct doc *list;
        const struct doc *row;

        (void)snprintf(path, sizeof(path), "/api/v1/traces?from=1970-01-01&limit=1000%s%s",
                       *cursor ? "&cursor=" : "", cursor);
        arena_reset(&scratch);
        list = get_doc(&scratch, server.http_port, path);
        DOC_EACH(i, row, doc_get(list, "traces"))
        look_at_row(row);
        cursor = doc_at(list, "next_cursor", NULL);
    } while (*cursor);
    for (unsigned world = 1; world <= last_world(); world++) {
        const struct telling t = telling_of(world);

        for (size_t i = 0; i < t.of->row_count; i++)
            if (!(seen_rows[world] & UINT32_C(1) << i))
                complain(&t, "a row of the list is not there", (struct bytes){0}, t.of->rows[i]);
    }
}

static void every_order_is_shown_as_the_whole(void **state)
{
    pthread_t senders[SENDERS];
    int64_t since = mono_ms();
    size_t spans = 0;
    size_t traces = 0;

    (void)state;
    (void)fixture_each(&arena, NULL, note_body, NULL);
    (void)fixture_each_recording(&arena, note_body, NULL);
    assert_true(recording_count >= 71 || getenv("ONLY"));
    assert_true(last_world() <= WORLD_MOST);
    for (size_t i = 0; i < recording_count; i++) {
        tell_as_recorded(&recordings[i]);
        spans += recordings[i].span_count;
        traces += recordings[i].ids.trace_count;
    }
    empty_tables();
    print_message("seed %" PRIu64 ": %zu recordings of %zu spans in %zu traces, read in %" PRId64
                  " ms; each told in %u ways\n",
                  seed, recording_count, spans, traces, mono_ms() - since, order_count);
    since = mono_ms();
    atomic_store(&next_world, 1);
    for (size_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&senders[i], NULL, send_worlds, NULL), 0);
    for (size_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_join(senders[i], NULL), 0);
    print_message("%u requests and %zu traces in %" PRId64 " ms\n", atomic_load(&requests_sent),
                  traces * order_count, mono_ms() - since);
    look_at_list();
    print_message("%u differences\n", atomic_load(&wrong));
    assert_int_equal(atomic_load(&wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_is_shown_as_the_whole),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
