/* Log records at the real binary: those that are not taken are refused by name, and what is taken has bounds. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/log_rows.h"
#include "support/logs_rig.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* OTLP-43, OTLP-44, OTLP-48 */
static void refuses_other_records_by_name_and_takes_the_rest(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        struct test_ids ids, other;
        char message[1100];
        test_ids_next(&ids);
        test_ids_next(&other);
        struct test_span span = test_span_of(&ids, "chat");
        struct test_log logs[] = {
            test_log_of(&ids, "first"),   test_log_of(&ids, "no event"),
            test_log_of(&ids, "second"),  test_log_of(&ids, "other event"),
            test_log_of(&ids, "no span"),
        };
        logs[1].event = NULL;
        logs[3].event = "app.startup";
        logs[4].span_id.len = 0;
        buf_clear(&logs_rig.body);
        (json ? json_log_request : pb_log_request)(&logs_rig.body, logs, COUNT(logs));
        logs_rig_post(json, buf_bytes(&logs_rig.body));
        if (json) {
            const struct doc *partial = doc_get(
                doc_parse(&logs_rig.arena, buf_bytes(&logs_rig.reply.body)), "partialSuccess");
            assert_int_equal(logs_rig.reply.status, 200);
            assert_string_equal(doc_at(partial, "rejectedLogRecords", NULL), "3");
            (void)snprintf(message, sizeof(message), "%s", doc_at(partial, "errorMessage", NULL));
        } else {
            expect_partial("a mixed request", &logs_rig.reply, false, 3, message);
        }
        assert_non_null(strstr(message, "log_records[1]: no event name"));
        assert_non_null(strstr(message, "log_records[3]: event 'app.startup'"));
        assert_non_null(strstr(message, "log_records[4]: span_id has 0 bytes, want 8"));
        assert_non_null(strstr(message, "gen_ai.*"));
        buf_clear(&logs_rig.body);
        pb_request(&logs_rig.body, "test-service", &span, 1);
        http_export(logs_rig.server.http_port, false, buf_bytes(&logs_rig.body), &logs_rig.reply);
        expect_success("its span", &logs_rig.reply, false);
        assert_int_equal(logs_rig_events(logs_rig_span(ids.trace_id, hex_of(ids.span_id, 8))), 2);
        assert_int_equal(stored_spans(logs_rig.server.http_port, other.trace_id), 0);
    }
}

/* OTLP-31: a whole batch of ordinary logs is answered briefly, and is no error */
static void refuses_ordinary_logs_in_bulk(void **state)
{
    static struct test_log logs[5000];
    struct test_ids ids;
    const int64_t rejected =
        metric(logs_rig.server.http_port, "spanledger_log_records_total{outcome=\"rejected\"}");

    (void)state;
    test_ids_next(&ids);
    for (size_t i = 0; i < COUNT(logs); i++) {
        logs[i] = test_log_of(&ids, NULL);
        logs[i].event = NULL;
        logs[i].text = "GET / 200";
    }
    pb_log_request(&logs_rig.body, logs, COUNT(logs));
    logs_rig_post(false, buf_bytes(&logs_rig.body));
    expect_partial("5,000 ordinary records", &logs_rig.reply, false, COUNT(logs), NULL);
    assert_true(logs_rig.reply.body.len < 2048);
    assert_int_equal(
        metric(logs_rig.server.http_port, "spanledger_log_records_total{outcome=\"rejected\"}"),
        rejected + (int64_t)COUNT(logs));
}

static void bounds_the_records_of_a_trace(void **state)
{
    static struct test_log logs[LOG_ROWS_PER_TRACE + 3];
    struct test_ids ids;
    char message[1100];

    (void)state;
    test_ids_next(&ids);
    for (size_t i = 0; i < COUNT(logs); i++) {
        logs[i] = test_log_of(&ids, "one of many");
        logs[i].time_unix_nano += i;
    }
    pb_log_request(&logs_rig.body, logs, COUNT(logs));
    for (int again = 0; again < 2; again++) {
        logs_rig_post(false, buf_bytes(&logs_rig.body));
        expect_partial("three more than fit", &logs_rig.reply, false, 3, message);
        assert_non_null(strstr(message, "log_records[10000]: its trace has as many"));
    }
    buf_clear(&logs_rig.body);
    pb_log_request(&logs_rig.body, logs, LOG_ROWS_PER_TRACE); /* those that are there are no news */
    logs_rig_post(false, buf_bytes(&logs_rig.body));
    expect_success("sent again", &logs_rig.reply, false);
}

