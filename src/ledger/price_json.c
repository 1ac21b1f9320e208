/* Prices as JSON. */
#include "ledger/price_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "ledger/price_list.h"

/* A fee is kept in pico-USD for one call, all other rates in millionths of a USD for a million. */
#define REQUEST_INDEX (PRICE_RATE_COUNT - 1)

void price_json_rates(struct buf *out, const struct rates *rates)
{
    struct json j = json_into(out);
    struct rates copy = *rates;

    json_open(&j, '{');
    for (size_t i = 0; i < PRICE_RATE_COUNT; i++) {
        const int64_t rate = *price_rate_at(&copy, i);

        if (rate == COST_UNKNOWN)
            continue;
        json_key(&j, price_rate_name(i));
        json_int(&j, rate);
    }
    json_close(&j, '}');
}

void price_json_decimal(struct buf *out, int64_t rate, bool per_request)
{
    const int digits = per_request ? 12 : 6;
    const int64_t one = per_request ? PICO_PER_USD : 1000000;
    char fraction[16];
    int len = snprintf(fraction, sizeof(fraction), "%0*" PRId64, digits, rate % one);

    while (len > 0 && fraction[len - 1] == '0')
        len--;
    buf_printf(out, "%" PRId64 "%s%.*s", rate / one, len > 0 ? "." : "", len, fraction);
}

static void write_rates(struct json *j, struct buf *out, struct rates rates)
{
    for (size_t i = 0; i < PRICE_RATE_COUNT; i++) {
        const int64_t rate = *price_rate_at(&rates, i);

        if (rate == COST_UNKNOWN)
            continue;
        json_key(j, price_rate_name(i));
        buf_add_byte(out, '"');
        price_json_decimal(out, rate, i == REQUEST_INDEX);
        buf_add_byte(out, '"');
        j->comma = true;
    }
}

void price_json_own(struct buf *out, const struct own_price *row)
{
    struct json j = json_into(out);

    json_open(&j, '{');
    write_rates(&j, out, row->rates);
    if (row->above_tokens > 0) {
        json_key(&j, "above");
        json_open(&j, '{');
        json_key(&j, "tokens");
        json_int(&j, row->above_tokens);
        write_rates(&j, out, row->above);
        json_close(&j, '}');
    }
    json_close(&j, '}');
}

bool price_json_rate(struct bytes name, struct bytes text, struct rates *rates)
{
    for (size_t i = 0; i < PRICE_RATE_COUNT; i++)
        if (bytes_is(name, price_rate_name(i)))
            return i == REQUEST_INDEX ? price_decimal_12(text, price_rate_at(rates, i))
                                      : price_decimal(text, price_rate_at(rates, i));
    return false;
}

/* Members of "above". */
static bool read_above(struct json_reader *r, struct own_price *row, struct err *err)
{
    enum json_token token;

    for (;;) {
        if (!json_next(r, &token, err))
            return false;
        if (token == JSON_OBJECT_CLOSE)
            return true;
        const struct bytes key = r->text;
        if (!json_next(r, &token, err))
            return false;
        const bool fine = bytes_is(key, "tokens")
                              ? token == JSON_NUMBER && text_int64(r->text, &row->above_tokens) &&
                                    row->above_tokens > 0
                              : (token == JSON_STRING || token == JSON_NUMBER) &&
                                    price_json_rate(key, r->text, &row->above);
        if (!fine)
            return err_set(err, ERR_BAD_INPUT, "no price above a number of tokens");
    }
}

static bool read_object(struct json_reader *r, struct own_price *row, struct err *err)
{
    enum json_token token;

    for (;;) {
        if (!json_next(r, &token, err))
            return false;
        if (token == JSON_OBJECT_CLOSE)
            return true;
        const struct bytes key = r->text;
        if (!json_next(r, &token, err))
            return false;
        if (token == JSON_OBJECT_OPEN && bytes_is(key, "above")) {
            if (!read_above(r, row, err))
                return false;
        } else if ((token != JSON_STRING && token != JSON_NUMBER) ||
                   !price_json_rate(key, r->text, &row->rates)) {
            return err_set(err, ERR_BAD_INPUT, "no price, or no name of one");
        }
    }
}

bool price_json_read_own(struct bytes json, struct arena *arena, struct own_price *row,
                         struct err *err)
{
    struct json_reader r;
    enum json_token token;

    row->rates = price_no_rates();
    row->above = price_no_rates();
    row->above_tokens = 0;
    json_reader_init(&r, json, arena);
    if (!json_next(&r, &token, err))
        return false;
    if (token != JSON_OBJECT_OPEN)
        return err_set(err, ERR_BAD_INPUT, "prices are no object");
    return read_object(&r, row, err);
}
