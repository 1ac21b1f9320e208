/* What answers of the server must look like. */
#include "support/expect.h"

#include "test.h"

#include <stdio.h>

#include "base/text.h"
#include "support/number.h"

static bool read_varint(struct bytes *from, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && from->len; shift += 7) {
        const uint8_t byte = *from->at;
        from->at++;
        from->len--;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* One field of wire type 0 or 2; others do not stand in a Status. */
static bool read_field(struct bytes *from, unsigned *number, uint64_t *value, struct bytes *text)
{
    uint64_t tag;

    *text = (struct bytes){0};
    if (!read_varint(from, &tag) || ((tag & 7) != 0 && (tag & 7) != 2) || !read_varint(from, value))
        return false;
    *number = (unsigned)(tag >> 3);
    if ((tag & 7) == 0)
        return true;
    if (*value > from->len)
        return false;
    *text = (struct bytes){from->at, *value};
    from->at += *value;
    from->len -= *value;
    return true;
}

static void keep(char *to, size_t to_bytes, struct bytes text)
{
    (void)snprintf(to, to_bytes, "%.*s", (int)text.len, text.len ? (const char *)text.at : "");
}

/* The first field of that number in a message; a number in out_value, a text in the result. */
static struct bytes inner(struct bytes message, unsigned wanted, uint64_t *out_value)
{
    unsigned number;
    uint64_t value;
    struct bytes text;

    while (message.len && read_field(&message, &number, &value, &text)) {
        if (number == wanted) {
            *out_value = value;
            return text;
        }
    }
    *out_value = 0;
    return (struct bytes){0};
}

static void read_detail(struct bytes any, struct status_view *out)
{
    uint64_t unused, seconds, nanos;
    const struct bytes type = inner(any, 1, &unused);
    const struct bytes value = inner(any, 2, &unused);

    if (bytes_is(type, "type.googleapis.com/google.rpc.BadRequest")) {
        out->bad_request = true;
        keep(out->field, sizeof(out->field), inner(inner(value, 1, &unused), 1, &unused));
    } else if (bytes_is(type, "type.googleapis.com/google.rpc.RetryInfo")) {
        const struct bytes delay = inner(value, 1, &unused);
        (void)inner(delay, 1, &seconds);
        (void)inner(delay, 2, &nanos);
        out->retry_info = true;
        out->retry_ms = (int64_t)seconds * 1000 + (int64_t)nanos / 1000000;
    }
}

bool status_of_protobuf(struct bytes body, struct status_view *out)
{
    unsigned number;
    uint64_t value;
    struct bytes text;

    *out = (struct status_view){0};
    while (body.len) {
        if (!read_field(&body, &number, &value, &text) || number < 1 || number > 3)
            return false;
        if (number == 1)
            out->code = (int)value;
        if (number == 2)
            keep(out->message, sizeof(out->message), text);
        if (number == 3)
            read_detail(text, out);
    }
    return true;
}

bool status_of_json(struct bytes body, struct status_view *out)
{
    struct arena arena;

    *out = (struct status_view){0};
    arena_init(&arena, 64 << 20);
    const struct doc *d = doc_parse(&arena, body);
    if (d && d->kind == DOC_OBJECT) {
        out->code = doc_get(d, "code") ? (int)doc_int_at(d, "code", NULL) : 0;
        (void)snprintf(out->message, sizeof(out->message), "%s", doc_at(d, "message", NULL));
        const struct doc *detail = doc_item(doc_get(d, "details"), 0);
        out->bad_request = strstr(doc_at(detail, "@type", NULL), "BadRequest") != NULL;
        (void)snprintf(out->field, sizeof(out->field), "%s",
                       doc_at(doc_item(doc_get(detail, "fieldViolations"), 0), "field", NULL));
    }
    const bool ok = d && d->kind == DOC_OBJECT;
    arena_done(&arena);
    return ok;
}

bool status_of_details(const struct h2_reply *reply, struct status_view *out)
{
    uint8_t raw[2048];
    size_t len = 0;

    return reply->grpc_details[0] && text_unbase64(bytes_of(reply->grpc_details), raw, &len) &&
           status_of_protobuf((struct bytes){raw, len}, out);
}

void expect_error(const char *why, const struct reply *reply, int http_status, bool json)
{
    struct status_view status;
    const char *type = json ? "application/json" : "application/x-protobuf";
    char found[200] = "";

    if (reply->status != http_status)
        fail_msg("%s: status %d, want %d: %.*s", why, reply->status, http_status,
                 (int)reply->body.len, (char *)reply->body.at);
    (void)reply_header(reply, "content-type", found, sizeof(found));
    if (strcmp(found, type) != 0)
        fail_msg("%s: content type '%s', want '%s'", why, found, type);
    if (!(json ? status_of_json : status_of_protobuf)(buf_bytes(&reply->body), &status))
        fail_msg("%s: the body is no Status: %.*s", why, (int)reply->body.len,
                 (char *)reply->body.at);
    if (!status.message[0])
        fail_msg("%s: the Status has no message", why);
}

void expect_success(const char *why, const struct reply *reply, bool json)
{
    const struct bytes want = json ? BYTES_LITERAL("{}") : (struct bytes){0};

    if (reply->status != 200 || !bytes_equal(buf_bytes(&reply->body), want))
        fail_msg("%s: status %d, body '%.*s', want a full success", why, reply->status,
                 (int)reply->body.len, (char *)reply->body.at);
    if (!reply_header_is(reply, "content-type",
                         json ? "application/json" : "application/x-protobuf"))
        fail_msg("%s: content type of a success", why);
}

void expect_partial(const char *why, const struct reply *reply, bool json, int64_t rejected,
                    char *out_message)
{
    char message[1100] = "";
    uint64_t count = 0, unused;

    if (reply->status != 200)
        fail_msg("%s: status %d, want 200: %.*s", why, reply->status, (int)reply->body.len,
                 (char *)reply->body.at);
    if (json) {
        struct arena arena;
        arena_init(&arena, 64 << 20);
        const struct doc *d = doc_parse(&arena, buf_bytes(&reply->body));
        const char *text = doc_at(d, "partialSuccess", "rejectedSpans", NULL);
        count = (uint64_t)number_at(text);
        (void)snprintf(message, sizeof(message), "%s",
                       doc_at(d, "partialSuccess", "errorMessage", NULL));
        arena_done(&arena);
    } else {
        const struct bytes partial = inner(buf_bytes(&reply->body), 1, &unused);
        (void)inner(partial, 1, &count);
        keep(message, sizeof(message), inner(partial, 2, &unused));
    }
    if ((int64_t)count != rejected || !message[0])
        fail_msg("%s: %lld rejected with message '%s', want %lld", why, (long long)count, message,
                 (long long)rejected);
    if (out_message)
        (void)snprintf(out_message, sizeof(message), "%s", message);
}

struct doc *get_doc(struct arena *arena, uint16_t port, const char *path)
{
    struct reply reply;

    reply_init(&reply);
    http_get(port, path, &reply);
    struct doc *d = reply.status == 200 ? doc_parse(arena, buf_bytes(&reply.body)) : NULL;
    if (!d)
        fail_msg("GET %s: status %d, %.*s", path, reply.status, (int)reply.body.len,
                 (char *)reply.body.at);
    reply_done(&reply);
    return d;
}

struct doc *get_trace(struct arena *arena, uint16_t port, const uint8_t trace_id[16],
                      const char *query)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "/api/v1/traces/%s%s", hex_of(trace_id, 16), query);
    return get_doc(arena, port, path);
}

