/*
 * HTTP/1: the input is a stream of requests. Read as a whole and byte by byte it must give the same
 * heads, bodies and refusals: what depends on the cut can be smuggled.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "wire/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

#define REQUESTS_MAX 64

/* What one way of reading made of the input. */
struct seen {
    size_t requests;
    size_t used;
    enum err_kind refused;
    struct buf text; /* methods, paths, fields and bodies, one behind the other */
};

static void note(struct seen *seen, struct bytes text)
{
    buf_add_bytes(&seen->text, text);
    buf_add_byte(&seen->text, 0);
}

static bool take_head(struct seen *seen, struct bytes in, size_t step, struct http1_head *head,
                      bool *out_whole)
{
    struct http1_scan scan = {0};
    struct http_request *request = calloc(1, sizeof(*request));
    struct err err = {0};
    size_t head_bytes = 0;
    bool ok = true;

    if (!request)
        abort();
    for (size_t n = step < in.len ? step : in.len; ok && head_bytes == 0;
         n = n + step < in.len ? n + step : in.len) {
        ok = http1_scan(&scan, (struct bytes){in.at, n}, &head_bytes, &err);
        if (n == in.len)
            break;
    }
    *out_whole = ok && head_bytes > 0;
    uint8_t *copy = *out_whole ? malloc(head_bytes) : NULL;
    if (copy) {
        memcpy(copy, in.at, head_bytes);
        ok = http1_parse(copy, head_bytes, request, head, &err);
        note(seen, request->method);
        note(seen, request->path);
        note(seen, request->query);
        for (size_t i = 0; i < request->header_count; i++) {
            note(seen, request->headers[i].name);
            note(seen, request->headers[i].value);
        }
    }
    seen->used += head_bytes;
    seen->refused = ok ? ERR_NONE : err.kind;
    free(copy);
    free(request);
    return ok;
}

static bool take_chunks(struct seen *seen, struct bytes in, size_t step)
{
    struct http1_chunks chunks = {0};
    struct err err = {0};
    enum http1_chunk result = HTTP1_CHUNK_MORE;

    for (size_t at = 0; at < in.len && result == HTTP1_CHUNK_MORE; at += step) {
        struct bytes part = {in.at + at, step < in.len - at ? step : in.len - at};
        const size_t whole = part.len;
        struct bytes piece = {0};
        while ((result = http1_chunk_next(&chunks, &part, &piece, &err)) == HTTP1_CHUNK_PIECE)
            buf_add_bytes(&seen->text, piece);
        if (result != HTTP1_CHUNK_BAD)
            seen->used += whole - part.len;
    }
    seen->refused = result == HTTP1_CHUNK_BAD ? err.kind : ERR_NONE;
    return result == HTTP1_CHUNK_END;
}

static void read_all(struct seen *seen, struct bytes input, size_t step)
{
    bool go_on = true;

    while (go_on && seen->requests < REQUESTS_MAX && seen->used < input.len) {
        struct http1_head head = {0};
        bool whole = false;
        go_on = take_head(seen, (struct bytes){input.at + seen->used, input.len - seen->used}, step,
                          &head, &whole);
        if (!go_on || !whole)
            return;
        seen->requests++;
        const struct bytes rest = {input.at + seen->used, input.len - seen->used};
        if (head.framing == HTTP1_CHUNKED)
            go_on = take_chunks(seen, rest, step);
        else if (head.framing == HTTP1_LENGTH)
            seen->used += head.content_length < rest.len ? (size_t)head.content_length : rest.len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    const size_t steps[] = {len ? len : 1, 1, 7};
    struct seen seen[3] = {{0}};

    for (size_t i = 0; i < 3; i++) {
        buf_init(&seen[i].text, 64 << 20);
        read_all(&seen[i], (struct bytes){at, len}, steps[i]);
    }
    for (size_t i = 1; i < 3; i++)
        if (seen[i].requests != seen[0].requests || seen[i].refused != seen[0].refused ||
            !bytes_equal(buf_bytes(&seen[i].text), buf_bytes(&seen[0].text)))
            abort();
    for (size_t i = 0; i < 3; i++)
        buf_done(&seen[i].text);
    return 0;
}
