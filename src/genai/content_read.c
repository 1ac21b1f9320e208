/* What findings hold, as text, as JSON, as trees. */
#include "genai/content_read.h"

#include "genai/table.h"
#include "genai/value_json.h"

#define EXPAND_DEPTH 3

static bool same_run(const struct finding *a, const struct finding *b)
{
    return a->row == b->row && a->index != UINT32_MAX && b->index != UINT32_MAX &&
           a->event == b->event;
}

bool content_next(struct findings *f, enum target target, size_t *at, struct content_run *out_run)
{
    const size_t end = f->first[target + 1];
    size_t i = f->first[target] + *at;

    if (i >= end)
        return false;
    *out_run = (struct content_run){
        .first = &f->items[i],
        .count = 1,
        .indexed = f->items[i].index != UINT32_MAX,
    };
    while (out_run->indexed && i + out_run->count < end &&
           same_run(&f->items[i], &f->items[i + out_run->count]))
        out_run->count++;
    *at += out_run->count;
    return true;
}

/* Length of "llm.input_messages." in "llm.input_messages.0.message.role". */
static size_t prefix_len(struct bytes key)
{
    for (size_t i = 1; i < key.len; i++)
        if (key.at[i - 1] == '.' && key.at[i] >= '0' && key.at[i] <= '9') {
            size_t k = i;

            while (k < key.len && key.at[k] >= '0' && key.at[k] <= '9')
                k++;
            if (k == key.len || key.at[k] == '.')
                return i;
        }
    return key.len;
}

/* The attribute as sent, or what the row points to in it. */
static const struct value *sent_value(struct findings *f, const struct finding *finding)
{
    return genai_rows[finding->row].pointer ? finding_value(f, finding) : finding->attribute;
}

static const struct value *tree_of(struct findings *f, const struct content_run *run)
{
    struct indexed_key *keys = arena_array(f->arena, struct indexed_key, run->count);

    if (!keys)
        return NULL;
    for (size_t i = 0; i < run->count; i++) {
        keys[i] = (struct indexed_key){run->first[i].key, run->first[i].attribute};
    }
    return message_unflatten(keys, run->count, prefix_len(run->first->key), f->arena);
}

const struct value *content_value(struct findings *f, const struct content_run *run)
{
    const struct value *value;

    if (!run->first->attribute)
        return NULL;
    value = run->indexed ? tree_of(f, run) : sent_value(f, run->first);
    if (!value || value->kind == VALUE_EMPTY)
        return NULL;
    if (value->kind == VALUE_STRING &&
        (!message_says(value->text) || bytes_is(value->text, "null") ||
         bytes_is(value->text, "\"\"") || bytes_is(value->text, "\"<REDACTED>\"")))
        return NULL;
    if ((value->kind == VALUE_ARRAY || value->kind == VALUE_KVLIST) && value->count == 0)
        return NULL;
    return value;
}

struct bytes content_as_sent(struct findings *f, const struct value *value)
{
    if (!value)
        return (struct bytes){0};
    return value->kind == VALUE_STRING ? value->text : value_json_text(value, f->arena);
}

struct bytes content_first(struct findings *f, enum target target, const struct finding **out_from)
{
    struct content_run run;

    for (size_t at = 0; content_next(f, target, &at, &run);) {
        const struct value *value = content_value(f, &run);

        if (!value)
            continue;
        *out_from = run.first;
        if (run.indexed) {
            value = content_leaves(value, f->arena);
            if (value && value->kind == VALUE_ARRAY && value->count == 1 &&
                value->items[0].kind == VALUE_STRING)
                value = &value->items[0];
        }
        return content_as_sent(f, value);
    }
    return (struct bytes){0};
}

const struct value *content_leaves(const struct value *tree, struct arena *arena)
{
    struct value *leaves;

    if (!tree || tree->kind != VALUE_ARRAY)
        return tree;
    leaves = arena_new(arena, struct value);
    if (!leaves)
        return NULL;
    *leaves = (struct value){
        .kind = VALUE_ARRAY,
        .count = tree->count,
        .items = arena_array(arena, struct value, tree->count),
    };
    for (uint32_t i = 0; leaves->items && i < tree->count; i++) {
        const struct value *item = &tree->items[i];

        while (item->kind == VALUE_KVLIST && item->count == 1)
            item = &item->entries[0].value;
        leaves->items[i] = *item;
    }
    return leaves->items ? leaves : NULL;
}

/* NOLINTNEXTLINE(misc-no-recursion): EXPAND_DEPTH deep at most */
static void expanded(struct json *j, const struct value *value, struct arena *arena, unsigned depth)
{
    struct value parsed;

    if (depth < EXPAND_DEPTH && value->kind == VALUE_STRING &&
        message_parse(arena, value->text, &parsed)) {
        value_json_write(j, &parsed);
    } else if (depth < EXPAND_DEPTH && value->kind == VALUE_KVLIST) {
        json_open(j, '{');
        for (uint32_t i = 0; i < value->count; i++) {
            json_key_bytes(j, value->entries[i].key);
            expanded(j, &value->entries[i].value, arena, depth + 1);
        }
        json_close(j, '}');
    } else if (depth < EXPAND_DEPTH && value->kind == VALUE_ARRAY) {
        json_open(j, '[');
        for (uint32_t i = 0; i < value->count; i++) {
            json_item(j);
            expanded(j, &value->items[i], arena, depth + 1);
        }
        json_close(j, ']');
    } else {
        value_json_write(j, value);
    }
}

void content_expanded(struct json *j, const struct value *value, struct arena *arena)
{
    expanded(j, value, arena, 0);
}
