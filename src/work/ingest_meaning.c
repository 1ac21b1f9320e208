/* Meaning of spans on their way in. */
#include "work/ingest_meaning.h"

#include <stddef.h>

#include "base/log.h"
#include "genai/content.h"
#include "genai/shape.h"
#include "model/payload.h"

/* Parsed JSON is some times as long as its text; one span's body has at most some megabytes of it. */
#define SCRATCH_MAX_BYTES ((size_t)64 << 20)

void ingest_meaning_init(struct ingest_meaning *m, const struct cfg *cfg)
{
    if (!cfg || !cfg->cost_preference ||
        !cost_preference_named(cfg->cost_preference, &m->preference))
        m->preference = COST_PREFER_COMPUTED;
    arena_init(&m->scratch, SCRATCH_MAX_BYTES);
    m->shapes = shape_memory_new();
}

void ingest_meaning_done(struct ingest_meaning *m)
{
    arena_done(&m->scratch);
    shape_memory_free(m->shapes);
    m->shapes = NULL;
}

/* Every text of a meaning but the tags. */
static const size_t texts[] = {
    offsetof(struct meaning, provider),       offsetof(struct meaning, model),
    offsetof(struct meaning, request_model),  offsetof(struct meaning, response_id),
    offsetof(struct meaning, session_id),     offsetof(struct meaning, user_id),
    offsetof(struct meaning, environment),    offsetof(struct meaning, project),
    offsetof(struct meaning, release),        offsetof(struct meaning, level),
    offsetof(struct meaning, trace_name),     offsetof(struct meaning, agent_name),
    offsetof(struct meaning, tool_name),      offsetof(struct meaning, prompt_name),
    offsetof(struct meaning, prompt_version), offsetof(struct meaning, input_preview),
    offsetof(struct meaning, output_preview),
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static inline struct bytes *text_of(struct meaning *m, size_t i)
{
    return (struct bytes *)(void *)((char *)m + texts[i]);
}

static bool is_empty(struct meaning *m)
{
    if (m->observation != OBSERVATION_SPAN || m->flags != 0 || m->tag_count != 0 ||
        m->completion_start_ns != 0 || m->usage.sent || m->reported_cost != COST_UNKNOWN ||
        m->failed)
        return false;
    for (size_t i = 0; i < TEXTS; i++)
        if (text_of(m, i)->len > 0)
            return false;
    return true;
}

/* Into one piece of memory, each with a NUL behind it as arena_copy makes it. */
static bool copy_texts(struct meaning *m, struct arena *arena)
{
    const uint32_t tags = m->tag_count;
    size_t room = 0;
    uint8_t *at;

    for (size_t i = 0; i < TEXTS; i++)
        room += text_of(m, i)->len > 0 ? text_of(m, i)->len + 1 : 0;
    at = arena_alloc(arena, room);
    if (!at)
        return false;
    for (size_t i = 0; i < TEXTS; i++) {
        struct bytes *text = text_of(m, i);

        if (text->len == 0)
            continue;
        memcpy(at, text->at, text->len);
        at[text->len] = '\0';
        text->at = at;
        at += text->len + 1;
    }
    if (tags > 0) {
        struct bytes *copies = arena_array(arena, struct bytes, tags);

        for (uint32_t i = 0; copies && i < tags; i++)
            copies[i] = arena_copy(arena, m->tags[i]);
        m->tags = copies;
    }
    return !arena->failed;
}

static struct bytes host_of(const struct span *span)
{
    for (uint32_t i = span->attributes.count; i-- > 0;) {
        const struct attribute *a = &span->attributes.items[i];

        if (a->value.kind == VALUE_STRING && bytes_is(a->key, "server.address"))
            return a->value.text;
    }
    return (struct bytes){0};
}

/* Which spans may show a list what a trace was about: a root, else a call. Others, of which there are
 * many, would only repeat it, and each would pay for two more texts. */
static bool has_previews(const struct findings *f, const struct stored_span *row,
                         const struct meaning *meaning)
{
    return f->content_bytes > 0 && (!row->has_parent || observation_is_call(meaning->observation) ||
                                    meaning->observation == OBSERVATION_AGENT);
}

/* Reads into scratch. False: it had no room. */
static bool read_span(struct ingest_meaning *m, const struct span *span,
                      const struct stored_span *row, struct findings *f, struct meaning *out,
                      bool *out_any)
{
    struct err err;

    *out_any = false;
    if (!shape_find(m->shapes, span, FIND_FACTS | FIND_CONTENT, &m->scratch, f, &err))
        return false;
    if (f->count == 0 && f->dialects == 0)
        return true;
    if (!genai_read(f, NULL, out, &err) ||
        (has_previews(f, row, out) &&
         !genai_previews(f, &out->input_preview, &out->output_preview, &err)))
        return false;
    *out_any = !is_empty(out);
    return true;
}

static bool no_room(struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "request needs more memory than decode_max_bytes");
}

