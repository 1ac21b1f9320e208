/*
 * The cost that a span reports, in pico-USD. A total wins; where there is none, the parts of one
 * sender are added. What is not USD, or is the cost of more than this span, is noted and left.
 */
#include "genai/tokens_cost.h"

#include "genai/table.h"
#include "genai/usage.h"
#include "model/money.h"

struct cost_reader {
    struct findings *f;
    struct sources *sources;
    bool odd;
    bool found; /* the total is known; others are read for their sources */
};

enum fate { UNUSED, USED, CONFLICT };

static bool starts(struct bytes text, const char *start)
{
    const size_t len = strlen(start);

    return text.len >= len && memcmp(text.at, start, len) == 0;
}

static void note(const struct cost_reader *r, const char *field, const struct finding *finding,
                 const struct value *value, enum fate fate, const char *reason)
{
    struct source source = {.field = field,
                            .key = finding->key,
                            .dialect = finding_dialect(finding),
                            .pointer = genai_rows[finding->row].pointer,
                            .used = fate == USED,
                            .conflict = fate == CONFLICT,
                            .reason = reason};

    if (r->sources == NULL)
        return;
    if (value == NULL || !genai_text(r->f, value, &source.value))
        source.value = BYTES_LITERAL("");
    sources_add(r->sources, &source);
}

/* A sum of money; false: none, or none that counts. */
static bool read_money(struct cost_reader *r, const char *field, const struct finding *finding,
                       const struct value *value, int64_t *out_pico)
{
    if (value == NULL)
        return false;
    switch (usage_money(value, out_pico)) {
    case USAGE_READ_COUNT:
        return true;
    case USAGE_READ_ODD:
        r->odd = r->odd || !r->found; /* what nobody would have read makes nothing odd */
        note(r, field, finding, value, UNUSED, "no amount of money: left out");
        break;
    case USAGE_READ_ABSENT:
        break;
    }
    return false;
}

static bool is_usd(struct findings *f)
{
    struct bytes text;

    return f->first[TARGET_COST_CURRENCY] == f->first[TARGET_COST_CURRENCY + 1] ||
           !finding_text(f, &f->items[f->first[TARGET_COST_CURRENCY]], &text) ||
           bytes_is_nocase(text, "usd");
}

/* Why an amount is not this span's cost in USD; NULL: it is. */
static const char *why_not(struct findings *f, const struct finding *finding)
{
    if (starts(finding->key, "github.copilot."))
        return "credits, not USD";
    if (starts(finding->key, "coding_agent.session."))
        return "the cost of a whole session";
    if (starts(finding->key, "mlflow.trace."))
        return "the cost of a whole trace";
    if (starts(finding->key, "vercel.ai_gateway.") && !is_usd(f))
        return "another currency than USD";
    return NULL;
}

/* The first total by rank. Later ones are read only where somebody asks for sources. */
static bool read_total(struct cost_reader *r, int64_t *out_pico)
{
    struct findings *f = r->f;
    int64_t pico;

    for (uint32_t i = f->first[TARGET_COST_TOTAL]; i < f->first[TARGET_COST_TOTAL + 1]; i++) {
        const struct finding *finding = &f->items[i];
        const char *reason = why_not(f, finding);
        const struct value *value;

        if (r->found && r->sources == NULL)
            break;
        value = finding_value(f, finding);
        if (reason != NULL) {
            note(r, "cost.reported", finding, value, UNUSED, reason);
        } else if (read_money(r, "cost.reported", finding, value, &pico)) {
            note(r, "cost.reported", finding, value,
                 !r->found           ? USED
                 : pico == *out_pico ? UNUSED
                                     : CONFLICT,
                 NULL);
            *out_pico = r->found ? *out_pico : pico;
            r->found = true;
        }
    }
    return r->found;
}

/* All members of Langfuse's cost_details: buckets that never overlap. */
static bool add_buckets(struct cost_reader *r, int64_t *out_pico)
{
    struct findings *f = r->f;
    bool found = false;

    for (uint32_t i = f->first[TARGET_COST_OBJECT]; i < f->first[TARGET_COST_OBJECT + 1]; i++) {
        const struct finding *finding = &f->items[i];
        const struct value *object = finding_value(f, finding);
        int64_t sum = 0;

        if (object == NULL || object->kind != VALUE_KVLIST || found)
            continue;
        for (uint32_t m = 0; m < object->count; m++) {
            int64_t pico;

            if (bytes_is(object->entries[m].key, "total") ||
                !read_money(r, "cost.reported", finding, &object->entries[m].value, &pico))
                continue;
            found = usage_money_add(&sum, pico);
            if (!found) {
                r->odd = true;
                return false;
            }
        }
        *out_pico = sum;
        if (found)
            note(r, "cost.reported", finding, finding->attribute, USED,
                 "no total was sent: the sum of the parts");
    }
    return found;
}

