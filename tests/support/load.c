/* Threads that send spans by every protocol and keep a ledger of what was acknowledged. */
#include "support/load.h"

#include <stdlib.h>
#include <unistd.h>

#include "support/client.h"
#include "support/expect.h"

#define LAST_REQUEST_MS 60000
#define MAX_SPANS 200
#define PROTOCOLS 4 /* 0 HTTP/1.1 protobuf, 1 HTTP/1.1 JSON gzip, 2 HTTP/2 protobuf, 3 gRPC */

enum outcome { ACKNOWLEDGED, REFUSED, VANISHED, BAD };

struct sender {
    struct load *load;
    unsigned number;
    uint64_t random;
    struct client client; /* HTTP/1.1 */
    struct h2_client *h2;
    uint16_t port; /* that client or h2 is connected to */
    struct buf body;
    struct buf sent; /* compressed or framed */
    struct ledger_record records[MAX_SPANS];
    struct test_span spans[MAX_SPANS];
    char names[MAX_SPANS][32];
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void make_request(struct sender *s)
{
    const unsigned count = s->load->options.spans;
    struct test_ids ids;
    static const char filler[] = ",\"attributes\":[{\"key\":\"filler\",\"value\":{\"stringValue\":"
                                 "\"some text that makes the span "
                                 "as long as one of an ordinary application\"}}]";

    test_ids_next(&ids);
    for (unsigned i = 0; i < count; i++) {
        struct ledger_record *r = &s->records[i];
        memcpy(r->trace_id, ids.trace_id, 16);
        put_be64(r->span_id, next_random(&s->random) | 1);
        r->content = next_random(&s->random);
        (void)snprintf(s->names[i], sizeof(s->names[i]), "content %016llx",
                       (unsigned long long)r->content);
        s->spans[i] = test_span_of(&ids, s->names[i]);
        s->spans[i].span_id.at = r->span_id;
        if (i > 0)
            s->spans[i].parent = (struct bytes){s->records[0].span_id, 8};
        s->spans[i].json = filler;
    }
    const unsigned protocol = s->number % PROTOCOLS;
    buf_clear(&s->body);
    buf_clear(&s->sent);
    (protocol == 1 ? json_request : pb_request)(&s->body, "load", s->spans, count);
    if (protocol == 1)
        gzip_bytes(buf_bytes(&s->body), &s->sent);
    else if (protocol == 3)
        grpc_frame(buf_bytes(&s->body), false, &s->sent);
    else
        buf_add_bytes(&s->sent, buf_bytes(&s->body));
}

static void disconnect(struct sender *s)
{
    client_close(&s->client);
    h2_close(s->h2);
    s->h2 = NULL;
}

/* Keeps the first answer that no exporter would get over, for the failure's text. */
static enum outcome bad(struct load *load, const char *what, int status, int code,
                        const char *message)
{
    if (atomic_fetch_add(&load->bad_answers, 1) == 0)
        (void)snprintf(load->first_bad, sizeof(load->first_bad), "%s: status %d, code %d: %.200s",
                       what, status, code, message);
    return BAD;
}

static enum outcome judge_http(struct load *load, const struct reply *reply)
{
    char wait[32];

    if (reply->status == 200)
        return reply->body.len <= 2 ? ACKNOWLEDGED
                                    : bad(load, "partial success", 200, 0, (char *)reply->body.at);
    if ((reply->status == 503 || reply->status == 429) &&
        reply_header(reply, "retry-after", wait, sizeof(wait)) && wait[0] >= '1' && wait[0] <= '9')
        return REFUSED; /* OTLP-53, OTLP-54 */
    return bad(load, "HTTP", reply->status, 0, reply->body.len ? (char *)reply->body.at : "");
}

static enum outcome judge_grpc(struct load *load, const struct h2_reply *reply)
{
    struct status_view status;

    if (reply->grpc_status == 0)
        return reply->body.len == 5 ? ACKNOWLEDGED : bad(load, "gRPC partial success", 200, 0, "");
    if (reply->grpc_status == 14 && status_of_details(reply, &status) && status.retry_info &&
        status.retry_ms > 0)
        return REFUSED; /* OTLP-68, OTLP-69 */
    return bad(load, "gRPC", reply->status, reply->grpc_status, reply->grpc_message);
}

static enum outcome send_http1(struct sender *s, bool lose)
{
    struct load *load = s->load;
    struct buf head;
    struct reply reply;
    enum outcome outcome = VANISHED;