static void records_wait_a_day_for_their_span(void **state)
{
    struct test_ids lost, found;
    int64_t dropped = 0;
    bool more = true;
    struct err err;

    (void)state;
    test_ids_next(&lost);
    test_ids_next(&found);
    struct test_log logs[] = {test_log_of(&lost, "nobody's"), test_log_of(&found, "somebody's")};
    struct test_span span = test_span_of(&found, "chat");
    pb_log_request(&logs_rig.body, logs, 2);
    logs_rig_post(false, buf_bytes(&logs_rig.body));
    expect_success("two records", &logs_rig.reply, false);
    buf_clear(&logs_rig.body);
    pb_request(&logs_rig.body, "test-service", &span, 1);
    http_export(logs_rig.server.http_port, false, buf_bytes(&logs_rig.body), &logs_rig.reply);
    expect_success("one span", &logs_rig.reply, false);

    const int64_t there = logs_rig_number("SELECT count(*) FROM spanledger.span_log");
    assert_true(log_rows_drop_lost(&logs_rig.db, clock_wall_ns() - 3600 * NS_PER_S, 1000, &dropped,
                                   &more, &err));
    assert_int_equal(dropped, 0); /* they have not waited for an hour */
    assert_false(more);
    more = true;
    for (int rounds = 0; more && rounds < 1000; rounds++)
        assert_true(
            log_rows_drop_lost(&logs_rig.db, clock_wall_ns() + 1, 100, &dropped, &more, &err));
    assert_false(more);
    assert_int_equal(
        logs_rig_number("SELECT count(*) FROM spanledger.span_log AS l WHERE NOT EXISTS (SELECT"
                        " FROM spanledger.span AS s WHERE s.trace_id = l.trace_id"
                        " AND s.span_id = l.span_id)"),
        0);
    assert_true(logs_rig_number("SELECT count(*) FROM spanledger.span_log") < there);
    assert_int_equal(logs_rig_events(logs_rig_span(found.trace_id, hex_of(found.span_id, 8))), 1);
    /* What was looked through is not looked through again. */
    assert_true(log_rows_drop_lost(&logs_rig.db, clock_wall_ns() + 1, 1000, &dropped, &more, &err));
    assert_int_equal(dropped, 0);
    assert_false(more);
}

