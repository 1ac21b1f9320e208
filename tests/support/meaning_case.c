/* Spans from pairs, and what genai reads of them. */
#include "support/meaning_case.h"

#include "base/text.h"
#include "test.h"

struct arena meaning_arena;

int meaning_setup(void **state)
{
    (void)state;
    arena_init(&meaning_arena, MEANING_ROOM);
    return 0;
}

int meaning_teardown(void **state)
{
    (void)state;
    arena_done(&meaning_arena);
    return 0;
}

struct meaning meaning_of(const struct sent *sent, struct span *span, struct sources *sources)
{
    static struct resource resource;
    struct attribute *items = arena_array(&meaning_arena, struct attribute, MOST_PAIRS);
    struct scope *scope = arena_new(&meaning_arena, struct scope);
    struct findings f;
    struct meaning m;
    struct err err = {0};
    uint32_t count = 0;

    while (count < MOST_PAIRS && sent->pairs[2 * count] != NULL) {
        const char *value = sent->pairs[2 * count + 1];

        items[count].key = bytes_of(sent->pairs[2 * count]);
        items[count].value.kind = value[0] == '#' ? VALUE_INT : VALUE_STRING;
        if (value[0] == '#')
            assert_true(text_int64(bytes_of(value + 1), &items[count].value.integer));
        else
            items[count].value.text = bytes_of(value);
        count++;
    }
    scope->name = bytes_of(sent->scope ? sent->scope : "");
    span->name = bytes_of(sent->name ? sent->name : "");
    span->attributes = (struct attributes){.items = items, .count = count};
    span->resource = &resource;
    span->scope = scope;
    span->start_unix_nano = (uint64_t)MEANING_START_NS;
    if (!genai_find(span, FIND_FACTS, &meaning_arena, &f, &err) ||
        !genai_read(&f, sources, &m, &err))
        fail_msg("%s", err.text);
    return m;
}

void meaning_facts(const struct fact *rows, size_t count, size_t offset)
{
    for (size_t i = 0; i < count; i++) {
        struct span span = {0};
        struct sources sources = {.arena = &meaning_arena};
        const struct meaning m = meaning_of(&rows[i].sent, &span, NULL);
        const struct meaning with = meaning_of(&rows[i].sent, &span, &sources);
        const struct bytes *is = (const struct bytes *)(const void *)((const char *)&m + offset);
        const struct bytes *same =
            (const struct bytes *)(const void *)((const char *)&with + offset);

        if (!bytes_is(*is, rows[i].want) || !bytes_equal(*is, *same))
            fail_msg("%s: \"%.*s\", want \"%s\"", rows[i].why, (int)is->len,
                     is->len ? (const char *)is->at : "", rows[i].want);
    }
}