    if (s->client.fd < 0 && !client_open(&s->client, s->port))
        return VANISHED;
    buf_init(&head, 65536);
    reply_init(&reply);
    buf_printf(&head,
               "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\n%s"
               "Content-Length: %zu\r\n\r\n",
               s->number % PROTOCOLS == 1 ? "application/json" : "application/x-protobuf",
               s->number % PROTOCOLS == 1 ? "Content-Encoding: gzip\r\n" : "", s->sent.len);
    if (client_send(&s->client, head.at, head.len) &&
        client_send(&s->client, s->sent.at, s->sent.len)) {
        atomic_fetch_add(&load->in_flight, 1);
        if (lose) {
            /* The answer has come as far as the kernel, so the server has committed; nobody reads
             * it. */
            client_wait_input(&s->client, CLIENT_WAIT_MS);
        } else if (client_read(&s->client, &reply, CLIENT_WAIT_MS, false)) {
            buf_add_byte(&reply.body, 0);
            reply.body.len--;
            outcome = judge_http(load, &reply);
        }
        atomic_fetch_sub(&load->in_flight, 1);
    }
    if (outcome == VANISHED || reply_header_is(&reply, "connection", "close"))
        client_close(&s->client);
    buf_done(&head);
    reply_done(&reply);
    return outcome;
}

static const struct h2_field h2_fields[] = {{":method", "POST"},
                                            {":scheme", "http"},
                                            {":path", "/v1/traces"},
                                            {":authority", "127.0.0.1"},
                                            {"content-type", "application/x-protobuf"},
                                            {NULL, NULL}};
static const struct h2_field grpc_fields[] = {{":method", "POST"},
                                              {":scheme", "http"},
                                              {":path", GRPC_EXPORT_PATH},
                                              {":authority", "127.0.0.1"},
                                              {"te", "trailers"},
                                              {"content-type", "application/grpc"},
                                              {NULL, NULL}};

/* An HTTP/2 reply in HTTP/1.1's shape, for the one judge. */
static enum outcome judge_h2(struct load *load, const struct h2_reply *reply)
{
    struct reply as_http;
    char wait[32] = "";

    reply_init(&as_http);
    as_http.status = reply->status;
    if (h2_reply_field(reply, "retry-after", wait, sizeof(wait)))
        buf_printf(&as_http.head, "\r\nretry-after: %s\r\n", wait);
    buf_add_byte(&as_http.head, 0);
    buf_add_bytes(&as_http.body, buf_bytes(&reply->body));
    buf_add_byte(&as_http.body, 0);
    as_http.body.len--;
    const enum outcome outcome = judge_http(load, &as_http);
    reply_done(&as_http);
    return outcome;
}

static enum outcome send_http2(struct sender *s, bool lose)
{
    struct load *load = s->load;
    const bool grpc = s->number % PROTOCOLS == 3;
    struct h2_reply reply;
    enum outcome outcome = VANISHED;

    if (!s->h2)
        s->h2 = h2_open(s->port);
    if (!s->h2)
        return VANISHED;
    h2_reply_init(&reply);
    if (h2_submit(s->h2, grpc ? grpc_fields : h2_fields, buf_bytes(&s->sent), 0, &reply)) {
        atomic_fetch_add(&load->in_flight, 1);
        const bool answered = h2_wait(s->h2, CLIENT_WAIT_MS) && reply.status != 0;
        atomic_fetch_sub(&load->in_flight, 1);
        if (answered && !lose)
            outcome = grpc ? judge_grpc(load, &reply) : judge_h2(load, &reply);
        /* GOAWAY without the stream: safe to send again, an answer of its kind. */
        else if (!answered && reply.closed && h2_saw_goaway(s->h2))
            outcome = REFUSED;
    }
    if (outcome == VANISHED || !h2_is_open(s->h2) || h2_saw_goaway(s->h2)) {
        h2_close(s->h2);
        s->h2 = NULL;
    }
    h2_reply_done(&reply);
    return outcome;
}

static enum outcome send_once(struct sender *s, bool lose)
{
    const bool grpc = s->number % PROTOCOLS == 3;
    const uint16_t port = atomic_load(grpc ? &s->load->grpc_port : &s->load->http_port);

