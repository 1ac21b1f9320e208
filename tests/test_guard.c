/* The look before unpacking, and our .proto files against the protocol's table (OTLP-110, PC-3,
 * PC-4). What the guard refuses is tested in test_from_protobuf. */
#include "test.h"

#include <protobuf-c/protobuf-c.h>

#include "common.pb-c.h"
#include "logs.pb-c.h"
#include "otlp/guard.h"
#include "receive.pb-c.h"
#include "trace.pb-c.h"

static struct arena arena;

static int fresh_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    arena_init(&arena, 16U << 20);
    return 0;
}

/* ---- the protocol's numbers and types ---- */

#define MSG PROTOBUF_C_TYPE_MESSAGE
#define BYTES PROTOBUF_C_TYPE_BYTES /* strings are kept as bytes: PC-1 */
#define U32 PROTOBUF_C_TYPE_UINT32
#define I32 PROTOBUF_C_TYPE_INT32 /* enums: the same varint */
#define F64 PROTOBUF_C_TYPE_FIXED64
#define F32 PROTOBUF_C_TYPE_FIXED32
#define T(message) opentelemetry__proto__trace__v1__##message##__descriptor
#define C(message) opentelemetry__proto__common__v1__##message##__descriptor
#define L(message) opentelemetry__proto__logs__v1__##message##__descriptor
#define R(message) spanledger__receive__##message##__descriptor

static const struct field {
    const ProtobufCMessageDescriptor *message;
    const ProtobufCMessageDescriptor *receive; /* NULL: read by value_read */
    const char *name;
    unsigned number;
    ProtobufCType type;
    bool repeated;
} fields[] = {
    {&T(export_trace_service_request), &R(request), "resource_spans", 1, MSG, true},
    {&T(resource_spans), &R(resource_spans), "resource", 1, MSG, false},
    {&T(resource_spans), &R(resource_spans), "scope_spans", 2, MSG, true},
    {&T(resource_spans), &R(resource_spans), "schema_url", 3, BYTES, false},
    {&T(scope_spans), &R(scope_spans), "scope", 1, MSG, false},
    {&T(scope_spans), &R(scope_spans), "spans", 2, MSG, true},
    {&T(scope_spans), &R(scope_spans), "schema_url", 3, BYTES, false},
    {&C(resource), &R(resource), "attributes", 1, MSG, true},
    {&C(resource), &R(resource), "dropped_attributes_count", 2, U32, false},
    {&C(resource), &R(resource), "entity_refs", 3, MSG, true},
    {&C(instrumentation_scope), &R(scope), "name", 1, BYTES, false},
    {&C(instrumentation_scope), &R(scope), "version", 2, BYTES, false},
    {&C(instrumentation_scope), &R(scope), "attributes", 3, MSG, true},
    {&C(instrumentation_scope), &R(scope), "dropped_attributes_count", 4, U32, false},
    {&T(span), &R(span), "trace_id", 1, BYTES, false},
    {&T(span), &R(span), "span_id", 2, BYTES, false},
    {&T(span), &R(span), "trace_state", 3, BYTES, false},
    {&T(span), &R(span), "parent_span_id", 4, BYTES, false},
    {&T(span), &R(span), "name", 5, BYTES, false},
    {&T(span), &R(span), "kind", 6, I32, false},
    {&T(span), &R(span), "start_time_unix_nano", 7, F64, false},
    {&T(span), &R(span), "end_time_unix_nano", 8, F64, false},
    {&T(span), &R(span), "attributes", 9, MSG, true},
    {&T(span), &R(span), "dropped_attributes_count", 10, U32, false},
    {&T(span), &R(span), "events", 11, MSG, true},
    {&T(span), &R(span), "dropped_events_count", 12, U32, false},
    {&T(span), &R(span), "links", 13, MSG, true},
    {&T(span), &R(span), "dropped_links_count", 14, U32, false},
    {&T(span), &R(span), "status", 15, MSG, false},
    {&T(span), &R(span), "flags", 16, F32, false},
    {&T(span__event), &R(event), "time_unix_nano", 1, F64, false},
    {&T(span__event), &R(event), "name", 2, BYTES, false},
    {&T(span__event), &R(event), "attributes", 3, MSG, true},
    {&T(span__event), &R(event), "dropped_attributes_count", 4, U32, false},
    {&T(span__link), &R(link), "trace_id", 1, BYTES, false},
    {&T(span__link), &R(link), "span_id", 2, BYTES, false},
    {&T(span__link), &R(link), "trace_state", 3, BYTES, false},
    {&T(span__link), &R(link), "attributes", 4, MSG, true},
    {&T(span__link), &R(link), "dropped_attributes_count", 5, U32, false},
    {&T(span__link), &R(link), "flags", 6, F32, false},
    {&T(status), &R(status), "message", 2, BYTES, false},
    {&T(status), &R(status), "code", 3, I32, false},
    {&L(export_logs_service_request), &R(logs_request), "resource_logs", 1, MSG, true},
    {&L(resource_logs), &R(resource_logs), "resource", 1, MSG, false},
    {&L(resource_logs), &R(resource_logs), "scope_logs", 2, MSG, true},
    {&L(resource_logs), &R(resource_logs), "schema_url", 3, BYTES, false},
    {&L(scope_logs), &R(scope_logs), "scope", 1, MSG, false},
    {&L(scope_logs), &R(scope_logs), "log_records", 2, MSG, true},
    {&L(scope_logs), &R(scope_logs), "schema_url", 3, BYTES, false},
    {&L(log_record), &R(log_record), "time_unix_nano", 1, F64, false},
    {&L(log_record), &R(log_record), "severity_number", 2, I32, false},
    {&L(log_record), &R(log_record), "severity_text", 3, BYTES, false},
    {&L(log_record), &R(log_record), "body", 5, MSG, false},
    {&L(log_record), &R(log_record), "attributes", 6, MSG, true},
    {&L(log_record), &R(log_record), "dropped_attributes_count", 7, U32, false},
    {&L(log_record), &R(log_record), "flags", 8, F32, false},
    {&L(log_record), &R(log_record), "trace_id", 9, BYTES, false},
    {&L(log_record), &R(log_record), "span_id", 10, BYTES, false},
    {&L(log_record), &R(log_record), "observed_time_unix_nano", 11, F64, false},
    {&L(log_record), &R(log_record), "event_name", 12, BYTES, false},
    {&C(any_value), NULL, "string_value", 1, BYTES, false},
    {&C(any_value), NULL, "bool_value", 2, PROTOBUF_C_TYPE_BOOL, false},
    {&C(any_value), NULL, "int_value", 3, PROTOBUF_C_TYPE_INT64, false},
    {&C(any_value), NULL, "double_value", 4, PROTOBUF_C_TYPE_DOUBLE, false},
    {&C(any_value), NULL, "array_value", 5, MSG, false},
    {&C(any_value), NULL, "kvlist_value", 6, MSG, false},
    {&C(any_value), NULL, "bytes_value", 7, BYTES, false},
    {&C(array_value), NULL, "values", 1, MSG, true},
    {&C(key_value_list), NULL, "values", 1, MSG, true},
    {&C(key_value), NULL, "key", 1, BYTES, false},
    {&C(key_value), NULL, "value", 2, MSG, false},
};

