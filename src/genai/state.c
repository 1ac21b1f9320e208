/* How a span went: level, failure, time of the first token. */
#include "base/text.h"
#include "genai/pick.h"

#define NANOS 1000000000LL
#define LONGEST_WAIT_NS (86400 * NANOS) /* a first token later than that is a mistake of units */

/* OpenTelemetry's numbers of severity; MLflow's are those of Python's logging. */
static struct bytes level_of_number(int64_t number, bool python)
{
    if (python ? number < 20 : number <= 8)
        return BYTES_LITERAL("DEBUG");
    if (python ? number < 30 : number <= 12)
        return BYTES_LITERAL("DEFAULT");
    if (python ? number < 40 : number <= 16)
        return BYTES_LITERAL("WARNING");
    return BYTES_LITERAL("ERROR");
}

static bool take_level(struct reading *r, const struct finding *finding, struct bytes *text,
                       const char **out_reason)
{
    const struct genai_word *word = genai_word(GENAI_MAP_LEVEL, *text);
    int64_t number;

    (void)r;
    *out_reason = "no level that is known";
    if (word != NULL)
        *text = bytes_of(word->means);
    else if (text_int64(*text, &number) && number > 0)
        *text = level_of_number(number, genai_rows[finding->row].dialect == DIALECT_MLFLOW);
    else
        return false;
    *out_reason = NULL;
    return true;
}

/* A level that only repeats the status is left to the status. */
static bool take_sent_level(struct reading *r, const struct finding *finding, struct bytes *text,
                            const char **out_reason)
{
    return genai_rows[finding->row].where != GENAI_STATUS &&
           take_level(r, finding, text, out_reason);
}

static bool tool_failed(struct reading *r)
{
    GENAI_EACH(finding, r->f, TARGET_TOOL_ERROR)
    {
        struct bytes text;

        if (!finding_text(r->f, finding, &text) || bytes_is_nocase(text, "false") ||
            bytes_is_nocase(text, "success") || bytes_is_nocase(text, "ok") ||
            bytes_is(text, "0") || bytes_is_nocase(text, "none"))
            continue;
        genai_note(r, "failed", finding, true, NULL);
        return true;
    }
    return false;
}

static bool error_sent(struct reading *r)
{
    GENAI_EACH(finding, r->f, TARGET_ERROR_TYPE)
    {
        struct bytes text;

        if (finding->attribute != NULL &&
            (!finding_text(r->f, finding, &text) || bytes_is_nocase(text, "none")))
            continue;
        genai_note(r, "failed", finding, true, NULL);
        return true;
    }
    return false;
}

static bool digits(struct bytes *text, size_t count, int64_t *out_number)
{
    int64_t number = 0;

    if (text->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text->at[i] < '0' || text->at[i] > '9')
            return false;
        number = number * 10 + (text->at[i] - '0');
    }
    *text = (struct bytes){text->at + count, text->len - count};
    *out_number = number;
    return true;
}

