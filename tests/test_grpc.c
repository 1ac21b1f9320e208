/* gRPC's prefix, timeouts, messages and content types (OTLP-61..66). */
#include "test.h"

#include "base/clock.h"
#include "wire/grpc.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BODY(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})
#define MAX_BYTES 100

static const struct refused {
    const char *why;
    const uint8_t *body;
    size_t len;
    enum err_kind kind;
} refused[] = {
    {"no byte at all", NULL, 0, ERR_BAD_INPUT},
    {"prefix cut short", BODY(0, 0, 0, 0), ERR_BAD_INPUT},
    {"flag is not 0 or 1", BODY(2, 0, 0, 0, 0), ERR_BAD_INPUT},
    {"one byte missing", BODY(0, 0, 0, 0, 2, 'x'), ERR_BAD_INPUT},
    {"one byte too many", BODY(0, 0, 0, 0, 0, 'x'), ERR_BAD_INPUT},
    {"a second message", BODY(0, 0, 0, 0, 1, 'x', 0, 0, 0, 0, 1, 'y'), ERR_BAD_INPUT},
    {"over the limit", BODY(0, 0, 0, 0, MAX_BYTES + 1), ERR_TOO_LARGE},
    {"5 + length wraps round", BODY(0, 0xff, 0xff, 0xff, 0xff), ERR_TOO_LARGE},
};

static void refuses_bad_prefix_and_leaves_output_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        const struct refused *c = &refused[i];
        struct grpc_message message = {.payload.len = 77};
        struct err err = {0};

        if (grpc_read_unary((struct bytes){c->body, c->len}, MAX_BYTES, &message, &err))
            fail_msg("%s: accepted", c->why);
        if (err.kind != c->kind || err.text[0] == '\0' || message.payload.len != 77)
            fail_msg("%s: kind %d \"%s\"", c->why, (int)err.kind, err.text);
    }
}

static void reads_empty_plain_and_compressed_messages(void **state)
{
    struct grpc_message message;
    struct err err;
    (void)state;

    assert_true(grpc_read_unary((struct bytes){BODY(0, 0, 0, 0, 0)}, MAX_BYTES, &message, &err));
    assert_false(message.compressed);
    assert_int_equal(message.payload.len, 0);
    assert_true(
        grpc_read_unary((struct bytes){BODY(1, 0, 0, 0, 2, 'h', 'i')}, MAX_BYTES, &message, &err));
    assert_true(message.compressed);
    assert_true(bytes_is(message.payload, "hi"));
}

static void reads_timeouts_in_every_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: refused */
    } cases[] = {
        {"1H", 3600 * NS_PER_S},
        {"1M", 60 * NS_PER_S},
        {"10S", 10 * NS_PER_S},
        {"1m", NS_PER_MS}, /* not a minute */
        {"250u", 250 * NS_PER_US},
        {"99999999n", 99999999},
        {"0S", 0},
        {"00000001S", NS_PER_S},
        {"99999999H", INT64_MAX / 4}, /* 3.6e20 ns: no limit */
        {"99999999M", INT64_MAX / 4}, /* 6e18 ns would overflow when a time is added */
        {"", -1},
        {"S", -1},
        {"1", -1},
        {"123456789S", -1}, /* nine digits */
        {"9S9", -1},
        {"-1S", -1},
        {"+1S", -1},
        {" 1S", -1},
        {"1S ", -1},
        {"1.5S", -1},
        {"1s", -1},
        {"1h", -1},
        {"1\xc2\xb5", -1},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ns = 77;
        struct err err = {0};
        const bool ok = grpc_read_timeout(bytes_of(cases[i].text), &ns, &err);
        if (ok != (cases[i].ns >= 0) || ns != (ok ? cases[i].ns : 77) ||
            (!ok && (err.kind != ERR_BAD_INPUT || !err.text[0])))
            fail_msg("'%s': %d %lld", cases[i].text, ok, (long long)ns);
    }
}

static void writes_messages_percent_encoded(void **state)
{
    struct buf out;
    (void)state;

    buf_init(&out, 1000);
    grpc_write_message(&out, BYTES_LITERAL("a b~%\n\xc3\xa9\x7f"));
    assert_true(bytes_is(buf_bytes(&out), "a b~%25%0A%C3%A9%7F"));
    buf_done(&out);
}

static void writes_the_prefix_of_a_plain_message(void **state)
{
    uint8_t prefix[GRPC_PREFIX_BYTES];
    (void)state;

    grpc_write_prefix(prefix, 0x01020304);
    assert_memory_equal(prefix, ((const uint8_t[]){0, 1, 2, 3, 4}), sizeof(prefix));
}

static void tells_grpc_content_types_apart(void **state)
{
    static const struct {
        const char *type;
        bool is_grpc;
        bool spoken;
    } cases[] = {
        {"application/grpc", true, true},
        {"application/grpc+proto", true, true},
        {"Application/GRPC", true, true},
        {"application/grpc;charset=utf-8", true, true},
        {"application/grpc+proto ; x=y", true, true},
        {"application/grpc+json", true, false},
        {"application/grpc-web", true, false},
        {"application/grpc-web+proto", true, false},
        {"application/grpcx", true, false},
        {"application/grp", false, false},
        {"text/application/grpc", false, false},
        {"application/x-protobuf", false, false},
        {"", false, false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        bool spoken = false;
        const bool is_grpc = grpc_is_media_type(bytes_of(cases[i].type), &spoken);
        if (is_grpc != cases[i].is_grpc || spoken != cases[i].spoken)
            fail_msg("'%s': %d %d", cases[i].type, is_grpc, spoken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_prefix_and_leaves_output_alone),
        cmocka_unit_test(reads_empty_plain_and_compressed_messages),
        cmocka_unit_test(reads_timeouts_in_every_unit),
        cmocka_unit_test(writes_messages_percent_encoded),
        cmocka_unit_test(writes_the_prefix_of_a_plain_message),
        cmocka_unit_test(tells_grpc_content_types_apart),
    };

    return cmocka_run_group_tests_name("grpc", tests, NULL, NULL);
}
