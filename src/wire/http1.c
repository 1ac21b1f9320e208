/* HTTP/1.x request heads: line ends, request line, fields, framing. */
#include "wire/http1.h"

#include "base/text.h"

#define METHOD_MAX_BYTES 32

enum char_class {
    TOKEN = 1,  /* RFC 9110 5.6.2 */
    TARGET = 2, /* what may stand in a request target: visible ASCII */
    VALUE = 4,  /* field value: visible, space, tab, obs-text */
    HOST = 8,   /* reg-name, IP literal and port (RFC 3986 3.2.2) */
};

static unsigned class_of(uint8_t c)
{
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    unsigned class = 0;

    if (alnum || (c && strchr("!#$%&'*+-.^_`|~", c)))
        class |= TOKEN;
    if (alnum || (c && strchr("-._~!$&'()*+,;=:[]%", c)))
        class |= HOST;
    /* '#' never travels: a fragment in a target means that somebody cuts targets apart otherwise.
     */
    if (c > 0x20 && c < 0x7f && c != '#')
        class |= TARGET;
    if (c == '\t' || (c >= 0x20 && c != 0x7f))
        class |= VALUE;
    return class;
}

static bool all_of(struct bytes text, enum char_class class)
{
    for (size_t i = 0; i < text.len; i++)
        if (!(class_of(text.at[i]) & class))
            return false;
    return true;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static struct bytes trim(struct bytes text)
{
    while (text.len && (text.at[0] == ' ' || text.at[0] == '\t')) {
        text.at++;
        text.len--;
    }
    while (text.len && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* One whole line, with its LF at end - 1. */
static bool scan_line(struct http1_scan *scan, struct bytes seen, size_t end, struct err *err)
{
    const size_t line_bytes = end - scan->line_at;

    if (line_bytes < 2 || seen.at[end - 2] != '\r')
        return err_set(err, ERR_BAD_INPUT, "line %zu of the head ends with a bare LF",
                       scan->lines + 1);
    if (memchr(seen.at + scan->line_at, '\r', line_bytes - 2))
        return err_set(err, ERR_BAD_INPUT, "line %zu of the head has a bare CR", scan->lines + 1);
    scan->lines++;
    scan->line_at = end;
    scan->at = end;
    return true;
}

static bool scan_limits(const struct http1_scan *scan, size_t end, struct err *err)
{
    /* +2: CR LF does not count. Later lines are charged as a whole, whichever is too long. */
    if (scan->lines == 0 && end - scan->line_at > HTTP1_LINE_MAX_BYTES + 2)
        return err_set(err, ERR_URI_TOO_LONG, "request line has more than %zu bytes",
                       HTTP1_LINE_MAX_BYTES);
    if (scan->lines > 0 && end - scan->fields_at > HTTP1_FIELDS_MAX_BYTES + 2)
        return err_set(err, ERR_HEADERS_TOO_LARGE, "header fields have more than %zu bytes",
                       HTTP1_FIELDS_MAX_BYTES);
    return true;
}

bool http1_scan(struct http1_scan *scan, struct bytes seen, size_t *out_head_bytes, struct err *err)
{
    *out_head_bytes = 0;
    /* Tells a TLS handshake or a binary protocol at once, not after the header deadline. */
    if (seen.len > 0 && !(class_of(seen.at[0]) & TOKEN))
        return err_set(err, ERR_BAD_INPUT, "first byte is 0x%02x, want a method", seen.at[0]);
    while (scan->at < seen.len) {
        const uint8_t *lf = memchr(seen.at + scan->at, '\n', seen.len - scan->at);
        const size_t end = lf ? (size_t)(lf - seen.at) + 1 : seen.len;

        if (!scan_limits(scan, end, err))
            return false;
        if (!lf) {
            scan->at = seen.len;
            return true;
        }
        const bool empty = end - scan->line_at == 2;
        if (!scan_line(scan, seen, end, err))
            return false;
        if (scan->lines == 1)
            scan->fields_at = end;
        if (empty) {
            *out_head_bytes = end;
            return true;
        }
    }
    return true;
}

/* Absolute form (RFC 9112 3.2.2): the authority is kept to be compared with Host. */
static bool split_absolute(struct bytes *target, struct bytes *out_authority, struct err *err)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < 2; i++) {
        const size_t scheme_bytes = strlen(schemes[i]);
        if (target->len <= scheme_bytes ||
            !bytes_is_nocase((struct bytes){target->at, scheme_bytes}, schemes[i]))
            continue;
        struct bytes rest = {target->at + scheme_bytes, target->len - scheme_bytes};
        size_t n = 0;
        while (n < rest.len && rest.at[n] != '/' && rest.at[n] != '?')
            n++;
        *out_authority = (struct bytes){rest.at, n};
        *target = (struct bytes){rest.at + n, rest.len - n};
        if (n == 0 || !all_of(*out_authority, HOST))
            return err_set(err, ERR_BAD_INPUT, "absolute request target has no good authority");
        return true;
    }
    return err_set(err, ERR_BAD_INPUT, "request target does not start with a slash");
}

static bool parse_target(struct bytes target, struct http_request *request,
                         struct bytes *out_authority, struct err *err)
{
    const bool asterisk = bytes_is(target, "*") && bytes_is(request->method, "OPTIONS");

    if (target.len == 0 || !all_of(target, TARGET))
        return err_set(err, ERR_BAD_INPUT, "request target is empty or has a bad character");
    if (target.at[0] != '/' && !asterisk && !split_absolute(&target, out_authority, err))
        return false;

    const uint8_t *mark = target.len ? memchr(target.at, '?', target.len) : NULL;
    const size_t path_bytes = mark ? (size_t)(mark - target.at) : target.len;
    request->path = path_bytes ? (struct bytes){target.at, path_bytes} : BYTES_LITERAL("/");
    if (mark)
        request->query = (struct bytes){mark + 1, target.len - path_bytes - 1};
    return true;
}

static bool parse_line(struct bytes line, struct http_request *request, struct http1_head *head,
                       struct bytes *out_authority, struct err *err)
{
    const uint8_t *const end = line.at + line.len;
    const uint8_t *first = line.len ? memchr(line.at, ' ', line.len) : NULL;
    const uint8_t *second = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;

    if (!second)
        return err_set(err, ERR_BAD_INPUT, "request line has not three parts");

    const struct bytes method = {line.at, (size_t)(first - line.at)};
    const struct bytes version = {second + 1, (size_t)(end - second - 1)};
    if (method.len == 0 || method.len > METHOD_MAX_BYTES || !all_of(method, TOKEN))
        return err_set(err, ERR_BAD_INPUT, "request method is no token of 1 to %d characters",
                       METHOD_MAX_BYTES);
    if (!bytes_is(version, "HTTP/1.1") && !bytes_is(version, "HTTP/1.0"))
        return err_set(err, ERR_BAD_INPUT, "version is neither HTTP/1.1 nor HTTP/1.0");
    request->method = method;
    head->is_1_0 = version.at[version.len - 1] == '0';
    head->keep_alive = !head->is_1_0;
    return parse_target((struct bytes){first + 1, (size_t)(second - first - 1)}, request,
                        out_authority, err);
}

bool http1_parse_line(struct bytes line, struct http_request *request, struct http1_head *head,
                      struct err *err)
{
    struct bytes authority = {0};

    return parse_line(line, request, head, &authority, err);
}

/* What decides about framing and the connection, gathered over all fields. */
struct gathered {
    struct bytes host;
    struct bytes authority;
    unsigned hosts;
    unsigned lengths;
    unsigned codings;
    unsigned types;
    unsigned encodings;
};

static bool take_length(struct bytes value, struct gathered *seen, struct http1_head *head,
                        struct err *err)
{
    uint64_t length = 0;

    if (seen->lengths++)
        return err_set(err, ERR_BAD_INPUT, "several content-length fields");
    /* 19 digits fit 64 bits; a list, a sign, a space or hex digits are no digits. */
    if (value.len == 0 || value.len > 19)
        return err_set(err, ERR_BAD_INPUT, "content-length has %zu digits, want 1 to 19",
                       value.len);
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return err_set(err, ERR_BAD_INPUT, "content-length is no decimal number");
        length = length * 10 + (uint64_t)(value.at[i] - '0');
    }
    head->content_length = length;
    return true;
}

