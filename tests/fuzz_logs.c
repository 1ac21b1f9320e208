/* Fuzzes logs bodies of both encodings: guard, records, rows, events (STYLE 3.11). A body that
 * begins with '{' is JSON. */
#include <stdlib.h>

#include "base/text.h"
#include "otlp/logs.h"

#define ROOM ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len);

static void expect(bool holds)
{
    if (!holds)
        abort();
}

/* A record that is taken becomes an event that can be read again, of text that PostgreSQL takes. */
static void check_record(struct log_record *log, struct arena *arena)
{
    struct stored_log row;
    struct stored_span beside = {0};
    struct span span = {0};
    struct buf list;
    struct err err = {0};

    if (!otlp_check_log(log, arena)) {
        expect(log->fault[0] != '\0');
        return;
    }
    if (!otlp_log_to_stored(log, TENANT_DEFAULT, 1, arena, &row, &err)) {
        expect(err.kind == ERR_TOO_LARGE);
        return;
    }
    expect(text_valid_prefix(row.event) == row.event.len && row.time_unix_ns > 0);
    buf_init(&list, ROOM);
    buf_add_byte(&list, '[');
    buf_add_bytes(&list, row.event);
    buf_add_byte(&list, ']');
    beside.log_events = buf_bytes(&list);
    if (buf_ok(&list))
        expect(otlp_add_log_events(&beside, arena, &span, &err) ? span.event_count == 1
                                                                : err.kind == ERR_TOO_LARGE);
    buf_done(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len)
{
    const struct otlp_limits limits = {.max_depth = 20, .max_attributes = 50};
    const struct bytes sent = {body, len};
    struct arena arena;
    struct log_array logs;
    struct err err = {0};

    arena_init(&arena, ROOM);
    if ((len > 0 && body[0] == '{' ? otlp_logs_from_json
                                   : otlp_logs_from_protobuf)(sent, &limits, &arena, &logs, &err)) {
        for (size_t i = 0; i < logs.count; i++)
            check_record(&logs.items[i], &arena);
    } else {
        expect(err.text[0] != '\0');
    }
    arena_done(&arena);
    return 0;
}
