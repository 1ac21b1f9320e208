/* HTTP/1 heads and chunked bodies: what is refused, and that cutting the bytes changes nothing. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/http1.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define H "host: x\r\n"

/* Scans and parses a head that comes in pieces of `step` bytes. */
static bool read_head(const char *text, size_t len, size_t step, struct http_request *request,
                      uint8_t *copy, struct http1_head *head, struct err *err)
{
    struct http1_scan scan = {0};

    for (size_t seen = 0; seen <= len; seen += step) {
        size_t head_bytes = 0;
        if (!http1_scan(&scan, (struct bytes){(const uint8_t *)text, seen}, &head_bytes, err))
            return false;
        if (head_bytes == 0 && seen < len && seen + step > len)
            seen = len - step;
        if (head_bytes == 0)
            continue;
        memcpy(copy, text, head_bytes);
        return http1_parse(copy, head_bytes, request, head, err);
    }
    (void)!err_set(err, ERR_NONE, "not whole");
    return false;
}

static const struct refused {
    const char *why;
    const char *head;
    enum err_kind kind;
} refused[] = {
    {"content-length beside transfer-encoding",
     "POST / HTTP/1.1\r\n" H "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
     ERR_BAD_INPUT},
    {"the same in the other order",
     "POST / HTTP/1.1\r\n" H "transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n",
     ERR_BAD_INPUT},
    {"two content-lengths",
     "POST / HTTP/1.1\r\n" H "content-length: 3\r\ncontent-length: 4\r\n\r\n", ERR_BAD_INPUT},
    {"two equal content-lengths",
     "POST / HTTP/1.1\r\n" H "content-length: 3\r\nContent-Length: 3\r\n\r\n", ERR_BAD_INPUT},
    {"list of content-lengths", "POST / HTTP/1.1\r\n" H "content-length: 3, 3\r\n\r\n",
     ERR_BAD_INPUT},
    {"content-length with plus", "POST / HTTP/1.1\r\n" H "content-length: +3\r\n\r\n",
     ERR_BAD_INPUT},
    {"content-length with minus", "POST / HTTP/1.1\r\n" H "content-length: -3\r\n\r\n",
     ERR_BAD_INPUT},
    {"content-length with a space inside", "POST / HTTP/1.1\r\n" H "content-length: 1 0\r\n\r\n",
     ERR_BAD_INPUT},
    {"content-length in hex", "POST / HTTP/1.1\r\n" H "content-length: 0x10\r\n\r\n",
     ERR_BAD_INPUT},
    {"content-length beyond 64 bits",
     "POST / HTTP/1.1\r\n" H "content-length: 18446744073709551617\r\n\r\n", ERR_BAD_INPUT},
    {"empty content-length", "POST / HTTP/1.1\r\n" H "content-length:\r\n\r\n", ERR_BAD_INPUT},
    {"unknown transfer coding", "POST / HTTP/1.1\r\n" H "transfer-encoding: gzip\r\n\r\n",
     ERR_BAD_INPUT},
    {"coding list", "POST / HTTP/1.1\r\n" H "transfer-encoding: gzip, chunked\r\n\r\n",
     ERR_BAD_INPUT},
    {"chunked twice",
     "POST / HTTP/1.1\r\n" H "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
     ERR_BAD_INPUT},
    {"chunked with a vertical tab", "POST / HTTP/1.1\r\n" H "transfer-encoding: \vchunked\r\n\r\n",
     ERR_BAD_INPUT},
    {"empty transfer-encoding", "POST / HTTP/1.1\r\n" H "transfer-encoding:\r\n\r\n",
     ERR_BAD_INPUT},
    {"transfer-encoding in 1.0", "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n",
     ERR_BAD_INPUT},
    {"folded line", "GET / HTTP/1.1\r\n" H "a: b\r\n c\r\n\r\n", ERR_BAD_INPUT},
    {"folded with tab", "GET / HTTP/1.1\r\n" H "a: b\r\n\tc: d\r\n\r\n", ERR_BAD_INPUT},
    {"first field folded", "GET / HTTP/1.1\r\n host: x\r\n\r\n", ERR_BAD_INPUT},
    {"space before colon", "GET / HTTP/1.1\r\nhost : x\r\n\r\n", ERR_BAD_INPUT},
    {"tab before colon", "GET / HTTP/1.1\r\nhost\t: x\r\n\r\n", ERR_BAD_INPUT},
    {"no colon", "GET / HTTP/1.1\r\n" H "nonsense\r\n\r\n", ERR_BAD_INPUT},
    {"empty field name", "GET / HTTP/1.1\r\n" H ": x\r\n\r\n", ERR_BAD_INPUT},
    {"parenthesis in a field name", "GET / HTTP/1.1\r\n" H "a(b: x\r\n\r\n", ERR_BAD_INPUT},
    {"control character in a value", "GET / HTTP/1.1\r\n" H "a: b\x01\r\n\r\n", ERR_BAD_INPUT},
    {"DEL in a value", "GET / HTTP/1.1\r\n" H "a: b\x7f\r\n\r\n", ERR_BAD_INPUT},
    {"bare LF behind the request line", "GET / HTTP/1.1\n" H "\r\n", ERR_BAD_INPUT},
    {"bare LF behind a field", "GET / HTTP/1.1\r\nhost: x\n\r\n", ERR_BAD_INPUT},
    {"bare LF as the empty line", "GET / HTTP/1.1\r\nhost: x\r\n\n", ERR_BAD_INPUT},
    {"bare CR in a value", "GET / HTTP/1.1\r\nhost: x\ry\r\n\r\n", ERR_BAD_INPUT},
    {"bare CR in the request line", "GET /\r HTTP/1.1\r\nhost: x\r\n\r\n", ERR_BAD_INPUT},
    {"CR CR LF", "GET / HTTP/1.1\r\nhost: x\r\r\n\r\n", ERR_BAD_INPUT},
    {"no host in 1.1", "GET / HTTP/1.1\r\n\r\n", ERR_BAD_INPUT},
    {"two hosts", "GET / HTTP/1.1\r\n" H H "\r\n", ERR_BAD_INPUT},
    {"two hosts in 1.0", "GET / HTTP/1.0\r\n" H H "\r\n", ERR_BAD_INPUT},
    {"slash in host", "GET / HTTP/1.1\r\nhost: x/y\r\n\r\n", ERR_BAD_INPUT},
    {"at sign in host", "GET / HTTP/1.1\r\nhost: a@b\r\n\r\n", ERR_BAD_INPUT},
    {"absolute target for another host", "GET http://y/ HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"absolute target without authority", "GET http:///a HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"target with another scheme", "GET ftp://x/ HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"authority form", "CONNECT x:80 HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"asterisk for GET", "GET * HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"relative target", "GET a HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"fragment in the target", "GET /a#b HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"raw UTF-8 in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"two spaces before the version", "GET /  HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"two spaces behind the method", "GET  / HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"tab instead of space", "GET\t/ HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"space behind the version", "GET / HTTP/1.1 \r\n" H "\r\n", ERR_BAD_INPUT},
    {"no version (0.9)", "GET /\r\n\r\n", ERR_BAD_INPUT},
    {"version 2.0", "GET / HTTP/2.0\r\n" H "\r\n", ERR_BAD_INPUT},
    {"version 1.2", "GET / HTTP/1.2\r\n" H "\r\n", ERR_BAD_INPUT},
    {"version 1.10", "GET / HTTP/1.10\r\n" H "\r\n", ERR_BAD_INPUT},
    {"lower-case version", "GET / http/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"method with a bracket", "G[T / HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"method of 33 characters", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" H "\r\n",
     ERR_BAD_INPUT},
    {"leading space", " GET / HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"leading empty line", "\r\nGET / HTTP/1.1\r\n" H "\r\n", ERR_BAD_INPUT},
    {"a TLS hello", "\x16\x03\x01\x02", ERR_BAD_INPUT},
    {"two content-types", "POST / HTTP/1.1\r\n" H "content-type: a\r\ncontent-type: b\r\n\r\n",
     ERR_BAD_INPUT},
    {"two content-encodings",
     "POST / HTTP/1.1\r\n" H "content-encoding: gzip\r\ncontent-encoding: gzip\r\n\r\n",
     ERR_BAD_INPUT},
    {"unknown expectation", "POST / HTTP/1.1\r\n" H "expect: 200-ok\r\n\r\n", ERR_BAD_INPUT},
};

/* Every cut into equal pieces must end alike. */
static void check_refused(const char *why, const char *head, size_t len, enum err_kind kind)
{
    static uint8_t copy[HTTP1_HEAD_MAX_BYTES + 16];
    static struct http_request request;
    const size_t steps[] = {len, 1, 2, 3, 7};

    for (size_t i = 0; i < COUNT(steps); i++) {
        struct http1_head parsed = {.content_length = 77};
        struct err err = {0};
        memset(&request, 0, sizeof(request));
        if (read_head(head, len, steps[i], &request, copy, &parsed, &err))
            fail_msg("%s: accepted in pieces of %zu", why, steps[i]);
        if (err.kind != kind || err.text[0] == '\0' || parsed.content_length != 77)
            fail_msg("%s in pieces of %zu: kind %d \"%s\"", why, steps[i], (int)err.kind, err.text);
    }
}

static void refuses_heads_that_two_servers_could_read_differently(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++)
        check_refused(refused[i].why, refused[i].head, strlen(refused[i].head), refused[i].kind);
}

static void refuses_nul_in_line_name_and_value(void **state)
{
    static const char in_line[] = "GET /\0 HTTP/1.1\r\n" H "\r\n";
    static const char in_name[] = "GET / HTTP/1.1\r\nho\0st: x\r\n\r\n";
    static const char in_value[] = "GET / HTTP/1.1\r\nhost: x\0\r\n\r\n";
    (void)state;
    check_refused("NUL in the line", in_line, sizeof(in_line) - 1, ERR_BAD_INPUT);
    check_refused("NUL in a name", in_name, sizeof(in_name) - 1, ERR_BAD_INPUT);
    check_refused("NUL in a value", in_value, sizeof(in_value) - 1, ERR_BAD_INPUT);
}

static size_t fill(char *to, const char *before, char c, size_t count, const char *after)
{
    size_t len = strlen(before);

    memcpy(to, before, len);
    memset(to + len, c, count);
    len += count;
    memcpy(to + len, after, strlen(after));
    return len + strlen(after);
}

static void limits_request_line_and_fields_and_their_number(void **state)
{
    static char text[40000];
    static uint8_t copy[HTTP1_HEAD_MAX_BYTES + 16];
    static struct http_request request;
    struct http1_head head;
    struct err err;
    size_t len;
    (void)state;

    /* "GET /" and " HTTP/1.1" are 14 bytes of the line. */
    len = fill(text, "GET /", 'a', HTTP1_LINE_MAX_BYTES - 14, " HTTP/1.1\r\n" H "\r\n");
    if (!read_head(text, len, len, &request, copy, &head, &err))
        fail_msg("line at its limit: %s", err.text);
    len = fill(text, "GET /", 'a', HTTP1_LINE_MAX_BYTES - 13, " HTTP/1.1\r\n" H "\r\n");
    check_refused("line one byte over", text, len, ERR_URI_TOO_LONG);
    len = fill(text, "GET /", 'a', 30000, "");
    check_refused("line that never ends", text, len, ERR_URI_TOO_LONG);

    /* host line, "b: " and CR LF are 14 bytes of the fields. */
    memset(&request, 0, sizeof(request));
    len = fill(text, "GET / HTTP/1.1\r\n" H "b: ", 'b', HTTP1_FIELDS_MAX_BYTES - 14, "\r\n\r\n");
    if (!read_head(text, len, len, &request, copy, &head, &err))
        fail_msg("fields at their limit: %s", err.text);
    len = fill(text, "GET / HTTP/1.1\r\n" H "b: ", 'b', HTTP1_FIELDS_MAX_BYTES - 13, "\r\n\r\n");
    check_refused("fields one byte over", text, len, ERR_HEADERS_TOO_LARGE);
    len = fill(text, "GET / HTTP/1.1\r\n" H "b: ", 'b', 30000, "");
    check_refused("field that never ends", text, len, ERR_HEADERS_TOO_LARGE);

    struct buf many;
    buf_init(&many, 100000);
    buf_add_text(&many, "GET / HTTP/1.1\r\n" H);
    for (int i = 0; i < HTTP_MAX_HEADERS; i++)
        buf_add_text(&many, "a:\r\n");
    buf_add_text(&many, "\r\n");
    check_refused("101 fields", (const char *)many.at, many.len, ERR_HEADERS_TOO_LARGE);
    buf_done(&many);
}

static const struct taken {
    const char *why;
    const char *head;
    const char *method;
    const char *path;
    const char *query;
    enum http1_framing framing;
    uint64_t content_length;
    bool keep_alive;
    bool expect_continue;
} taken[] = {
    {"plain", "GET /a HTTP/1.1\r\n" H "\r\n", "GET", "/a", "", HTTP1_NO_BODY, 0, true, false},
    {"query", "GET /a?b=c?d HTTP/1.1\r\n" H "\r\n", "GET", "/a", "b=c?d", HTTP1_NO_BODY, 0, true,
     false},
    {"empty query", "GET /? HTTP/1.1\r\n" H "\r\n", "GET", "/", "", HTTP1_NO_BODY, 0, true, false},
    {"absolute form", "GET http://X/a?b HTTP/1.1\r\n" H "\r\n", "GET", "/a", "b", HTTP1_NO_BODY, 0,
     true, false},
    {"absolute form without path", "GET http://x HTTP/1.1\r\n" H "\r\n", "GET", "/", "",
     HTTP1_NO_BODY, 0, true, false},
    {"absolute form with query only", "GET http://x?q HTTP/1.1\r\n" H "\r\n", "GET", "/", "q",
     HTTP1_NO_BODY, 0, true, false},
    {"asterisk form", "OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS", "*", "", HTTP1_NO_BODY, 0, true,
     false},
    {"length", "POST / HTTP/1.1\r\n" H "Content-Length: 12\r\n\r\n", "POST", "/", "", HTTP1_LENGTH,
     12, true, false},
    {"length with leading zeros", "POST / HTTP/1.1\r\n" H "Content-Length: 007\r\n\r\n", "POST",
     "/", "", HTTP1_LENGTH, 7, true, false},
    {"length zero", "POST / HTTP/1.1\r\n" H "content-length: 0\r\n\r\n", "POST", "/", "",
     HTTP1_NO_BODY, 0, true, false},
    {"19 digits", "POST / HTTP/1.1\r\n" H "content-length: 9999999999999999999\r\n\r\n", "POST",
     "/", "", HTTP1_LENGTH, UINT64_C(9999999999999999999), true, false},
    {"chunked in any case", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: ChunKed \r\n\r\n", "POST",
     "/", "", HTTP1_CHUNKED, 0, true, false},
    {"close", "GET / HTTP/1.1\r\n" H "connection: keep-alive, Close\r\n\r\n", "GET", "/", "",
     HTTP1_NO_BODY, 0, false, false},
    {"1.0", "GET / HTTP/1.0\r\n\r\n", "GET", "/", "", HTTP1_NO_BODY, 0, false, false},
    {"1.0 kept", "GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n", "GET", "/", "", HTTP1_NO_BODY,
     0, true, false},
    {"expect", "POST / HTTP/1.1\r\n" H "expect: 100-Continue\r\ncontent-length: 1\r\n\r\n", "POST",
     "/", "", HTTP1_LENGTH, 1, true, true},
    {"expect in 1.0 means nothing",
     "POST / HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n", "POST", "/", "",
     HTTP1_LENGTH, 1, false, false},
    {"host may be empty", "GET / HTTP/1.1\r\nhost:\r\n\r\n", "GET", "/", "", HTTP1_NO_BODY, 0, true,
     false},
    {"IPv6 host", "GET / HTTP/1.1\r\nhost: [::1]:4318\r\n\r\n", "GET", "/", "", HTTP1_NO_BODY, 0,
     true, false},
    {"raw bytes beyond ASCII in a value", "GET / HTTP/1.1\r\n" H "a: \xff\xfe\r\n\r\n", "GET", "/",
     "", HTTP1_NO_BODY, 0, true, false},
};

static void reads_good_heads_however_they_are_cut(void **state)
{
    static uint8_t copy[4096];
    static struct http_request request;
    (void)state;

    for (size_t i = 0; i < COUNT(taken); i++) {
        const struct taken *c = &taken[i];
        for (size_t step = 1; step <= strlen(c->head); step++) {
            struct http1_head head = {0};
            struct err err = {0};
            memset(&request, 0, sizeof(request));
            if (!read_head(c->head, strlen(c->head), step, &request, copy, &head, &err))
                fail_msg("%s in pieces of %zu: %s", c->why, step, err.text);
            if (!bytes_is(request.method, c->method) || !bytes_is(request.path, c->path) ||
                !bytes_is(request.query, c->query) || head.framing != c->framing ||
                head.content_length != c->content_length || head.keep_alive != c->keep_alive ||
                head.expect_continue != c->expect_continue)
                fail_msg("%s in pieces of %zu: read wrongly", c->why, step);
        }
    }
}

static void gives_fields_with_lower_case_names_and_trimmed_values(void **state)
{
    static const char text[] = "POST / HTTP/1.1\r\nHOST: x\r\nContent-TYPE: \t a/b;c \t\r\n"
                               "Content-Encoding:gzip\r\nX-Api-Key:  k\r\n\r\n";
    static uint8_t copy[sizeof(text)];
    static struct http_request request;
    struct http1_head head;
    struct err err;
    (void)state;

    assert_true(read_head(text, sizeof(text) - 1, 5, &request, copy, &head, &err));
    assert_int_equal(request.header_count, 4);
    assert_true(bytes_is(request.content_type, "a/b;c"));
    assert_true(bytes_is(request.content_encoding, "gzip"));
    assert_true(bytes_is(http_request_header(&request, "x-api-key"), "k"));
    assert_null(http_request_header(&request, "absent").at);
}

/* Decodes text cut into pieces of `step`. Returns the last result; left: bytes behind the end. */
static enum http1_chunk decode(const char *text, size_t len, size_t step, struct buf *out,
                               size_t *out_left, struct err *err)
{
    struct http1_chunks chunks = {0};
    enum http1_chunk result = HTTP1_CHUNK_MORE;

    for (size_t at = 0; at < len && result == HTTP1_CHUNK_MORE; at += step) {
        struct bytes in = {(const uint8_t *)text + at, len - at < step ? len - at : step};
        struct bytes piece;
        while ((result = http1_chunk_next(&chunks, &in, &piece, err)) == HTTP1_CHUNK_PIECE)
            buf_add_bytes(out, piece);
        *out_left = len - at - step < len ? len - at - step + in.len : in.len;
    }
    return result;
}

static const struct chunked {
    const char *why;
    const char *text;
    const char *body; /* NULL: refused */
    size_t left;
} chunked[] = {
    {"empty", "0\r\n\r\n", "", 0},
    {"two chunks", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", 0},
    {"hex of both cases, leading zeros", "00A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n",
     "01234567890123456789", 0},
    {"extension", "1;a=b;c=\"d\"\r\nx\r\n0;e\r\n\r\n", "x", 0},
    {"trailers are ignored", "1\r\nx\r\n0\r\na: b\r\nc: d\r\n\r\n", "x", 0},
    {"what follows is left", "1\r\nx\r\n0\r\n\r\nGET /", "x", 5},
    {"size beyond 60 bits", "1000000000000000\r\n", NULL, 0},
    {"all F", "ffffffffffffffffffffffff\r\n", NULL, 0},
    {"no size", "\r\nabc", NULL, 0},
    {"size with sign", "+1\r\nx\r\n", NULL, 0},
    {"size with 0x", "0x1\r\nx\r\n", NULL, 0},
    {"space before the size", " 1\r\nx\r\n", NULL, 0},
    {"space behind the size", "1 \r\nx\r\n", NULL, 0},
    {"bare LF behind the size", "1\nx\r\n", NULL, 0},
    {"CR without LF behind the size", "1\rx\r\n", NULL, 0},
    {"chunk longer than its size", "1\r\nxy\r\n", NULL, 0},
    {"bare LF behind the chunk", "1\r\nx\n0\r\n\r\n", NULL, 0},
    {"LF in an extension", "1;a\nb\r\nx\r\n", NULL, 0},
    {"control character in an extension", "1;a\x01\r\nx\r\n", NULL, 0},
    {"bare LF in the trailer", "0\r\na: b\n\r\n", NULL, 0},
    {"bare CR in the trailer", "0\r\na: \rb\r\n\r\n", NULL, 0},
    {"bare LF at the end", "0\r\n\n", NULL, 0},
};

static void takes_chunked_bodies_apart_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(chunked); i++) {
        const struct chunked *c = &chunked[i];
        for (size_t step = 1; step <= strlen(c->text); step++) {
            struct buf out;
            struct err err = {0};
            size_t left = 0;
            buf_init(&out, 1000);
            const enum http1_chunk result =
                decode(c->text, strlen(c->text), step, &out, &left, &err);
            if (c->body && (result != HTTP1_CHUNK_END || !bytes_is(buf_bytes(&out), c->body) ||
                            left != c->left))
                fail_msg("%s in pieces of %zu: result %d, left %zu, %s", c->why, step, (int)result,
                         left, err.text);
            if (!c->body && (result != HTTP1_CHUNK_BAD || err.kind != ERR_BAD_INPUT))
                fail_msg("%s in pieces of %zu: accepted", c->why, step);
            buf_done(&out);
        }
    }
}

static void caps_extensions_and_trailers(void **state)
{
    static char text[20000];
    struct buf out;
    struct err err;
    size_t left;
    (void)state;

    buf_init(&out, 1000);
    size_t len = fill(text, "1;", 'e', 9000, "\r\nx\r\n0\r\n\r\n");
    assert_int_equal(decode(text, len, len, &out, &left, &err), HTTP1_CHUNK_BAD);
    len = fill(text, "1\r\nx\r\n0\r\nt: ", 't', 9000, "\r\n\r\n");
    assert_int_equal(decode(text, len, len, &out, &left, &err), HTTP1_CHUNK_BAD);
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    buf_done(&out);
}

static void writes_heads_that_end_or_keep_the_connection(void **state)
{
    struct http_response response;
    struct buf out;
    (void)state;

    buf_init(&out, 4096);
    http_response_init(&response, 100);
    response.status = 503;
    response.content_type = "application/json";
    response.retry_after_s = 3;
    response.allow = "GET, POST";
    response.headers = "x: y\r\n";
    buf_add_text(&response.body, "{}");
    http1_write_head(&out, &response, (struct http1_reply){.close = true});
    buf_add_byte(&out, 0);
    assert_string_equal((const char *)out.at,
                        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n"
                        "content-length: 2\r\nretry-after: 3\r\nallow: GET, POST\r\nx: y\r\n"
                        "connection: close\r\n\r\n");
    http_response_done(&response);
    buf_clear(&out);
    http_response_init(&response, 100);
    response.status = 204;
    http1_write_head(&out, &response, (struct http1_reply){.keep_alive = true});
    buf_add_byte(&out, 0);
    assert_string_equal((const char *)out.at,
                        "HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n");
    http_response_done(&response);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_heads_that_two_servers_could_read_differently),
        cmocka_unit_test(refuses_nul_in_line_name_and_value),
        cmocka_unit_test(limits_request_line_and_fields_and_their_number),
        cmocka_unit_test(reads_good_heads_however_they_are_cut),
        cmocka_unit_test(gives_fields_with_lower_case_names_and_trimmed_values),
        cmocka_unit_test(takes_chunked_bodies_apart_however_they_are_cut),
        cmocka_unit_test(caps_extensions_and_trailers),
        cmocka_unit_test(writes_heads_that_end_or_keep_the_connection),
    };

    return cmocka_run_group_tests_name("http1", tests, NULL, NULL);
}
