/* Fuzzes what spans mean: protobuf bodies decoded, then found, read and shown. */
#include <stdlib.h>

#include "base/text.h"
#include "genai/content.h"
#include "otlp/decode.h"
#include "support/doc.h"

#define ROOM ((size_t)256 << 20)
#define ALL (FIND_FACTS | FIND_DETAILS | FIND_CONTENT)

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Texts go into columns as they are. */
static void check_texts(const struct meaning *m)
{
    const struct bytes texts[] = {m->provider,   m->model,       m->request_model, m->response_id,
                                  m->session_id, m->user_id,     m->environment,   m->project,
                                  m->release,    m->level,       m->trace_name,    m->agent_name,
                                  m->tool_name,  m->prompt_name, m->prompt_version};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        must(text_valid_prefix(texts[i]) == texts[i].len && texts[i].len <= 1000);
    for (uint32_t i = 0; i < m->tag_count; i++) {
        must(m->tags[i].len > 0 && text_valid_prefix(m->tags[i]) == m->tags[i].len);
        for (uint32_t j = 0; j < i; j++)
            must(!bytes_equal(m->tags[i], m->tags[j]));
    }
}

static void check_usage(const struct token_usage *usage)
{
    for (int i = 0; i < TOKEN_KIND_COUNT; i++)
        must(usage->tokens[i] >= 0);
    must(usage->total >= 0);
}

static void check_findings(const struct findings *f)
{
    must(f->first[0] == 0 && f->first[TARGET_COUNT] == f->count);
    for (size_t i = 0; i < f->count; i++) {
        const uint32_t target = (uint32_t)f->items[i].target;

        must(f->first[target] <= i && i < f->first[target + 1]);
        must(i == 0 || f->items[i - 1].row <= f->items[i].row);
    }
}

static void check_json(struct bytes text, struct arena *arena)
{
    must(text.len == 0 || doc_parse(arena, text) != NULL || arena->failed);
}

/* What is read for showing is what was read for storing. */
static void check_same(const struct meaning *a, const struct meaning *b)
{
    must(a->observation == b->observation && a->flags == b->flags && a->failed == b->failed);
    must(bytes_equal(a->provider, b->provider) && bytes_equal(a->model, b->model));
    must(bytes_equal(a->response_id, b->response_id) && bytes_equal(a->session_id, b->session_id));
    must(memcmp(a->usage.tokens, b->usage.tokens, sizeof(a->usage.tokens)) == 0);
    must(a->reported_cost == b->reported_cost && a->tag_count == b->tag_count);
}

static void check_span(const struct span *span, struct arena *arena)
{
    struct sources sources = {.arena = arena};
    struct findings f;
    struct meaning stored;
    struct meaning shown;
    struct content content;
    struct err err = {0};

    if (!genai_find(span, FIND_FACTS, arena, &f, &err) || !genai_read(&f, NULL, &stored, &err)) {
        must(err.kind == ERR_TOO_LARGE);
        return;
    }
    check_findings(&f);
    check_texts(&stored);
    check_usage(&stored.usage);
    if (!genai_find(span, ALL, arena, &f, &err) || !genai_read(&f, &sources, &shown, &err) ||
        !genai_content(&f, &shown, &sources, &content, &err)) {
        must(err.kind == ERR_TOO_LARGE);
        return;
    }
    check_findings(&f);
    check_same(&stored, &shown);
    check_json(content.messages, arena);
    check_json(content.parameters, arena);
    check_json(content.metadata, arena);
    check_json(content.tool_definitions, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len)
{
    const struct otlp_limits limits = {.max_depth = 20, .max_attributes = 500};
    struct arena arena;
    struct span_array spans;
    struct err err = {0};

    arena_init(&arena, ROOM);
    if (otlp_from_protobuf((struct bytes){body, len}, &limits, &arena, &spans, &err))
        for (size_t i = 0; i < spans.count; i++)
            if (spans.items[i].fault == NULL)
                check_span(&spans.items[i], &arena);
    arena_done(&arena);
    return 0;
}