struct doc *span_of_trace(const struct doc *trace, const uint8_t span_id[8])
{
    struct doc *span;

    DOC_EACH(i, span, doc_get(trace, "spans"))
    {
        if (strcmp(doc_at(span, "span_id", NULL), hex_of(span_id, 8)) == 0)
            return span;
    }
    return NULL;
}

int64_t stored_spans(uint16_t port, const uint8_t trace_id[16])
{
    char path[200];
    struct reply reply;
    struct arena arena;
    int64_t count = 0;

    (void)snprintf(path, sizeof(path), "/api/v1/traces/%s", hex_of(trace_id, 16));
    reply_init(&reply);
    arena_init(&arena, (size_t)1 << 30);
    http_get(port, path, &reply);
    if (reply.status == 200)
        count = (int64_t)doc_count(doc_get(doc_parse(&arena, buf_bytes(&reply.body)), "spans"));
    else if (reply.status != 404)
        fail_msg("GET %s: status %d", path, reply.status);
    arena_done(&arena);
    reply_done(&reply);
    return count;
}

int64_t metric(uint16_t port, const char *name)
{
    struct reply reply;
    int64_t value = -1;
    const size_t len = strlen(name);

    reply_init(&reply);
    http_get(port, "/metrics", &reply);
    buf_add_byte(&reply.body, 0);
    const char *line = reply.status == 200 ? (char *)reply.body.at : NULL;
    while (line) {
        if (strncmp(line, name, len) == 0 && line[len] == ' ')
            value = number_at(line + len + 1);
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    reply_done(&reply);
    return value;
}

void one_span(struct buf *out, bool json, struct test_ids *ids)
{
    test_ids_next(ids);
    const struct test_span span = test_span_of(ids, "one");
    (json ? json_request : pb_request)(out, "test-service", &span, 1);
}