/* Moves what was said out of the row where it is long. Repeated attributes are found once each; a
 * row that has any is exact and not touched. */
static bool move_content(struct ingest_meaning *m, const struct findings *f,
                         struct stored_span *row, struct arena *arena)
{
    const uint32_t count = f->span->attributes.count;
    bool *moved = arena_calloc(&m->scratch, count, sizeof(*moved));
    bool events = false;

    if (!moved)
        return true; /* no room to think about it: it stays */
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *finding = &f->items[i];

        if (!finding_is_content(finding))
            continue;
        events |= finding->event >= 0;
        if (finding->event == FIND_ON_SPAN && finding->attribute && finding->position < count)
            moved[finding->position] = true;
    }
    return payload_split(row, moved, count, events, arena);
}

void ingest_meaning_price(struct ingest_meaning *meaning, const struct span *span,
                          const struct stored_span *row, struct meaning *found)
{
    cost_fill(found, meaning->prices, row->tenant_id, row->start_unix_ns, host_of(span),
              meaning->preference);
}

/* A span without a project of its own gets the key's. */
static bool give_project(const struct ingest_meaning *m, struct meaning *found, bool any)
{
    if (m->project.len == 0 || (any && found->project.len > 0))
        return any;
    if (!any)
        *found = (struct meaning){
            .reported_cost = COST_UNKNOWN,
            .cost = {.total = COST_UNKNOWN, .computed = COST_UNKNOWN, .reported = COST_UNKNOWN}};
    found->project = m->project;
    return true;
}

bool ingest_meaning_fill(struct ingest_meaning *m, const struct span *span, struct stored_span *row,
                         struct arena *arena, struct err *err)
{
    struct findings f;
    struct meaning found;
    struct meaning *copy;
    bool any;

    if (!read_span(m, span, row, &f, &found, &any)) {
        log_limited(LOG_WARN, "ingest", "a span takes too much memory to be understood",
                    "bytes=%zu", m->scratch.max_bytes);
        any = false;
    } else if (f.content_bytes > PAYLOAD_MIN_BYTES && !move_content(m, &f, row, arena)) {
        return no_room(err);
    }
    any = give_project(m, &found, any);
    if (any) {
        if (meaning_counts(&found))
            ingest_meaning_price(m, span, row, &found);
        copy = arena_alloc(arena, sizeof(*copy));
        if (copy)
            *copy = found;
        if (!copy || !copy_texts(copy, arena))
            return err_set(err, ERR_TOO_LARGE, "request needs more memory than decode_max_bytes");
        row->meaning = copy;
        if (found.failed && row->outcome == SPAN_ENDED)
            row->outcome = stored_is_cancellation(row->error_type) ? SPAN_CANCELLED : SPAN_FAILED;
    }
    arena_reset(&m->scratch);
    return true;
}
