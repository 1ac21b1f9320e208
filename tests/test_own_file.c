/* Files of own prices: what is taken, and which line is named when one is not. */
#include <inttypes.h>
#include <stdlib.h>

#include "test.h"

#include "base/clock.h"
#include "ledger/own_file.h"
#include "ledger/price_json.h"
#include "ledger/price_list.h"

static struct prices *list;

static int make_list(void **state)
{
    struct err err = {0};

    (void)state;
    if (!prices_embedded(&list, &err))
        fail_msg("%s", err.text);
    return 0;
}

static int drop_list(void **state)
{
    (void)state;
    prices_unref(list);
    return 0;
}

static bool read(const char *text, size_t len, struct arena *arena, struct own_file *file,
                 struct err *err)
{
    return own_file_read(list, (struct bytes){(const uint8_t *)text, len}, bytes_of("given"), arena,
                         file, err);
}

static const struct taken {
    const char *why;
    const char *text;
    const char *provider;
    const char *model;
    const char *source;
    const char *tenant;
    int64_t from_ns;
    const char *json;
} taken[] = {
    {"the least", "model,input\nm,1\n", "", "m", "given", "", 0, "{\"input\":\"1\"}"},
    {"everything, other line ends, a mark in front, quotes",
     "\xef\xbb\xbfprovider,model,effective_from,tenant,source,input,output,cache_read,request,"
     "above_tokens,above_input\r\n"
     "AWS.Bedrock,\"My, \"\"Model\"\"\",2026-02-03T04:05:06Z,acme,\"two\nlines\",0.000001,10.50,"
     "1.250000,0.012,1000,2\r\n",
     "aws", "my, \"model\"", "two\nlines", "acme", INT64_C(1770091506) * 1000000000,
     "{\"input\":\"0.000001\",\"cache_read\":\"1.25\",\"output\":\"10.5\",\"request\":\"0.012\","
     "\"above\":{\"tokens\":1000,\"input\":\"2\",\"cache_read\":\"1.25\",\"output\":\"10.5\","
     "\"request\":\"0.012\"}}"},
    {"names of columns in capitals", "Model, INPUT\nm,1\n", "", "m", "given", "", 0,
     "{\"input\":\"1\"}"},
    {"no line end behind the last row", "model,input\nm,1", "", "m", "given", "", 0,
     "{\"input\":\"1\"}"},
    {"empty lines and spaces", "model,input\n\n m , 1 \n\n", "", "m", "given", "", 0,
     "{\"input\":\"1\"}"},
    {"a price of nothing", "model,input,output\nm,0,\n", "", "m", "given", "", 0,
     "{\"input\":\"0\"}"},
    {"JSON, numbers and texts", "[{\"model\":\"m\",\"input\":1.5,\"output\":\"2.50\"}]", "", "m",
     "given", "", 0, "{\"input\":\"1.5\",\"output\":\"2.5\"}"},
    {"JSON in an object, with a tier and nulls",
     " {\"prices\": [ {\"provider\":\"vertexai\",\"model\":\"m\",\"tenant\":null,\"input\":1,"
     "\"above\":{\"tokens\":200000,\"input\":\"2\"},\"source\":\"deal\"} ] } \n",
     "google", "m", "deal", "", 0,
     "{\"input\":\"1\",\"above\":{\"tokens\":200000,\"input\":\"2\"}}"},
    {"a provider that the list does not know", "provider,model,input\nMy Cloud,m,1\n", "my cloud",
     "m", "given", "", 0, "{\"input\":\"1\"}"},
};

