/* Files of own prices. */
#include "ledger/own_file.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "ledger/match_provider.h"
#include "ledger/own_json.h"
#include "ledger/price_json.h"
#include "ledger/price_list.h"

#define MAX_COLUMNS 64
#define COLUMNS                                                                                    \
    "model, provider, effective_from, input, cache_read, output and others (docs/prices.md)"

struct table {
    struct own_file file;
    size_t room;
    struct bytes source;
    const struct prices *prices;
    struct arena *arena;
};

static bool at_line(uint32_t line, const char *reason, struct err *err)
{
    char copy[ERR_TEXT_BYTES];

    /* reason may be err's own text */
    memcpy(copy, reason, strnlen(reason, sizeof(copy) - 1) + 1);
    copy[sizeof(copy) - 1] = '\0';
    return err_set(err, ERR_BAD_INPUT, "line %u: %s", (unsigned)line, copy);
}

static bool set_name(struct bytes *to, const char *what, struct bytes text, struct err *err)
{
    if (text.len > OWN_FILE_MAX_NAME)
        return err_set(err, ERR_BAD_INPUT, "%s has %zu bytes, want at most %d", what, text.len,
                       OWN_FILE_MAX_NAME);
    if (text_valid_prefix(text) != text.len)
        return err_set(err, ERR_BAD_INPUT, "%s is no UTF-8", what);
    *to = text;
    return true;
}

static bool set_tokens(struct own_file_row *row, struct bytes text, struct err *err)
{
    if (!text_int64(text, &row->price.above_tokens) || row->price.above_tokens < 1)
        return err_set(err, ERR_BAD_INPUT, "above_tokens is no positive whole number");
    return true;
}

/* Numbers are none: a spreadsheet's 46023 and 20260131 would be days of 1970. */
static bool set_from(struct own_price *price, struct bytes text, struct err *err)
{
    struct err ignored = {0};
    char quoted[48];

    if (text.len < 10 || text.at[4] != '-' ||
        !clock_parse(text, &price->effective_from_ns, &ignored))
        return err_set(err, ERR_BAD_INPUT,
                       "effective_from is '%s', want a date (2026-01-31) or RFC 3339 with its zone "
                       "(2026-01-31T00:00:00Z)",
                       text_quote(text, quoted, sizeof(quoted)));
    return true;
}

static bool is_rate(struct bytes name)
{
    for (size_t i = 0; i < PRICE_RATE_COUNT; i++)
        if (bytes_is(name, price_rate_name(i)))
            return true;
    return false;
}

/* "above_input" -> "input" */
static bool strip_above(struct bytes *name)
{
    static const char above[] = "above_";
    const size_t len = sizeof(above) - 1;

    if (name->len <= len || memcmp(name->at, above, len) != 0)
        return false;
    *name = (struct bytes){name->at + len, name->len - len};
    return true;
}