/* RF-34, OTLP-43: what only the database refuses is found and rejected alone */
static void rejects_what_the_database_refuses_alone(void **state)
{
    static const size_t bad[] = {0, 41, 42, 99};
    struct test_log logs[100];
    struct test_ids ids;
    char message[1100];
    struct err err;

    (void)state;
    assert_true(db_exec(&logs_rig.db,
                        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS"
                        " $$BEGIN IF NEW.event LIKE '%poison%' THEN RAISE EXCEPTION 'no'"
                        " USING ERRCODE = '22023'; END IF; RETURN NEW; END$$;"
                        "CREATE TRIGGER refuse BEFORE INSERT ON spanledger.span_log"
                        " FOR EACH ROW EXECUTE FUNCTION public.refuse()",
                        &err));
    test_ids_next(&ids);
    for (size_t i = 0; i < COUNT(logs); i++) {
        logs[i] = test_log_of(&ids, "sound");
        logs[i].time_unix_nano += i;
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        logs[bad[i]].body = "poison";
    pb_log_request(&logs_rig.body, logs, COUNT(logs));
    logs_rig_post(false, buf_bytes(&logs_rig.body));
    expect_partial("four refused by the database", &logs_rig.reply, false, COUNT(bad), message);
    assert_non_null(strstr(message, "log_records[41]: the database refuses a value"));
    assert_null(strstr(message, "22023"));
    assert_true(db_exec(&logs_rig.db, "DROP TRIGGER refuse ON spanledger.span_log", &err));
    const struct test_span span = test_span_of(&ids, "chat");
    buf_clear(&logs_rig.body);
    pb_request(&logs_rig.body, "test-service", &span, 1);
    http_export(logs_rig.server.http_port, false, buf_bytes(&logs_rig.body), &logs_rig.reply);
    assert_int_equal(logs_rig_events(logs_rig_span(ids.trace_id, hex_of(ids.span_id, 8))),
                     COUNT(logs) - COUNT(bad));
}

/* Spans that share an id: the earliest has the content, once. */
static void spans_that_share_an_id_show_content_once(void **state)
{
    struct test_ids ids;

    (void)state;
    test_ids_next(&ids);
    struct test_span spans[2] = {test_span_of(&ids, "earlier"), test_span_of(&ids, "later")};
    struct test_log log = test_log_of(&ids, "hello");
    spans[0].start_unix_nano -= 1000000000;
    pb_request(&logs_rig.body, "test-service", spans, 2);
    http_export(logs_rig.server.http_port, false, buf_bytes(&logs_rig.body), &logs_rig.reply);
    expect_success("two spans", &logs_rig.reply, false);
    buf_clear(&logs_rig.body);
    pb_log_request(&logs_rig.body, &log, 1);
    logs_rig_post(false, buf_bytes(&logs_rig.body));
    expect_success("a record", &logs_rig.reply, false);
    const struct doc *span = logs_rig_span(ids.trace_id, hex_of(ids.span_id, 8));
    assert_string_equal(doc_at(span, "name", NULL), "earlier");
    assert_int_equal(logs_rig_events(span), 1);
    assert_int_equal(doc_count(doc_get(span, "same_id")), 1);
    assert_int_equal(logs_rig_events(doc_item(doc_get(span, "same_id"), 0)), 0);
}

/* OTLP-115: a record of any time is stored; it is shown within 30 days of its trace */
static void takes_records_of_any_time(void **state)
{
    static const struct {
        const char *why;
        int64_t days; /* from the span's */
        size_t shown;
    } rows[] = {
        {"the day before", -1, 1},
        {"four weeks later", 28, 1},
        {"a year ago", -365, 0},
        {"in two years", 730, 0},
    };
    struct test_ids ids;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_ids_next(&ids);
        struct test_span span = test_span_of(&ids, "chat");
        struct test_log log = test_log_of(&ids, "hello");
        log.time_unix_nano += (uint64_t)(rows[i].days * S_PER_DAY * NS_PER_S);
        buf_clear(&logs_rig.body);
        pb_log_request(&logs_rig.body, &log, 1);
        logs_rig_post(false, buf_bytes(&logs_rig.body));
        expect_success(rows[i].why, &logs_rig.reply, false);
        buf_clear(&logs_rig.body);
        pb_request(&logs_rig.body, "test-service", &span, 1);
        http_export(logs_rig.server.http_port, false, buf_bytes(&logs_rig.body), &logs_rig.reply);
        assert_int_equal(logs_rig_events(logs_rig_span(ids.trace_id, hex_of(ids.span_id, 8))),
                         rows[i].shown);
    }
    test_ids_next(&ids);
    struct test_log log = test_log_of(&ids, "the last moment");
    log.time_unix_nano = UINT64_MAX;
    buf_clear(&logs_rig.body);
    pb_log_request(&logs_rig.body, &log, 1);
    logs_rig_post(false, buf_bytes(&logs_rig.body));
    expect_success("the last moment", &logs_rig.reply, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(refuses_other_records_by_name_and_takes_the_rest, logs_rig_clear),
        cmocka_unit_test_setup(refuses_ordinary_logs_in_bulk, logs_rig_clear),
        cmocka_unit_test_setup(bounds_the_records_of_a_trace, logs_rig_clear),
        cmocka_unit_test_setup(records_wait_a_day_for_their_span, logs_rig_clear),
        cmocka_unit_test_setup(rejects_what_the_database_refuses_alone, logs_rig_clear),
        cmocka_unit_test_setup(spans_that_share_an_id_show_content_once, logs_rig_clear),
        cmocka_unit_test_setup(takes_records_of_any_time, logs_rig_clear),
    };

    return cmocka_run_group_tests(tests, logs_rig_start, logs_rig_stop);
}