static void takes_prices_in_all_their_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        const struct taken *c = &taken[i];
        struct own_price back = {0};
        struct own_file file = {0};
        struct err err = {0};
        struct arena arena;
        struct buf json;

        arena_init(&arena, 1 << 20);
        buf_init(&json, 4096);
        if (!read(c->text, strlen(c->text), &arena, &file, &err))
            fail_msg("%s: %s", c->why, err.text);
        assert_int_equal(file.count, 1);
        const struct own_price *price = &file.rows[0].price;
        price_json_own(&json, price);
        if (!bytes_is(price->provider, c->provider) || !bytes_is(price->model, c->model) ||
            !bytes_is(price->source, c->source) || !bytes_is(file.rows[0].tenant, c->tenant) ||
            price->effective_from_ns != c->from_ns || !bytes_is(buf_bytes(&json), c->json))
            fail_msg("%s: %.*s %" PRId64, c->why, (int)json.len, (const char *)json.at,
                     price->effective_from_ns);
        /* What was written is read back as it was. */
        if (!price_json_read_own(buf_bytes(&json), &arena, &back, &err))
            fail_msg("%s: %s", c->why, err.text);
        assert_memory_equal(&back.rates, &price->rates, sizeof(back.rates));
        assert_memory_equal(&back.above, &price->above, sizeof(back.above));
        assert_int_equal(back.above_tokens, price->above_tokens);
        buf_done(&json);
        arena_done(&arena);
    }
}

static const struct refused {
    const char *why;
    const char *text;
    const char *reason;
} refused[] = {
    {"nothing", "", "the file is empty"},
    {"only spaces", " \n \n", "the file is empty"},
    {"only a head", "model,input\n", "the file has no prices"},
    {"an empty array", "[]", "the file has no prices"},
    {"a column that is none", "model,imput\nm,1\n", "line 1: no column is called 'imput'"},
    {"a column twice", "model,input,input\nm,1,1\n", "line 1: a column is there twice"},
    {"no column for the model", "provider,input\nm,1\n", "line 1: no column 'model'"},
    {"no model", "model,input\nm,1\n,2\n", "line 3: no model"},
    {"no price", "model,input,output\nm,,\n", "line 2: no price of anything"},
    {"too few columns", "model,input,output\nm,1\n", "line 2: 2 columns, want 3"},
    {"seven decimals", "model,input\nm,0.0000001\n", "line 2: input is '0.0000001'"},
    {"an exponent", "model,input\nm,1e3\n", "line 2: input is '1e3'"},
    {"a sign", "model,input\nm,+1\n", "line 2: input is '+1'"},
    {"a comma", "model,input\nm,\"1,5\"\n", "line 2: input is '1,5'"},
    {"a currency", "model,input\nm,$1\n", "line 2: input is '$1'"},
    {"no number", "model,input\nm,NaN\n", "line 2: input is 'NaN'"},
    {"only a point", "model,input\nm,.\n", "line 2: input is '.'"},
    {"a point in front", "model,input\nm,.5\n", "line 2: input is '.5'"},
    {"more than a million", "model,input\nm,1000001\n", "line 2: input is '1000001'"},
    {"more than int64", "model,input\nm,99999999999999999999\n", "line 2: input is '9999"},
    {"semicolons", "model;input\nm;1\n", "commas stand between columns"},
    {"no date", "model,input,effective_from\nm,1,yesterday\n", "line 2: effective_from is"},
    {"a spreadsheet's day, which is no unix time", "model,input,effective_from\nm,1,46023\n",
     "line 2: effective_from is '46023', want a date"},
    {"a date without dashes", "model,input,effective_from\nm,1,20260131\n", "line 2: effective_"},
    {"a time without a zone", "model,input,effective_from\nm,1,2026-01-31T00:00:00\n",
     "line 2: effective_from is '2026-01-31T00:00:00', want"},
    {"a fee beyond all fees", "model,request\nm,100001\n",
     "line 2: request is '100001', want USD for"},
    {"before 1970", "model,input,effective_from\nm,1,1969-12-31\n", "line 2: "},
    {"a tier without its size", "model,input,above_input\nm,1,2\n", "line 2: above_tokens"},
    {"a size without its tier", "model,input,above_tokens\nm,1,2\n", "line 2: above_tokens"},
    {"a size that is none", "model,input,above_tokens,above_input\nm,1,0,2\n",
     "line 2: above_tokens is no positive"},
    {"a quote that stays open", "model,input\n\"m,1\n", "line 2: a quote that is not closed"},
    {"text behind a quote", "model,input\n\"m\"x,1\n", "line 2: text behind a closing quote"},
    {"no UTF-8", "model,input\n\xff,1\n", "line 2: model is no UTF-8"},
    {"lines inside quotes count", "model,source,input\nm,\"a\nb\nc\",1\nn,,x\n", "line 5: input"},
    {"the same twice", "model,input\nm,1\nn,1\nM,2\n",
     "line 4: the same tenant, provider, model and date as line 2"},
    {"the same provider in two spellings", "provider,model,input\nazure,m,1\nazure_openai,m,2\n",
     "line 3: the same tenant"},
    {"JSON that ends", "[{\"model\":\"m\",\"input\":1}", "line 1: "},
    {"JSON with more behind it", "[{\"model\":\"m\",\"input\":1}] x", "line 1: "},
    {"JSON with another name", "[\n{\"model\":\"m\",\n\"inptu\":1}]",
     "line 3: nothing is called 'inptu'"},
    {"JSON with a list for a price", "[\n{\"model\":\"m\",\"input\":[1]}]",
     "line 2: a value is no text and no number"},
    {"JSON with a bad price", "[\n{\"model\":\"m\",\n\"input\":-1}]", "line 3: input is '-1'"},
    {"JSON with two prices for one thing", "[\n{\"model\":\"m\",\"input\":1,\n\"input\":2}]",
     "line 3: 'input' is there twice"},
    {"JSON with two prices above the border",
     "[{\"model\":\"m\",\"above\":{\"tokens\":5,\"input\":1},\"above_input\":2}]",
     "line 1: 'above_input' is there twice"},
    {"JSON with a number", "[1]", "line 1: a row is no object"},
    {"JSON of another shape", "{\"rows\":[]}", "line 1: want an array of prices"},
    {"JSON of one price", "{\"model\":\"m\",\"input\":1}", "line 1: want an array of prices"},
};