bool own_file_knows(struct bytes name)
{
    static const char *const words[] = {"provider", "model",  "effective_from",
                                        "tenant",   "source", "above_tokens"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (bytes_is(name, words[i]))
            return true;
    (void)strip_above(&name);
    return is_rate(name);
}

static bool set_rate(struct own_file_row *row, struct bytes name, struct bytes text,
                     struct err *err)
{
    struct bytes rate = name;
    const bool above = strip_above(&rate);
    char quoted[48];

    if (!price_json_rate(rate, text, above ? &row->price.above : &row->price.rates))
        return err_set(err, ERR_BAD_INPUT, "%.*s is '%s', want %s", (int)name.len,
                       (const char *)name.at, text_quote(text, quoted, sizeof(quoted)),
                       bytes_is(rate, "request")
                           ? "USD for one call: a decimal of at most 100000"
                           : "USD per million tokens: a decimal of at most 1000000, with a point, "
                             "with at most six digits behind it");
    return true;
}

bool own_file_set(struct own_file_row *row, struct bytes name, struct bytes text, struct err *err)
{
    struct own_price *price = &row->price;

    text = text_trim(text);
    if (text.len == 0)
        return true;
    if (bytes_is(name, "provider"))
        return set_name(&price->provider, "provider", text, err);
    if (bytes_is(name, "model"))
        return set_name(&price->model, "model", text, err);
    if (bytes_is(name, "source"))
        return set_name(&price->source, "source", text, err);
    if (bytes_is(name, "tenant"))
        return set_name(&row->tenant, "tenant", text, err);
    if (bytes_is(name, "effective_from"))
        return set_from(price, text, err);
    if (bytes_is(name, "above_tokens"))
        return set_tokens(row, text, err);
    return set_rate(row, name, text, err);
}

static bool has_rate(struct rates rates)
{
    for (size_t i = 0; i < PRICE_RATE_COUNT; i++)
        if (*price_rate_at(&rates, i) != COST_UNKNOWN)
            return true;
    return false;
}

/* A second tier changes what it names; the rest stays as in the first. */
static void complete_above(struct own_price *price)
{
    for (size_t i = 0; i < PRICE_RATE_COUNT; i++) {
        int64_t *above = price_rate_at(&price->above, i);

        if (price->above_tokens > 0 && *above == COST_UNKNOWN)
            *above = *price_rate_at(&price->rates, i);
    }
}

/* Names as they are looked for, so that a model cannot be there twice in two spellings. */
static bool normalise(struct table *table, struct own_price *price, struct err *err)
{
    uint8_t lower[MATCH_MAX_NAME];
    const struct bytes known = prices_provider(table->prices, price->provider);

    price->model = arena_copy(table->arena, match_lower(price->model, lower));
    price->provider =
        known.len > 0 ? known : arena_copy(table->arena, match_lower(price->provider, lower));
    return !table->arena->failed || err_set(err, ERR_TOO_LARGE, "no memory for prices");
}

static bool add_row(void *to, struct own_file_row *row, struct err *err)
{
    struct table *table = to;
    struct own_price *price = &row->price;

    if (price->model.len == 0)
        return at_line(row->line, "no model", err);
    if (!has_rate(price->rates))
        return at_line(row->line, "no price of anything", err);
    if (has_rate(price->above) != (price->above_tokens > 0))
        return at_line(row->line, "above_tokens and prices above them want each other", err);
    if (price->effective_from_ns < 0)
        return at_line(row->line, "effective_from is before 1970", err);
    if (table->file.count == OWN_FILE_MAX_ROWS)
        return err_set(err, ERR_TOO_LARGE, "more than %d rows", OWN_FILE_MAX_ROWS);
    if (price->source.len == 0)
        price->source = table->source;
    complete_above(price);
    if (!normalise(table, price, err))
        return false;
    if (table->file.count == table->room) {
        struct own_file_row *rows =
            arena_array(table->arena, struct own_file_row, table->room * 2 + 64);

        if (!rows)
            return err_set(err, ERR_TOO_LARGE, "no memory for %zu rows", table->room);
        if (table->room > 0)
            memcpy(rows, table->file.rows, table->room * sizeof(*rows));
        table->file.rows = rows;
        table->room = table->room * 2 + 64;
    }
    table->file.rows[table->file.count++] = *row;
    return true;
}

/* ---- CSV (RFC 4180) ---- */

struct csv {
    struct bytes rest;
    uint32_t line; /* of the row that is read next */
    struct arena *arena;
    struct bytes field[MAX_COLUMNS];
    size_t count;
};

/* Length of a quoted field with its quotes; 0: it is not closed. */
static size_t quoted_length(struct bytes rest)
{
    for (size_t i = 1; i < rest.len; i++) {
        if (rest.at[i] != '"')
            continue;
        if (i + 1 == rest.len || rest.at[i + 1] != '"')
            return i + 1;
        i++;
    }
    return 0;
}

/* A field in quotes, doubled ones inside. */
static bool read_quoted(struct csv *csv, uint32_t *lines, struct bytes *out_field, struct err *err)
{
    const size_t length = quoted_length(csv->rest);
    uint8_t *to = arena_alloc(csv->arena, length);
    size_t len = 0;

    if (length == 0)
        return at_line(csv->line, "a quote that is not closed", err);
    if (!to)
        return err_set(err, ERR_TOO_LARGE, "no memory");
    for (size_t i = 1; i + 1 < length; i++) {
        *lines += csv->rest.at[i] == '\n';
        to[len++] = csv->rest.at[i];
        i += csv->rest.at[i] == '"';
    }
    csv->rest = (struct bytes){csv->rest.at + length, csv->rest.len - length};
    *out_field = (struct bytes){to, len};
    return true;
}

static struct bytes read_plain(struct csv *csv)
{
    size_t len = 0;
    struct bytes *rest = &csv->rest;

    while (len < rest->len && rest->at[len] != ',' && rest->at[len] != '\n')
        len++;
    const struct bytes field = {rest->at, len};
    *rest = (struct bytes){rest->at + len, rest->len - len};
    return field;
}

/* One row in fields. *out_line: where it began. */
static bool read_record(struct csv *csv, uint32_t *out_line, struct err *err)
{
    uint32_t lines = 1;

    *out_line = csv->line;
    for (csv->count = 0;;) {
        struct bytes field;

        if (csv->count == MAX_COLUMNS)
            return at_line(csv->line, "more than 64 columns", err);
        if (csv->rest.len > 0 && csv->rest.at[0] == '"') {
            if (!read_quoted(csv, &lines, &field, err))
                return false;
            if (text_trim(read_plain(csv)).len > 0)
                return at_line(csv->line, "text behind a closing quote", err);
        } else {
            field = text_trim(read_plain(csv));
        }
        csv->field[csv->count++] = field;
        if (csv->rest.len == 0)
            break;
        const bool more = csv->rest.at[0] == ',';
        csv->rest = (struct bytes){csv->rest.at + 1, csv->rest.len - 1};
        if (!more)
            break;
    }
    csv->line += lines;
    return true;
}

static bool read_head(struct csv *csv, struct bytes names[MAX_COLUMNS], struct err *err)
{
    uint32_t line;
    bool model = false;
    char quoted[48];
    uint8_t lower[MATCH_MAX_NAME];

    if (!read_record(csv, &line, err))
        return false;
    for (size_t i = 0; i < csv->count; i++) {
        names[i] = arena_copy(csv->arena, match_lower(csv->field[i], lower));
        if (!own_file_knows(names[i]))
            return err_set(err, ERR_BAD_INPUT, "line %u: no column is called '%s'; %s",
                           (unsigned)line, text_quote(csv->field[i], quoted, sizeof(quoted)),
                           csv->count == 1 ? "commas stand between columns" : "there are " COLUMNS);
        for (size_t k = 0; k < i; k++)
            if (bytes_equal(names[k], names[i]))
                return at_line(line, "a column is there twice", err);
        model = model || bytes_is(names[i], "model");
    }
    return model || at_line(line, "no column 'model'; commas stand between columns", err);
}

static struct own_file_row new_row(uint32_t line)
{
    return (struct own_file_row){
        .price = {.rates = price_no_rates(), .above = price_no_rates()},
        .line = line,
    };
}

static bool read_csv(struct bytes text, struct table *table, struct err *err)
{
    struct csv csv = {.rest = text, .line = 1, .arena = table->arena};
    struct bytes names[MAX_COLUMNS];

    if (!read_head(&csv, names, err))
        return false;
    const size_t columns = csv.count;
    while (csv.rest.len > 0) {
        uint32_t line;

        if (!read_record(&csv, &line, err))
            return false;
        if (csv.count == 1 && csv.field[0].len == 0)
            continue;
        if (csv.count != columns)
            return err_set(err, ERR_BAD_INPUT, "line %u: %zu columns, want %zu", (unsigned)line,
                           csv.count, columns);
        struct own_file_row row = new_row(line);
        for (size_t i = 0; i < columns; i++)
            if (!own_file_set(&row, names[i], csv.field[i], err))
                return at_line(line, err->text, err);
        if (!add_row(table, &row, err))
            return false;
    }
    return true;
}

/* ---- all of it ---- */

/* Same tenant, provider, model and date. */
static int compare_keys(const struct own_file_row *a, const struct own_file_row *b)
{
    int order = bytes_compare(a->tenant, b->tenant);

    if (order == 0)
        order = bytes_compare(a->price.provider, b->price.provider);
    if (order == 0)
        order = bytes_compare(a->price.model, b->price.model);
    if (order == 0)
        order = (a->price.effective_from_ns > b->price.effective_from_ns) -
                (a->price.effective_from_ns < b->price.effective_from_ns);
    return order;
}

static int compare_rows(const void *left, const void *right)
{
    const struct own_file_row *a = left;
    const struct own_file_row *b = right;
    const int order = compare_keys(a, b);

    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static bool check_doubles(struct own_file *file, struct err *err)
{
    if (file->count > 1)
        qsort(file->rows, file->count, sizeof(*file->rows), compare_rows);
    for (size_t i = 1; i < file->count; i++)
        if (compare_keys(&file->rows[i - 1], &file->rows[i]) == 0)
            return err_set(err, ERR_BAD_INPUT,
                           "line %u: the same tenant, provider, model and date as line %u",
                           (unsigned)file->rows[i].line, (unsigned)file->rows[i - 1].line);
    return true;
}

bool own_file_read(const struct prices *prices, struct bytes text, struct bytes source,
                   struct arena *arena, struct own_file *out_file, struct err *err)
{
    struct table table = {.source = source, .prices = prices, .arena = arena};

    if (text.len > OWN_FILE_MAX_BYTES)
        return err_set(err, ERR_TOO_LARGE, "the file has more than %zu bytes", OWN_FILE_MAX_BYTES);
    if (text.len >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0)
        text = (struct bytes){text.at + 3, text.len - 3};
    const struct bytes trimmed = text_trim(text);
    if (trimmed.len == 0)
        return err_set(err, ERR_BAD_INPUT, "the file is empty");
    const bool json = trimmed.at[0] == '[' || trimmed.at[0] == '{';
    if (!(json ? own_json_read(text, arena, add_row, &table, err) : read_csv(text, &table, err)))
        return false;
    if (table.file.count == 0)
        return err_set(err, ERR_BAD_INPUT, "the file has no prices");
    if (!check_doubles(&table.file, err))
        return false;
    *out_file = table.file;
    return true;
}