static bool sign(struct bytes *text, const char *wanted)
{
    if (text->len == 0 || strchr(wanted, text->at[0]) == NULL)
        return false;
    *text = (struct bytes){text->at + 1, text->len - 1};
    return true;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = y / 400;
    const int64_t of_era = y - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool zone(struct bytes *text, int64_t *out_seconds)
{
    const bool west = text->len > 0 && text->at[0] == '-';
    int64_t hours;
    int64_t minutes = 0;

    *out_seconds = 0;
    if (text->len == 0 || sign(text, "Zz"))
        return text->len == 0;
    if (!sign(text, "+-") || !digits(text, 2, &hours))
        return false;
    if (text->len > 0) {
        (void)sign(text, ":");
        if (!digits(text, 2, &minutes))
            return false;
    }
    *out_seconds = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return text->len == 0;
}

/* "2026-11-21T10:15:12.924078+00:00", a missing zone is UTC. */
static bool time_of_text(struct bytes text, int64_t *out_nanos)
{
    int64_t year;
    int64_t month;
    int64_t day;
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t offset;
    int64_t fraction = 0;
    int64_t unit = NANOS;

    if (!digits(&text, 4, &year) || !sign(&text, "-") || !digits(&text, 2, &month) ||
        !sign(&text, "-") || !digits(&text, 2, &day) || !sign(&text, "T t") ||
        !digits(&text, 2, &hour) || !sign(&text, ":") || !digits(&text, 2, &minute) ||
        !sign(&text, ":") || !digits(&text, 2, &second))
        return false;
    if (sign(&text, ".,"))
        while (text.len > 0 && text.at[0] >= '0' && text.at[0] <= '9') {
            unit /= 10;
            fraction += unit * (text.at[0] - '0');
            text = (struct bytes){text.at + 1, text.len - 1};
        }
    if (!zone(&text, &offset) || year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 ||
        day > 31 || hour > 24 || minute > 59 || second > 60)
        return false;
    *out_nanos =
        (days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset) * NANOS +
        fraction;
    return true;
}

static bool number_of(const struct value *value, double *out_number)
{
    if (value->kind == VALUE_INT)
        *out_number = (double)value->integer;
    else if (value->kind == VALUE_DOUBLE)
        *out_number = value->real;
    else if (value->kind != VALUE_STRING || !text_real(value->text, out_number))
        return false;
    return __builtin_isfinite(*out_number) && *out_number >= 0 && *out_number < 1e19;
}

/* A number since 1970, in seconds, milli-, micro- or nanoseconds, told apart by its size. */
static int64_t nanos_of(double since)
{
    const double unit = since < 1e11 ? 1e9 : since < 1e14 ? 1e6 : since < 1e17 ? 1e3 : 1;
    const double nanos = since * unit;

    return nanos < 9e18 ? (int64_t)nanos : 0;
}

/* The point in time that a finding tells; 0: none. */
static int64_t moment_of(struct reading *r, const struct finding *finding)
{
    const struct span *span = r->f->span;
    const int64_t start = span->start_unix_nano < INT64_MAX ? (int64_t)span->start_unix_nano : 0;
    const struct value *value;
    uint8_t how = genai_rows[finding->row].how;
    double number;
    int64_t nanos;

    if (how == GENAI_EVENT) {
        const uint64_t at = span->events[finding->event].time_unix_nano;
        return at < INT64_MAX ? (int64_t)at : 0;
    }
    value = finding_value(r->f, finding);
    if (value == NULL)
        return 0;
    if (how == GENAI_TIME && value->kind == VALUE_STRING && time_of_text(value->text, &nanos))
        return nanos;
    if (!number_of(value, &number))
        return 0;
    if (how == GENAI_TIME || how == GENAI_UNIX_MS)
        return nanos_of(how == GENAI_UNIX_MS && number < 1e14 ? number * 1e6 : number);
    /* Strands sends milliseconds under a key of seconds. */
    if (how == GENAI_SECONDS && findings_dialect(r->f, DIALECT_STRANDS) &&
        bytes_is(finding->key, "gen_ai.server.time_to_first_token"))
        how = GENAI_MILLIS;
    number *= how == GENAI_MILLIS ? 1e6 : 1e9;
    return start > 0 && number < (double)LONGEST_WAIT_NS ? start + (int64_t)(number + 0.5) : 0;
}

static void read_completion_start(struct reading *r, enum target target)
{
    const int64_t start = (int64_t)(r->f->span->start_unix_nano & INT64_MAX);

    GENAI_EACH(finding, r->f, target)
    {
        int64_t moment;

        /* The provider's time stamp, and the span's own start and end. */
        if (target == TARGET_COMPLETION_START_TIME && finding->rank > 1 &&
            genai_rows[finding->row].dialect != DIALECT_MASTRA)
            continue;
        moment = moment_of(r, finding);
        /* Clocks differ by a little; what is far from the span is no time of it. */
        if (moment == 0 || moment < start - 60 * NANOS || moment > start + LONGEST_WAIT_NS) {
            genai_note(r, "completion_start_time", finding, false, "no time within the span");
            continue;
        }
        genai_note(r, "completion_start_time", finding, r->m->completion_start_ns == 0, NULL);
        if (r->m->completion_start_ns == 0)
            r->m->completion_start_ns = moment;
    }
}

void genai_read_state(struct reading *r)
{
    static const struct pick level = {TARGET_LEVEL, "level", take_sent_level};

    if (genai_first(r->f, TARGET_LEVEL) != NULL)
        (void)genai_pick(r, &level, &r->m->level);
    r->m->failed = bytes_is(r->m->level, "ERROR");
    r->m->failed = error_sent(r) || r->m->failed;
    r->m->failed = tool_failed(r) || r->m->failed;
    read_completion_start(r, TARGET_COMPLETION_START_TIME);
    read_completion_start(r, TARGET_TIME_TO_FIRST_TOKEN);
}