static void refuses_a_file_whole_and_names_the_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct own_file file = {.count = 77};
        struct err err = {0};
        struct arena arena;

        arena_init(&arena, 1 << 20);
        if (read(refused[i].text, strlen(refused[i].text), &arena, &file, &err) ||
            err.kind != ERR_BAD_INPUT || !strstr(err.text, refused[i].reason) || file.count != 77)
            fail_msg("%s: %s", refused[i].why, err.text);
        arena_done(&arena);
    }
}

static void a_long_file_is_read_and_one_that_is_too_long_is_not(void **state)
{
    struct own_file file = {0};
    struct err err = {0};
    struct arena arena;
    struct buf text;

    (void)state;
    arena_init(&arena, (size_t)1 << 28);
    buf_init(&text, 1 << 24);
    buf_add_text(&text, "model,input\n");
    for (int i = 0; i < OWN_FILE_MAX_ROWS; i++)
        buf_printf(&text, "\"m%d\",%d\n", i, i % 7);
    assert_true(buf_ok(&text));
    if (!read((const char *)text.at, text.len, &arena, &file, &err))
        fail_msg("%s", err.text);
    assert_int_equal(file.count, OWN_FILE_MAX_ROWS);
    buf_add_text(&text, "one-more,1\n");
    assert_false(read((const char *)text.at, text.len, &arena, &file, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_done(&text);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_prices_in_all_their_forms),
        cmocka_unit_test(refuses_a_file_whole_and_names_the_line),
        cmocka_unit_test(a_long_file_is_read_and_one_that_is_too_long_is_not),
    };

    return cmocka_run_group_tests(tests, make_list, drop_list);
}