    if (port != s->port)
        disconnect(s);
    s->port = port;
    return s->number % PROTOCOLS >= 2 ? send_http2(s, lose) : send_http1(s, lose);
}

/* Sends one request until it is acknowledged. False: given up. */
static bool send_until_acknowledged(struct sender *s)
{
    struct load *load = s->load;
    int64_t last_ms = 0;
    bool lose = load->options.lose_answers;

    for (unsigned attempt = 0;; attempt++) {
        const enum outcome outcome = send_once(s, lose);
        if (outcome == ACKNOWLEDGED)
            return true;
        if (lose) {
            lose = next_random(&s->random) % 4 == 0; /* now and then a second time */
            atomic_fetch_add(&load->answers_lost, 1);
            continue;
        }
        if (outcome == BAD)
            return true; /* counted; a real exporter would drop it, so it is no entry */
        if (outcome == REFUSED)
            atomic_fetch_add(&load->refused, 1);
        if (outcome == VANISHED && !atomic_load(&load->server_may_vanish))
            atomic_fetch_add(&load->unanswered, 1);
        if (atomic_load(&load->stop) && last_ms == 0)
            last_ms = mono_ms() + LAST_REQUEST_MS;
        if (last_ms && mono_ms() > last_ms)
            return false;
        atomic_fetch_add(&load->retries, 1);
        (void)usleep(20000 + (unsigned)(next_random(&s->random) % 30000));
    }
}

static void *run_sender(void *arg)
{
    struct sender *s = arg;
    struct load *load = s->load;
    bool ok = true;

    while (ok && !atomic_load(&load->stop)) {
        const uint64_t bad_before = atomic_load(&load->bad_answers);
        make_request(s);
        ok = send_until_acknowledged(s);
        if (ok && (bad_before == atomic_load(&load->bad_answers)))
            ok = ledger_add(load->ledger, s->records, load->options.spans);
        atomic_fetch_add(&load->acknowledged, load->options.spans);
        atomic_fetch_add(&load->requests, 1);
        if (load->options.pause_ms)
            (void)usleep((unsigned)load->options.pause_ms * 1000);
    }
    disconnect(s);
    buf_done(&s->body);
    buf_done(&s->sent);
    free(s);
    return ok ? NULL : load;
}

bool load_start(struct load *load, const struct load_options *options, struct ledger *ledger,
                uint16_t http_port, uint16_t grpc_port)
{
    *load = (struct load){.options = *options, .ledger = ledger};
    atomic_store(&load->http_port, http_port);
    atomic_store(&load->grpc_port, grpc_port);
    if (options->threads > LOAD_MAX_THREADS || options->spans > MAX_SPANS)
        return false;
    for (; load->running < options->threads; load->running++) {
        struct sender *s = calloc(1, sizeof(*s));
        if (!s)
            return false;
        s->load = load;
        s->number = load->running;
        s->random = (options->seed + load->running + 1) * 0x9e3779b97f4a7c15u;
        s->client.fd = -1;
        buf_init(&s->body, 16 << 20);
        buf_init(&s->sent, 16 << 20);
        if (pthread_create(&load->threads[load->running], NULL, run_sender, s) != 0) {
            free(s);
            return false;
        }
    }
    return true;
}

bool load_finish(struct load *load)
{
    bool ok = true;

    atomic_store(&load->stop, true);
    for (unsigned i = 0; i < load->running; i++) {
        void *failed = NULL;
        (void)pthread_join(load->threads[i], &failed);
        ok = ok && !failed;
    }
    load->running = 0;
    return ok;
}

bool load_wait_in_flight(struct load *load, int wait_ms)
{
    for (int64_t until_ms = mono_ms() + wait_ms; mono_ms() < until_ms;) {
        if (atomic_load(&load->in_flight) > 0)
            return true;
        (void)usleep(200);
    }
    return false;
}
