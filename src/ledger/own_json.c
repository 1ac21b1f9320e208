/* Own prices in JSON. */
#include "ledger/own_json.h"

#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"
#include "ledger/price_list.h"

#define MOST_FIELDS 32      /* names that own_file_knows */
#define FIELD_NAME_BYTES 32 /* and how long they may be */
#define NO_ARRAY "want an array of prices, or {\"prices\": […]}"

struct place {
    struct json_reader r;
    size_t counted; /* bytes whose lines are in `line` */
    uint32_t line;
    char fields[MOST_FIELDS][FIELD_NAME_BYTES]; /* of the row at hand */
    size_t field_count;
};

static uint32_t line_of(struct place *p)
{
    for (; p->counted < p->r.at; p->counted++)
        p->line += p->r.body.at[p->counted] == '\n';
    return p->line;
}

static bool bad(struct place *p, const char *what, struct err *err)
{
    return err_set(err, ERR_BAD_INPUT, "line %u: %s", (unsigned)line_of(p), what);
}

static bool next(struct place *p, enum json_token *token, struct err *err)
{
    struct err cause = {0};

    if (json_next(&p->r, token, &cause))
        return true;
    if (cause.kind == ERR_TOO_LARGE)
        return err_set(err, cause.kind, "%s", cause.text);
    return bad(p, cause.text, err);
}

/* A field that stands twice has two prices: neither is taken for the true one. */
static bool is_first(struct place *p, struct bytes name)
{
    for (size_t i = 0; i < p->field_count; i++)
        if (bytes_is(name, p->fields[i]))
            return false;
    if (p->field_count < MOST_FIELDS && name.len < FIELD_NAME_BYTES) {
        memcpy(p->fields[p->field_count], name.at, name.len);
        p->fields[p->field_count++][name.len] = '\0';
    }
    return true;
}

static bool set(struct place *p, struct own_file_row *row, struct bytes name, struct bytes text,
                struct err *err)
{
    struct err cause = {0};
    char quoted[48];

    if (!own_file_knows(name))
        return err_set(err, ERR_BAD_INPUT, "line %u: nothing is called '%s'", (unsigned)line_of(p),
                       text_quote(name, quoted, sizeof(quoted)));
    if (!is_first(p, name))
        return err_set(err, ERR_BAD_INPUT, "line %u: '%s' is there twice", (unsigned)line_of(p),
                       text_quote(name, quoted, sizeof(quoted)));
    return own_file_set(row, name, text, &cause) || bad(p, cause.text, err);
}

/* "above": {"tokens": 272000, "input": "5"} */
static bool read_above(struct place *p, struct own_file_row *row, struct err *err)
{
    for (;;) {
        enum json_token token;
        char name[64];
        int len;

        if (!next(p, &token, err))
            return false;
        if (token == JSON_OBJECT_CLOSE)
            return true;
        len = snprintf(name, sizeof(name), "above_%.*s",
                       p->r.text.len < 40 ? (int)p->r.text.len : 40, (const char *)p->r.text.at);
        if (!next(p, &token, err))
            return false;
        if (token != JSON_STRING && token != JSON_NUMBER)
            return bad(p, "a price is no text and no number", err);
        if (!set(p, row, (struct bytes){(const uint8_t *)name, (size_t)len}, p->r.text, err))
            return false;
    }
}

static bool read_row(struct place *p, struct own_file_row *row, struct err *err)
{
    p->field_count = 0;
    for (;;) {
        enum json_token token;
        struct bytes name;

        if (!next(p, &token, err))
            return false;
        if (token == JSON_OBJECT_CLOSE)
            return true;
        name = p->r.text;
        if (!next(p, &token, err))
            return false;
        if (token == JSON_NULL)
            continue;
        if (token == JSON_OBJECT_OPEN && bytes_is(name, "above")) {
            if (!read_above(p, row, err))
                return false;
        } else if (token != JSON_STRING && token != JSON_NUMBER) {
            return bad(p, "a value is no text and no number", err);
        } else if (!set(p, row, name, p->r.text, err)) {
            return false;
        }
    }
}

/* Up to the array's opening; *in_object: it stands in an object, as "prices". */
static bool find_array(struct place *p, bool *in_object, struct err *err)
{
    enum json_token token;

    if (!next(p, &token, err))
        return false;
    *in_object = token == JSON_OBJECT_OPEN;
    if (*in_object) {
        if (!next(p, &token, err))
            return false;
        if (token != JSON_KEY || !bytes_is(p->r.text, "prices"))
            return bad(p, NO_ARRAY, err);
        if (!next(p, &token, err))
            return false;
    }
    return token == JSON_ARRAY_OPEN || bad(p, NO_ARRAY, err);
}

static bool read_end(struct place *p, bool in_object, struct err *err)
{
    enum json_token token = JSON_OBJECT_CLOSE;

    if (in_object && !next(p, &token, err))
        return false;
    if (token != JSON_OBJECT_CLOSE)
        return bad(p, NO_ARRAY, err);
    return next(p, &token, err) && (token == JSON_END || bad(p, "more behind the prices", err));
}

bool own_json_read(struct bytes text, struct arena *arena,
                   bool (*add)(void *to, struct own_file_row *row, struct err *err), void *to,
                   struct err *err)
{
    struct place p = {.line = 1};
    bool in_object;
    enum json_token token;

    json_reader_init(&p.r, text, arena);
    if (!find_array(&p, &in_object, err))
        return false;
    for (;;) {
        if (!next(&p, &token, err))
            return false;
        if (token == JSON_ARRAY_CLOSE)
            return read_end(&p, in_object, err);
        if (token != JSON_OBJECT_OPEN)
            return bad(&p, "a row is no object", err);
        struct own_file_row row = {
            .price = {.rates = price_no_rates(), .above = price_no_rates()},
            .line = line_of(&p),
        };
        if (!read_row(&p, &row, err) || !add(to, &row, err))
            return false;
    }
}