static bool take_coding(struct bytes value, struct gathered *seen, struct http1_head *head,
                        struct err *err)
{
    if (head->is_1_0)
        return err_set(err, ERR_BAD_INPUT, "transfer-encoding in HTTP/1.0");
    if (seen->codings++ || !bytes_is_nocase(value, "chunked"))
        return err_set(err, ERR_BAD_INPUT, "transfer-encoding is not a single chunked");
    head->framing = HTTP1_CHUNKED;
    return true;
}

static void take_connection(struct bytes value, struct http1_head *head)
{
    while (value.len) {
        const uint8_t *comma = memchr(value.at, ',', value.len);
        const size_t n = comma ? (size_t)(comma - value.at) : value.len;
        const struct bytes option = trim((struct bytes){value.at, n});

        if (bytes_is_nocase(option, "close"))
            head->keep_alive = false;
        else if (head->is_1_0 && bytes_is_nocase(option, "keep-alive"))
            head->keep_alive = true;
        value.at += comma ? n + 1 : n;
        value.len -= comma ? n + 1 : n;
    }
}

static bool take_field(struct bytes name, struct bytes value, struct http_request *request,
                       struct gathered *seen, struct http1_head *head, struct err *err)
{
    if (bytes_is(name, "content-length"))
        return take_length(value, seen, head, err);
    if (bytes_is(name, "transfer-encoding"))
        return take_coding(value, seen, head, err);
    if (bytes_is(name, "connection")) {
        take_connection(value, head);
    } else if (bytes_is(name, "host")) {
        seen->host = value;
        if (seen->hosts++ || !all_of(value, HOST))
            return err_set(err, ERR_BAD_INPUT, "two host fields, or a host with a bad character");
    } else if (bytes_is(name, "content-type")) {
        request->content_type = value;
        if (seen->types++)
            return err_set(err, ERR_BAD_INPUT, "several content-type fields");
    } else if (bytes_is(name, "content-encoding")) {
        request->content_encoding = value;
        if (seen->encodings++)
            return err_set(err, ERR_BAD_INPUT, "several content-encoding fields");
    } else if (bytes_is(name, "expect") && !head->is_1_0) {
        if (!bytes_is_nocase(value, "100-continue"))
            return err_set(err, ERR_BAD_INPUT, "expectation other than 100-continue");
        head->expect_continue = true;
    }
    return true;
}