static void holds_the_numbers_of_the_protocol(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const struct field *f = &fields[i];
        const ProtobufCFieldDescriptor *found =
            protobuf_c_message_descriptor_get_field_by_name(f->message, f->name);

        if (!found || found->id != f->number || found->type != f->type ||
            (found->label == PROTOBUF_C_LABEL_REPEATED) != f->repeated)
            fail_msg("%s.%s is not as the protocol has it", f->message->name, f->name);
    }
}

static void receives_every_field_of_the_protocol(void **state)
{
    (void)state; /* receive.proto may make a message bytes or repeated, but not leave it out */
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const struct field *f = &fields[i];
        const ProtobufCFieldDescriptor *found;
        unsigned of_message = 0;

        if (!f->receive)
            continue;
        found = protobuf_c_message_descriptor_get_field(f->receive, f->number);
        if (!found || strcmp(found->name, f->name) != 0 ||
            (found->type != f->type && !(f->type == MSG && found->type == BYTES)))
            fail_msg("receive.proto lacks %s.%s", f->message->name, f->name);
        for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++)
            of_message += fields[k].receive == f->receive;
        if (f->receive->n_fields != of_message || f->message->n_fields != of_message)
            fail_msg("%s has other fields", f->message->name);
    }
}

static void has_no_recursive_message_to_unpack(void **state)
{
    static const ProtobufCMessageDescriptor *const by_depth[] = {
        &R(request),      &R(resource_spans), &R(scope_spans), &R(span),       &R(event),
        &R(link),         &R(status),         &R(resource),    &R(scope),      &R(entity_ref),
        &R(logs_request), &R(resource_logs),  &R(scope_logs),  &R(log_record),
    };
    static const unsigned rank[] = {0, 1, 2, 3, 4, 4, 4, 2, 3, 3, 0, 1, 2, 3};

    (void)state; /* PC-3: every sub-message ranks below its message, so unpack ends */
    for (size_t i = 0; i < sizeof(by_depth) / sizeof(by_depth[0]); i++) {
        for (unsigned k = 0; k < by_depth[i]->n_fields; k++) {
            const ProtobufCFieldDescriptor *field = &by_depth[i]->fields[k];

            for (size_t child = 0; child < sizeof(by_depth) / sizeof(by_depth[0]); child++)
                if (field->type == MSG && field->descriptor == by_depth[child])
                    assert_true(rank[child] > rank[i]);
        }
    }
}

