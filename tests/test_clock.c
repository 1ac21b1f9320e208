/* Times from outside and for outside (DESIGN section 1, "Times"). */
#include "test.h"

#include "base/clock.h"

static const struct {
    const char *why;
    const char *text;
    int64_t unix_nano;
} taken[] = {
    {"seconds", "1700000000", INT64_C(1700000000000000000)},
    {"milliseconds", "1700000000123", INT64_C(1700000000123000000)},
    {"microseconds", "1700000000123456", INT64_C(1700000000123456000)},
    {"nanoseconds", "1700000000123456789", INT64_C(1700000000123456789)},
    {"zero", "0", 0},
    {"before 1970", "-1", -NS_PER_S},
    {"the least number of seconds that reads as ms", "100000000000", INT64_C(100000000000000000)},
    {"date alone", "2026-11-21", INT64_C(1795219200000000000)},
    {"RFC 3339", "2026-11-21T13:15:00Z", INT64_C(1795266900000000000)},
    {"lower-case letters", "2026-11-21t13:15:00z", INT64_C(1795266900000000000)},
    {"space for T", "2026-11-21 13:15:00Z", INT64_C(1795266900000000000)},
    {"nine digits", "2026-11-21T13:15:00.123456789Z", INT64_C(1795266900123456789)},
    {"one digit", "2026-11-21T13:15:00.5Z", INT64_C(1795266900500000000)},
    {"offset", "2026-11-21T18:45:00+05:30", INT64_C(1795266900000000000)},
    {"negative offset", "2026-11-21T05:15:00-08:00", INT64_C(1795266900000000000)},
    {"epoch", "1970-01-01T00:00:00Z", 0},
    {"leap day", "2024-02-29", INT64_C(1709164800000000000)},
    {"leap day of a century", "2000-02-29", INT64_C(951782400000000000)},
    {"leap second", "2016-12-31T23:59:60Z", INT64_C(1483228800000000000)},
    {"the last nanosecond", "2262-04-11T23:47:16.854775807Z", INT64_MAX},
};

static const char *const refused[] = {
    "",
    "x",
    "now",
    "1.5",
    "1e9",
    " 1",
    "+1",

    "20261121",
    "2026-11",
    "2026-13-01",
    "2026-00-01",
    "2026-11-31",
    "2026-11-00",
    "2023-02-29",
    "1900-02-29",
    "2026-11-21T",
    "2026-11-21T13:15",
    "2026-11-21T13:15:00",
    "2026-11-21T24:00:00Z",
    "2026-11-21T13:60:00Z",
    "2026-11-21T13:15:61Z",
    "2026-11-21T13:15:00.Z",
    "2026-11-21T13:15:00.1234567890Z",
    "2026-11-21T13:15:00+05",
    "2026-11-21T13:15:00+0530",
    "2026-11-21T13:15:00+24:00",
    "2026-11-21T13:15:00Zx",
    "2026/11/21",
    "2262-04-11T23:47:16.854775808Z",
    "9999-12-31",
    "1500-01-01",
    "99999999999999999999",
};

static void reads_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        int64_t found = 77;
        struct err err = {0};

        if (!clock_parse(bytes_of(taken[i].text), &found, &err))
            fail_msg("%s: %s", taken[i].why, err.text);
        if (found != taken[i].unix_nano)
            fail_msg("%s: %lld, want %lld", taken[i].why, (long long)found,
                     (long long)taken[i].unix_nano);
    }
}

static void refuses_what_is_no_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        int64_t found = 77;
        struct err err = {0};

        if (clock_parse(bytes_of(refused[i]), &found, &err))
            fail_msg("'%s' is taken as %lld", refused[i], (long long)found);
        if (err.kind != ERR_BAD_INPUT || err.text[0] == '\0' || found != 77)
            fail_msg("'%s': kind %d \"%s\"", refused[i], (int)err.kind, err.text);
    }
}

static void writes_rfc3339_with_nine_digits(void **state)
{
    static const struct {
        uint64_t unix_nano;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000000000Z"},
        {UINT64_C(1795266900123456789), "2026-11-21T13:15:00.123456789Z"},
        {UINT64_C(951868799999999999), "2000-02-29T23:59:59.999999999Z"},
        {(uint64_t)INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
        {UINT64_MAX, "2554-07-21T23:34:33.709551615Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[CLOCK_RFC3339_BYTES];

        assert_int_equal(clock_rfc3339(rows[i].unix_nano, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

static void reads_back_what_it_writes(void **state)
{
    (void)state;
    for (int64_t t = 0; t < INT64_MAX - INT64_C(98765432109876543);
         t += INT64_C(98765432109876543)) {
        char text[CLOCK_RFC3339_BYTES];
        int64_t back;
        struct err err;

        (void)clock_rfc3339((uint64_t)t, text);
        assert_true(clock_parse(bytes_of(text), &back, &err));
        assert_true(back == t);
    }
}

static void counts_days_towards_the_past(void **state)
{
    const int64_t day_ns = S_PER_DAY * NS_PER_S;

    (void)state;
    assert_int_equal(clock_day(0), 0);
    assert_int_equal(clock_day(day_ns - 1), 0);
    assert_int_equal(clock_day(day_ns), 1);
    assert_int_equal(clock_day(-1), -1);
    assert_int_equal(clock_day(-day_ns), -1);
    assert_int_equal(clock_day(-day_ns - 1), -2);
    assert_int_equal(clock_day(INT64_MAX), 106751);
}

static void runs_forward(void **state)
{
    const int64_t first = clock_mono_ns();

    (void)state;
    assert_true(clock_mono_ns() >= first);
    assert_true(clock_wall_ns() > INT64_C(1700000000) * NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_times),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(writes_rfc3339_with_nine_digits),
        cmocka_unit_test(reads_back_what_it_writes),
        cmocka_unit_test(counts_days_towards_the_past),
        cmocka_unit_test(runs_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