static bool parse_field(uint8_t *at, size_t len, struct http_request *request,
                        struct gathered *seen, struct http1_head *head, struct err *err)
{
    const uint8_t *colon = memchr(at, ':', len);
    const struct bytes name = {at, colon ? (size_t)(colon - at) : 0};

    /* A space is no token character: folded lines (obs-fold) and "Name :" end here. */
    if (name.len == 0 || !all_of(name, TOKEN))
        return err_set(err, ERR_BAD_INPUT, "field %zu has no good name", request->header_count + 1);
    for (size_t i = 0; i < name.len; i++)
        at[i] = lower(at[i]);

    const struct bytes value = trim((struct bytes){colon + 1, len - name.len - 1});
    if (!all_of(value, VALUE))
        return err_set(err, ERR_BAD_INPUT, "field %zu has a control character in its value",
                       request->header_count + 1);
    if (request->header_count == HTTP_MAX_HEADERS)
        return err_set(err, ERR_HEADERS_TOO_LARGE, "more than %d header fields", HTTP_MAX_HEADERS);
    request->headers[request->header_count++] = (struct http_header){name, value};
    return take_field(name, value, request, seen, head, err);
}

static bool check_whole(const struct gathered *seen, struct http1_head *head, struct err *err)
{
    if (seen->lengths && seen->codings)
        return err_set(err, ERR_BAD_INPUT, "content-length beside transfer-encoding");
    if (!seen->hosts && !head->is_1_0)
        return err_set(err, ERR_BAD_INPUT, "HTTP/1.1 without a host field");
    if (seen->authority.len &&
        (seen->authority.len != seen->host.len ||
         strncasecmp((const char *)seen->authority.at, (const char *)seen->host.at,
                     seen->host.len) != 0) &&
        seen->hosts)
        return err_set(err, ERR_BAD_INPUT, "absolute request target differs from host");
    if (seen->lengths && head->content_length > 0)
        head->framing = HTTP1_LENGTH;
    return true;
}

bool http1_parse(uint8_t *head, size_t head_bytes, struct http_request *request,
                 struct http1_head *out_head, struct err *err)
{
    struct http1_head parsed = {0};
    struct gathered seen = {0};
    uint8_t *at = head;
    uint8_t *const end = head + head_bytes;

    for (bool first = true; at < end; first = false) {
        uint8_t *lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf || lf == at)
            return err_set(err, ERR_BAD_INPUT, "head does not end with an empty line");
        const size_t len = (size_t)(lf - at) - 1;
        if (!first && len == 0)
            break;
        if (first ? !parse_line((struct bytes){at, len}, request, &parsed, &seen.authority, err)
                  : !parse_field(at, len, request, &seen, &parsed, err))
            return false;
        at = lf + 1;
    }
    if (!check_whole(&seen, &parsed, err))
        return false;
    *out_head = parsed;
    return true;
}