/* ---- groups ---- */

static void leaves_sound_bodies_alone(void **state)
{
    static const uint8_t body[] = {0x0a, 0x04, 0x12, 0x02, 0x12, 0x00};
    struct bytes clean;
    struct err err;

    (void)state;
    assert_true(otlp_guard((struct bytes){body, sizeof(body)}, &arena, &clean, &err));
    assert_ptr_equal(clean.at, body);
    assert_int_equal(clean.len, sizeof(body));
}

static void hides_groups_of_any_length(void **state)
{
    (void)state; /* PC-4: lengths around the borders of one, two and three bytes of varint */
    for (size_t content = 0; content < 40000; content += content < 300 ? 1 : 97) {
        const size_t len = content + 2 + 2 + 2 + 2;
        uint8_t *body = arena_alloc(&arena, len);
        ProtobufCMessage *message;
        struct bytes clean;
        struct err err = {0};

        /* group 20 { bytes of content as varints of one byte: field 1 = 0 … } */
        body[0] = 0xa3;
        body[1] = 0x01;
        for (size_t i = 0; i < content; i++)
            body[2 + i] = i % 2 == 0 ? (i + 1 < content ? 0x08 : 0x0b) : 0x00;
        if (content % 2) /* an odd byte opens group 1: close it */
            body[2 + content] = 0x0c;
        body[2 + content + content % 2] = 0xa4;
        body[3 + content + content % 2] = 0x01;
        if (!otlp_guard((struct bytes){body, 4 + content + content % 2}, &arena, &clean, &err))
            fail_msg("content of %zu: %s", content, err.text);
        assert_ptr_not_equal(clean.at, body);
        message = protobuf_c_message_unpack(&R(request), NULL, clean.len, clean.at);
        assert_non_null(message);
        assert_int_equal(message->n_unknown_fields, 1);
        assert_int_equal(message->unknown_fields[0].tag, 20);
        protobuf_c_message_free_unpacked(message, NULL);
        if (content % 64 == 0)
            (void)fresh_arena(NULL);
    }
}

static void says_so_when_the_arena_is_full(void **state)
{
    static const uint8_t body[] = {0xa3, 0x01, 0xa4, 0x01};
    struct arena none;
    struct bytes clean = {.len = 77};
    struct err err = {0};

    (void)state;
    arena_init(&none, 0);
    assert_false(otlp_guard((struct bytes){body, sizeof(body)}, &none, &clean, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(clean.len, 77);
}

static void bounds_the_nesting_of_groups(void **state)
{
    uint8_t body[1000];
    struct bytes clean;
    struct err err = {0};

    (void)state;
    memset(body, 0xa3 & 0x7f, sizeof(body)); /* start of group 4, again and again */
    assert_false(otlp_guard((struct bytes){body, sizeof(body)}, &arena, &clean, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
}

static int free_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(holds_the_numbers_of_the_protocol, fresh_arena),
        cmocka_unit_test_setup(receives_every_field_of_the_protocol, fresh_arena),
        cmocka_unit_test_setup(has_no_recursive_message_to_unpack, fresh_arena),
        cmocka_unit_test_setup(leaves_sound_bodies_alone, fresh_arena),
        cmocka_unit_test_setup(hides_groups_of_any_length, fresh_arena),
        cmocka_unit_test_setup(says_so_when_the_arena_is_full, fresh_arena),
        cmocka_unit_test_setup(bounds_the_nesting_of_groups, fresh_arena),
    };

    return cmocka_run_group_tests(tests, NULL, free_arena);
}
