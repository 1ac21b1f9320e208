/* PostgreSQL's binary forms: times, arrays, rows. The layouts are PostgreSQL's (COPY binary format, array_recv). */
#include "test.h"

#include "queries.h"
#include "store/pg_array.h"
#include "store/pg_time.h"
#include "store/pgcopy.h"

static void times_count_from_2000_and_round_towards_the_past(void **state)
{
    (void)state;
    assert_int_equal(pg_timestamp(0), -PG_EPOCH_US);
    assert_int_equal(pg_timestamp(INT64_C(946684800) * NS_PER_S), 0);
    assert_int_equal(pg_timestamp(INT64_C(946684800) * NS_PER_S + 999), 0);
    assert_int_equal(pg_timestamp(-1), -PG_EPOCH_US - 1);
    assert_int_equal(pg_date(10957), 0);
    assert_int_equal(pg_date(0), -10957);
}

static void arrays_have_postgresqls_layout(void **state)
{
    static const uint8_t two[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0,   0,   25,   0,    0,    0,
                                  2, 0, 0, 0, 1, 0, 0, 0, 2, 'h', 'i', 0xff, 0xff, 0xff, 0xff};
    static const uint8_t none[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25};
    struct pg_array array;
    struct bytes form;

    (void)state;
    pg_array_init(&array, 25, 1000);
    form = pg_array_finish(&array);
    assert_int_equal(form.len, sizeof(none));
    assert_memory_equal(form.at, none, sizeof(none));
    pg_array_bytes(&array, BYTES_LITERAL("hi"));
    pg_array_null(&array);
    form = pg_array_finish(&array);
    assert_int_equal(form.len, sizeof(two));
    assert_memory_equal(form.at, two, sizeof(two));
    pg_array_done(&array);
}

static void an_array_beyond_its_maximum_is_no_parameter(void **state)
{
    struct pg_array array;

    (void)state;
    pg_array_init(&array, 20, 40);
    pg_array_int8(&array, 1);
    pg_array_int8(&array, 2);
    assert_null(pg_array_finish(&array).at);
    pg_array_done(&array);
}

/* Walks the fields of a row: every length leads to the next, the last ends the row. */
static int count_fields(struct bytes row)
{
    const int count = read_be16(row.at);
    size_t at = 2;

    for (int i = 0; i < count; i++) {
        const uint32_t len = read_be32(row.at + at);
        at += 4 + (len == UINT32_MAX ? 0 : len);
        assert_true(at <= row.len);
    }
    assert_int_equal(at, row.len);
    return count;
}

static void a_row_has_a_field_per_column(void **state)
{
    const struct stored_resource resource = {.id.at = {7}};
    const struct stored_scope scope = {.id.at = {8}};
    static struct bytes tags[] = {BYTES_CONSTANT("t")};
    const struct meaning meaning = {.tags = tags, .tag_count = 1, .usage.sent = true};
    struct stored_span row = {.name = BYTES_LITERAL("n"),
                              .has_parent = true,
                              .parent_span_id = 3,
                              .exact = BYTES_LITERAL("x"),
                              .resource = &resource,
                              .scope = &scope};
    struct buf out;
    int columns = 1;

    (void)state;
    buf_init(&out, 10000);
    pgcopy_span(&out, &row);
    for (const char *c = sql_span_columns; *c; c++)
        columns += *c == ',';
    assert_int_equal(count_fields(buf_bytes(&out)), columns);
    pgcopy_span_set_seq(out.at, 0x0102030405060708);
    assert_int_equal(count_fields(buf_bytes(&out)), columns);
    assert_non_null(memmem(out.at, out.len, "\1\2\3\4\5\6\7\10", 8));
    buf_clear(&out);
    row.meaning = &meaning;
    row.billing.is_duplicate = true;
    pgcopy_span(&out, &row);
    assert_int_equal(count_fields(buf_bytes(&out)), columns);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_count_from_2000_and_round_towards_the_past),
        cmocka_unit_test(arrays_have_postgresqls_layout),
        cmocka_unit_test(an_array_beyond_its_maximum_is_no_parameter),
        cmocka_unit_test(a_row_has_a_field_per_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
