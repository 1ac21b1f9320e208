/* Log records of recordings and of hand-made requests. */
#include "support/logs_case.h"

#include "base/text.h"
#include "support/client.h"
#include "support/fixture.h"
#include "test.h"

const struct otlp_limits logs_limits = {.max_depth = 64, .max_attributes = 10000};
struct arena logs_arena;

const char *const logs_recordings[LOGS_RECORDINGS] = {
    "python-genai_openai-chat",  "python-genai_openai-error429", "python-genai_openai-responses",
    "python-genai_openai-tools", "python-google-genai-chat",     "python-openai_v2-chat",
    "python-openai_v2-error429", "python-openai_v2-legacy_chat", "python-openai_v2-tools",
};

int logs_fresh(void **state)
{
    (void)state;
    arena_done(&logs_arena);
    arena_init(&logs_arena, LOGS_ROOM);
    return 0;
}

int logs_free(void **state)
{
    (void)state;
    arena_done(&logs_arena);
    return 0;
}

bool logs_decode(bool json, struct bytes body, struct arena *in, struct log_array *out_logs,
                 struct err *err)
{
    return (json ? otlp_logs_from_json : otlp_logs_from_protobuf)(body, &logs_limits, in, out_logs,
                                                                  err);
}

struct log_array logs_must_decode(bool json, struct bytes body, const char *why)
{
    struct log_array logs = {0};
    struct err err = {0};

    if (!logs_decode(json, body, &logs_arena, &logs, &err))
        fail_msg("%s: refused: %s", why, err.text);
    return logs;
}

struct bytes logs_recording(const char *name)
{
    return fixture_file(&logs_arena, arena_printf(&logs_arena, "%s/logs/001.body", name));
}

struct bytes logs_twin(const char *name)
{
    struct buf text;
    struct bytes copy;

    buf_init(&text, 1 << 20);
    if (!file_read(arena_printf(&logs_arena, "tests/data/logs/%s.json", name), &text))
        fail_msg("no twin of %s", name);
    copy = arena_copy(&logs_arena, buf_bytes(&text));
    buf_done(&text);
    return copy;
}

struct bytes logs_request_of(bool json, const struct test_log *log)
{
    struct buf body;
    struct bytes copy;

    buf_init(&body, LOGS_ROOM);
    (json ? json_log_request : pb_log_request)(&body, log, 1);
    copy = arena_copy(&logs_arena, buf_bytes(&body));
    buf_done(&body);
    return copy;
}

struct stored_log logs_must_store(struct log_record *log, const char *why)
{
    struct stored_log row = {0};
    struct err err = {0};

    if (!otlp_check_log(log, &logs_arena))
        fail_msg("%s: not taken: %s", why, log->fault);
    if (!otlp_log_to_stored(log, TENANT_DEFAULT, 1, &logs_arena, &row, &err))
        fail_msg("%s: %s", why, err.text);
    assert_int_equal(text_valid_prefix(row.event), row.event.len);
    return row;
}
