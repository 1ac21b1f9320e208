/* Clocks and RFC 3339. */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/text.h"

#define DATE_DIGITS 8

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    if (clock_gettime(id, &now) != 0)
        return 0; /* cannot fail for these two clocks */
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

size_t clock_rfc3339(uint64_t unix_nano, char to[CLOCK_RFC3339_BYTES])
{
    const time_t seconds = (time_t)(unix_nano / (uint64_t)NS_PER_S);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm))
        tm = (struct tm){.tm_year = 70, .tm_mday = 1};
    return (size_t)snprintf(to, CLOCK_RFC3339_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%09" PRIu64 "Z",
                            tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                            tm.tm_sec, unix_nano % (uint64_t)NS_PER_S);
}

static bool number(struct bytes text, size_t from, size_t digits, int *out_value)
{
    int value = 0;

    if (text.len < from + digits)
        return false;
    for (size_t i = from; i < from + digits; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        value = value * 10 + (text.at[i] - '0');
    }
    *out_value = value;
    return true;
}

static bool is_at(struct bytes text, size_t at, char c)
{
    return at < text.len && text.at[at] == (uint8_t)c;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, for years from 1600 on. */
static int64_t days_from_civil(int year, int month, int day)
{
    const int y = month <= 2 ? year - 1 : year;
    const int m = month <= 2 ? month + 9 : month - 3;
    const int64_t era = y / 400;
    const int64_t year_of_era = y % 400;
    const int64_t day_of_year = (153 * m + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool date_exists(int year, int month, int day)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (year < 1600 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
        return false;
    return month != 2 || day < 29 || leap;
}

static bool parse_fraction(struct bytes text, size_t *at, int64_t *out_ns)
{
    int64_t unit = NS_PER_S / 10;
    const size_t first = *at + 1;

    *out_ns = 0;
    if (!is_at(text, *at, '.'))
        return true;
    for (*at = first; *at < text.len && text.at[*at] >= '0' && text.at[*at] <= '9'; (*at)++) {
        *out_ns += unit * (text.at[*at] - '0');
        unit /= 10;
    }
    return *at > first && *at - first <= 9;
}

static bool parse_offset(struct bytes text, size_t at, int64_t *out_seconds)
{
    int hours;
    int minutes;

    if (text.len == at + 1 && (text.at[at] == 'Z' || text.at[at] == 'z')) {
        *out_seconds = 0;
        return true;
    }
    if (text.len != at + 6 || !(is_at(text, at, '+') || is_at(text, at, '-')) ||
        !is_at(text, at + 3, ':') || !number(text, at + 1, 2, &hours) ||
        !number(text, at + 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *out_seconds = (is_at(text, at, '-') ? INT64_C(-1) : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static bool parse_rfc3339(struct bytes text, int64_t *out_unix_nano)
{
    int year;
    int month;
    int day;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int64_t fraction_ns = 0;
    int64_t offset_s = 0;
    size_t at = 19;
    int64_t seconds;

    if (!number(text, 0, 4, &year) || !is_at(text, 4, '-') || !number(text, 5, 2, &month) ||
        !is_at(text, 7, '-') || !number(text, 8, 2, &day) || !date_exists(year, month, day))
        return false;
    if (text.len > 10) {
        if (!(is_at(text, 10, 'T') || is_at(text, 10, 't') || is_at(text, 10, ' ')) ||
            !number(text, 11, 2, &hour) || !is_at(text, 13, ':') || !number(text, 14, 2, &minute) ||
            !is_at(text, 16, ':') || !number(text, 17, 2, &second) || hour > 23 || minute > 59 ||
            second > 60 || !parse_fraction(text, &at, &fraction_ns) ||
            !parse_offset(text, at, &offset_s))
            return false;
    }
    seconds = days_from_civil(year, month, day) * S_PER_DAY + INT64_C(3600) * hour +
              INT64_C(60) * minute + second - offset_s;
    return !__builtin_mul_overflow(seconds, NS_PER_S, out_unix_nano) &&
           !__builtin_add_overflow(*out_unix_nano, fraction_ns, out_unix_nano);
}

static bool parse_unix(struct bytes text, int64_t *out_unix_nano)
{
    int64_t value;
    int64_t unit = 1;

    /* 20260131 is meant as a date, and not as a day of 1970. */
    if (text.len == DATE_DIGITS || !text_int64(text, &value))
        return false;
    if (value < INT64_C(100000000000))
        unit = NS_PER_S;
    else if (value < INT64_C(100000000000000))
        unit = NS_PER_MS;
    else if (value < INT64_C(100000000000000000))
        unit = NS_PER_US;
    return !__builtin_mul_overflow(value, unit, out_unix_nano);
}

bool clock_parse(struct bytes text, int64_t *out_unix_nano, struct err *err)
{
    char quoted[64];
    int64_t value;

    if (!parse_unix(text, &value) && !parse_rfc3339(text, &value))
        return err_set(err, ERR_BAD_INPUT,
                       "time '%s' is neither a date (2026-01-31), nor RFC 3339 with its zone "
                       "(2026-01-31T09:30:00Z), nor unix s, ms, us or ns",
                       text_quote(text, quoted, sizeof(quoted)));
    *out_unix_nano = value;
    return true;
}
