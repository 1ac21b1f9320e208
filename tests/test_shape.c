/* What is found by a remembered shape is what is found anew: for every span that was recorded, and for
 * spans that share their keys and nothing else. */
#include "test.h"

#include "genai/shape.h"
#include "genai/table.h"
#include "otlp/decode.h"
#include "support/fixture.h"

#define ROOM ((size_t)1 << 30)
#define ALL (FIND_FACTS | FIND_DETAILS | FIND_CONTENT)

static struct arena arena;
static struct shape_memory *memory;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, ROOM);
    memory = shape_memory_new();
    return memory ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    shape_memory_free(memory);
    arena_done(&arena);
    return 0;
}

/* Texts that are no attributes are made anew each time: the same text then. */
static bool same_value(const struct value *a, const struct value *b)
{
    return a == b || (a && b && a->kind == VALUE_STRING && b->kind == VALUE_STRING &&
                      a->text.at == b->text.at && a->text.len == b->text.len);
}

static bool same_place(struct bytes a, struct bytes b)
{
    return a.at == b.at && a.len == b.len;
}

static bool same_finding(const struct finding *a, const struct finding *b)
{
    return a->target == b->target && a->rank == b->rank && a->row == b->row &&
           same_place(a->key, b->key) && same_value(a->attribute, b->attribute) &&
           a->index == b->index && a->index2 == b->index2 && same_place(a->rest, b->rest) &&
           a->event == b->event && a->position == b->position;
}

static void must_be_same(const char *why, const struct span *span, unsigned classes)
{
    struct findings anew;
    struct findings again;
    struct err err = {0};

    if (!genai_find(span, classes, &arena, &anew, &err) ||
        !shape_find(memory, span, classes, &arena, &again, &err))
        fail_msg("%s: %s", why, err.text);
    if (again.span != span || again.arena != &arena || again.parsed || again.count != anew.count ||
        again.dialects != anew.dialects || again.content_bytes != anew.content_bytes ||
        memcmp(again.first, anew.first, (TARGET_COUNT + 1) * sizeof(anew.first[0])) != 0)
        fail_msg("%s: %zu findings, anew %zu; content %u, anew %u", why, again.count, anew.count,
                 again.content_bytes, anew.content_bytes);
    for (size_t i = 0; i < anew.count; i++)
        if (!same_finding(&anew.items[i], &again.items[i]))
            fail_msg("%s: finding %zu of %zu differs", why, i, anew.count);
}

static void see(const struct fixture_body *body, void *context)
{
    static const struct otlp_limits limits = {.max_depth = 64, .max_attributes = 1000};
    struct span_array spans = {0};
    struct err err = {0};
    size_t *seen = context;

    if (!(body->json ? otlp_from_json : otlp_from_protobuf)(body->body, &limits, &arena, &spans,
                                                            &err))
        fail_msg("%s: %s", body->name, err.text);
    for (size_t i = 0; i < spans.count; i++)
        for (int round = 0; round < 4; round++, ++*seen)
            must_be_same(body->name, &spans.items[i],
                         round < 3 ? FIND_FACTS | FIND_CONTENT : FIND_FACTS);
}

static void finds_the_same_in_every_recording(void **state)
{
    size_t seen = 0;

    (void)state;
    (void)fixture_each(&arena, NULL, see, &seen);
    (void)fixture_each(&arena, NULL, see, &seen);
    assert_true(seen > 3000);
}

/* ---- spans by chance ---- */

static uint64_t seed = 3;

static uint32_t chance(uint32_t count)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(seed >> 33) % count;
}

/* A key of the table, indexed or with a rest where its row says so; sometimes one that nobody knows. */
static struct bytes chance_key(void)
{
    const char *key;
    const char *mark;

    if (chance(8) == 0)
        return bytes_of(arena_printf(&arena, "k%u", chance(50)));
    key = genai_rows[chance(GENAI_ROWS)].key;
    mark = strchr(key, '{');
    mark = mark ? mark : strchr(key, '<');
    return mark ? bytes_of(arena_printf(&arena, "%.*s%u.x.%u", (int)(mark - key), key, chance(4),
                                        chance(3)))
                : bytes_of(key);
}

static struct value chance_value(void)
{
    static const char *const texts[] = {
        "strands-agents",       "openai", "langchain", "", "x", "{\"a\":1}", "pydantic",
        "a text of some length"};

    if (chance(4) == 0)
        return (struct value){.kind = VALUE_INT, .integer = chance(1000)};
    return (struct value){.kind = VALUE_STRING,
                          .text = bytes_of(texts[chance(sizeof(texts) / sizeof(texts[0]))])};
}

static struct attributes chance_keys(uint32_t most)
{
    struct attributes set = {.count = chance(most)};

    set.items = arena_array(&arena, struct attribute, set.count);
    assert_non_null(set.items);
    for (uint32_t i = 0; i < set.count; i++)
        set.items[i].key =
            i > 0 && chance(12) == 0 ? set.items[i - 1].key : chance_key(); /* twice sometimes */
    return set;
}

/* The same keys in other memory, with other values. */
static struct attributes with_values(struct attributes keys)
{
    struct attributes set = {.count = keys.count};

    set.items = arena_array(&arena, struct attribute, set.count);
    assert_non_null(set.items);
    for (uint32_t i = 0; i < set.count; i++)
        set.items[i] =
            (struct attribute){.key = arena_copy(&arena, keys.items[i].key), chance_value()};
    return set;
}

static void finds_the_same_whatever_the_values_are(void **state)
{
    static const char *const names[] = {"", "chat", "strands.agent", "litellm_request", "Model"};
    struct attributes keys = {0};
    struct attributes of_resource = {0};

    (void)state;
    for (int round = 0; round < 100000; round++) {
        struct resource resource = {0};
        struct scope scope = {.name = bytes_of(names[chance(5)])};
        struct span span = {.resource = &resource, .scope = &scope};

        if (round % 60 == 0)
            keys = chance_keys(chance(20) == 0 ? 90 : 20);
        if (round % 20 == 0)
            of_resource = chance_keys(8);
        span.attributes = with_values(keys);
        resource.attributes = with_values(of_resource);
        span.name = bytes_of(names[chance(5)]);
        span.status_code = (int32_t)chance(3);
        span.status_message = bytes_of(chance(3) == 0 ? "it broke" : "");
        must_be_same("by chance", &span, chance(9) == 0 ? ALL : FIND_FACTS | FIND_CONTENT);
        if (round % 600 == 599) {
            keys = of_resource = (struct attributes){0};
            arena_reset(&arena);
        }
    }
}

static void finds_the_same_without_a_memory(void **state)
{
    struct shape_memory *kept = memory;
    struct resource resource = {0};
    struct scope scope = {0};
    struct attribute one = {bytes_of("gen_ai.system"),
                            {.kind = VALUE_STRING, .text = bytes_of("openai")}};
    const struct span span = {
        .resource = &resource, .scope = &scope, .attributes = {.items = &one, .count = 1}};

    (void)state;
    memory = NULL;
    must_be_same("no memory", &span, ALL);
    memory = kept;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_same_in_every_recording),
        cmocka_unit_test(finds_the_same_whatever_the_values_are),
        cmocka_unit_test(finds_the_same_without_a_memory),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