/* Adds what one dialect sent for target. */
static bool add_part(struct cost_reader *r, enum target target, const char *field, unsigned dialect,
                     int64_t *sum)
{
    struct findings *f = r->f;

    for (uint32_t i = f->first[target]; i < f->first[target + 1]; i++) {
        const struct finding *finding = &f->items[i];
        const struct value *value;
        int64_t pico;

        if (genai_rows[finding->row].dialect != dialect)
            continue;
        value = finding_value(f, finding);
        if (!read_money(r, field, finding, value, &pico))
            continue;
        if (!usage_money_add(sum, pico)) {
            r->odd = true;
            return false;
        }
        note(r, field, finding, value, USED, "no total was sent: the parts are added");
        return true;
    }
    return false;
}

/* Input and output of one dialect; where one of them is not there, its details. */
static bool add_parts(struct cost_reader *r, int64_t *out_pico)
{
    static const enum target wholes[] = {TARGET_COST_INPUT,      TARGET_COST_OUTPUT,
                                         TARGET_COST_CACHE_READ, TARGET_COST_CACHE_WRITE,
                                         TARGET_COST_REASONING,  TARGET_COST_AUDIO};
    const struct findings *f = r->f;
    int64_t sum = 0;
    unsigned dialect;
    size_t first = 0;
    bool input, output, any;

    while (first < sizeof(wholes) / sizeof(wholes[0]) &&
           f->first[wholes[first]] == f->first[wholes[first] + 1])
        first++;
    if (first == sizeof(wholes) / sizeof(wholes[0]))
        return false;
    dialect = genai_rows[f->items[f->first[wholes[first]]].row].dialect;
    input = add_part(r, TARGET_COST_INPUT, "cost.input", dialect, &sum);
    output = add_part(r, TARGET_COST_OUTPUT, "cost.output", dialect, &sum);
    any = input || output;
    if (!input) {
        any |= add_part(r, TARGET_COST_CACHE_READ, "cost.cache_read", dialect, &sum);
        any |= add_part(r, TARGET_COST_CACHE_WRITE, "cost.cache_write", dialect, &sum);
    }
    if (!output)
        any |= add_part(r, TARGET_COST_REASONING, "cost.reasoning", dialect, &sum);
    any |= add_part(r, TARGET_COST_TOOL_USAGE, "cost.tool_usage", dialect, &sum);
    *out_pico = sum;
    return any;
}

/* Costs of a whole trace or of everything below: for containers without a cost of their own. */
static bool read_aggregate(struct cost_reader *r, int64_t *out_pico)
{
    static const struct {
        enum target target;
        const char *key;
        const char *pointer;
    } places[] = {
        {TARGET_USAGE_AGGREGATED, "logfire.metrics", "/operation.cost/total"},
        {TARGET_COST_TOTAL, "mlflow.trace.cost", "/total_cost"},
    };
    struct findings *f = r->f;

    for (size_t k = 0; k < sizeof(places) / sizeof(places[0]); k++) {
        const enum target target = places[k].target;

        for (uint32_t i = f->first[target]; i < f->first[target + 1]; i++) {
            const struct finding *finding = &f->items[i];
            const struct value *value;

            if (!bytes_is(finding->key, places[k].key))
                continue;
            value = genai_pointer(f, finding->attribute, places[k].pointer);
            if (!read_money(r, "cost.reported", finding, value, out_pico))
                continue;
            note(r, "cost.reported", finding, value, USED, "a sum over other spans");
            return true;
        }
    }
    return false;
}

void genai_tokens_cost(struct findings *f, struct sources *sources, struct meaning *meaning)
{
    struct cost_reader r = {.f = f, .sources = sources};
    const bool own = meaning->usage.sent && !(meaning->flags & MEANING_AGGREGATE);
    int64_t pico;

    meaning->reported_cost = COST_UNKNOWN;
    if (f->first[TARGET_USAGE_AGGREGATED] == f->first[TARGET_COST_DISCOUNT] &&
        f->first[TARGET_COST_OBJECT] == f->first[TARGET_COST_OBJECT + 1])
        return;
    if (read_total(&r, &pico) || add_buckets(&r, &pico) || add_parts(&r, &pico)) {
        meaning->reported_cost = pico;
    } else if (!own && !observation_is_call(meaning->observation) && read_aggregate(&r, &pico)) {
        meaning->reported_cost = pico;
        meaning->flags |= MEANING_AGGREGATE;
    }
    if (r.odd)
        meaning->flags |= MEANING_ODD_USAGE;
}
