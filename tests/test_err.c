/* Kinds of error and what they become on the wire. */
#include "test.h"

#include "base/err.h"

static void returns_false_and_fills_kind_and_text(void **state)
{
    struct err err = {0};

    (void)state;
    assert_false(err_set(&err, ERR_NOT_FOUND, "trace '%s' is not here", "ab"));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_string_equal(err.text, "trace 'ab' is not here");
}

static const struct cut {
    const char *why;
    const char *before;
    const char *filler; /* repeated until the text is too long */
    size_t len;
} cuts[] = {
    {"ASCII fills all but the NUL", "", "x", 255},
    {"three-byte characters end exactly at the limit", "", "\xe2\x82\xac", 255},
    {"two bytes of a three-byte character would be left", "x", "\xe2\x82\xac", 253},
    {"one byte of a three-byte character would be left", "xx", "\xe2\x82\xac", 254},
    {"one byte of a two-byte character would be left", "", "\xc3\xa4", 254},
    {"three bytes of a four-byte character would be left", "", "\xf0\x9f\x98\x80", 252},
};

static void cuts_a_long_text_between_characters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        const struct cut *c = &cuts[i];
        char text[600];
        struct err err = {0};
        size_t len = strlen(c->before);

        memcpy(text, c->before, len);
        while (len + strlen(c->filler) < sizeof(text)) {
            memcpy(text + len, c->filler, strlen(c->filler));
            len += strlen(c->filler);
        }
        text[len] = '\0';
        assert_false(err_set(&err, ERR_INTERNAL, "%s", text));
        if (strlen(err.text) != c->len)
            fail_msg("%s: %zu bytes, want %zu", c->why, strlen(err.text), c->len);
    }
}

/* STYLE's table; only these are retried by senders, every other status loses the spans (OTLP-53). */
static const struct answer {
    enum err_kind kind;
    const char *name;
    int http;
    int grpc;
    bool retry;
} answers[] = {
    {ERR_BAD_INPUT, "bad_input", 400, 3, false},
    {ERR_UNSUPPORTED, "unsupported", 415, 12, false},
    {ERR_NOT_FOUND, "not_found", 404, 5, false},
    {ERR_METHOD_NOT_ALLOWED, "method_not_allowed", 405, 12, false},
    {ERR_UNAUTHENTICATED, "unauthenticated", 401, 16, false},
    {ERR_FORBIDDEN, "forbidden", 403, 7, false},
    {ERR_LIMITED, "limited", 429, 8, true},
    {ERR_TOO_LARGE, "too_large", 413, 8, false},
    {ERR_HEADERS_TOO_LARGE, "headers_too_large", 431, 8, false},
    {ERR_URI_TOO_LONG, "uri_too_long", 414, 3, false},
    {ERR_TIMEOUT, "timeout", 503, 4, true},
    {ERR_UNAVAILABLE, "unavailable", 503, 14, true},
    {ERR_INTERNAL, "internal", 500, 13, false},
};

static void answers_each_kind_as_otlp_wants(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const struct answer *c = &answers[i];

        assert_string_equal(err_kind_name(c->kind), c->name);
        assert_int_equal(err_http_status(c->kind), c->http);
        assert_int_equal(err_grpc_code(c->kind), c->grpc);
        assert_int_equal(err_may_retry(c->kind), c->retry);
    }
}

static void every_kind_has_a_name_and_a_status(void **state)
{
    (void)state;
    for (int kind = 0; kind < ERR_KIND_MAX; kind++) {
        const int status = err_http_status((enum err_kind)kind);

        assert_non_null(err_kind_name((enum err_kind)kind));
        assert_true(kind == ERR_NONE ? status == 200 : status >= 400 && status < 600);
        /* What may be retried is a code that clients retry, and nothing else is (OTLP-53). */
        assert_int_equal(err_may_retry((enum err_kind)kind), status == 429 || status == 503);
    }
}

static void treats_a_kind_that_is_none_as_our_bug(void **state)
{
    (void)state;
    assert_int_equal(err_http_status(ERR_KIND_MAX), 500);
    assert_string_equal(err_kind_name(ERR_KIND_MAX), "internal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(returns_false_and_fills_kind_and_text),
        cmocka_unit_test(cuts_a_long_text_between_characters),
        cmocka_unit_test(answers_each_kind_as_otlp_wants),
        cmocka_unit_test(every_kind_has_a_name_and_a_status),
        cmocka_unit_test(treats_a_kind_that_is_none_as_our_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
