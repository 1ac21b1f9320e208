/* What must hold for spans of any decoded body. */
#include "support/fuzz_spans.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "otlp/decode.h"
#include "otlp/encode.h"
#include "otlp/from_protobuf.h"
#include "otlp/stored.h"
#include "support/spans.h"

#define ROOM ((size_t)128 << 20)

static void expect(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

static void expect_same(const struct span *a, const struct span *b, const char *way)
{
    const char *difference = span_difference(a, b);

    if (difference)
        (void)fprintf(stderr, "%s: %s differs\n", way, difference);
    expect(!difference, "the span is given back");
}

static void expect_text(struct bytes text)
{
    expect(text_valid_prefix(text) == text.len, "text is UTF-8 without NUL");
}

static void check_row(const struct stored_span *row, const struct span *span, struct arena *arena)
{
    struct otlp_from_stored_memo memo = {0};
    struct span back;
    struct err err;

    expect_text(row->name);
    expect_text(row->status_message);
    expect_text(row->trace_state);
    expect_text(row->error_type);
    expect_text(row->attributes);
    expect_text(row->events);
    expect_text(row->links);
    expect_text(row->service_name);
    expect_text(row->resource->attributes);
    expect_text(row->resource->schema_url);
    expect_text(row->scope->name);
    expect_text(row->scope->version);
    expect_text(row->scope->attributes);
    expect(row->duration_ns >= 0 && row->start_unix_ns >= 0, "times are not negative");
    expect(row->service_name.len > 0, "a service has a name");
    if (otlp_from_stored(row, arena, &memo, &back, &err))
        expect_same(span, &back, "row");
    else
        expect(err.kind == ERR_TOO_LARGE, "a row can be read");
}

static void check_protobuf(const struct span *span, struct arena *arena)
{
    struct span back;
    struct buf message;
    struct bytes kept;
    struct err err;

    buf_init(&message, ROOM);
    otlp_span_to_protobuf(span, &message);
    kept = arena_copy(arena, buf_bytes(&message));
    buf_done(&message);
    if (!kept.at)
        return;
    if (!otlp_span_from_protobuf(kept, arena, &back, &err)) {
        expect(err.kind == ERR_TOO_LARGE, "what was written can be read");
        return;
    }
    back.resource = span->resource;
    back.scope = span->scope;
    expect_same(span, &back, "protobuf");
}

void fuzz_spans_check(struct span_array *spans, struct arena *arena)
{
    struct otlp_to_stored maker;
    struct buf json;
    struct err err;

    otlp_to_stored_init(&maker, arena, TENANT_DEFAULT, 1);
    for (size_t i = 0; i < spans->count; i++) {
        struct span *span = &spans->items[i];
        struct stored_span row;

        check_protobuf(span, arena);
        if (!otlp_check_span(span, arena)) {
            expect(span->fault[0] != '\0', "a fault has a text");
            continue;
        }
        if (otlp_to_stored(&maker, span, &row, &err))
            check_row(&row, span, arena);
        else
            expect(err.kind == ERR_TOO_LARGE, "a sound span has a row");
    }
    otlp_to_stored_done(&maker);
    buf_init(&json, ROOM);
    otlp_to_json(spans, &json);
    expect(!buf_ok(&json) || text_valid_prefix(buf_bytes(&json)) == json.len, "JSON is UTF-8");
    buf_done(&json);
}
