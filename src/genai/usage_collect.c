/* Collects the numbers of usage that a span carries into accounts, one per writer. */
#include "genai/table.h"
#include "genai/usage_accounts.h"

#define NO_FIELD USAGE_FIELD_COUNT

/* What the targets of the table are about. */
static enum usage_field field_of_target(enum target target)
{
    static const uint8_t fields[] = {
        [TARGET_USAGE_INPUT_TOKENS] = 1 + USAGE_INPUT,
        [TARGET_USAGE_OUTPUT_TOKENS] = 1 + USAGE_OUTPUT,
        [TARGET_USAGE_TOTAL_TOKENS] = 1 + USAGE_TOTAL,
        [TARGET_USAGE_CACHE_READ_INPUT_TOKENS] = 1 + USAGE_CACHE_READ,
        [TARGET_USAGE_CACHE_CREATION_INPUT_TOKENS] = 1 + USAGE_CACHE_WRITE,
        [TARGET_USAGE_CACHE_CREATION_5M_TOKENS] = 1 + USAGE_CACHE_WRITE_5M,
        [TARGET_USAGE_CACHE_CREATION_1H_TOKENS] = 1 + USAGE_CACHE_WRITE_1H,
        [TARGET_USAGE_REASONING_TOKENS] = 1 + USAGE_REASONING,
        [TARGET_USAGE_AUDIO_INPUT_TOKENS] = 1 + USAGE_AUDIO_INPUT,
        [TARGET_USAGE_AUDIO_OUTPUT_TOKENS] = 1 + USAGE_AUDIO_OUTPUT,
        [TARGET_USAGE_AUDIO_CACHE_READ_TOKENS] = 1 + USAGE_AUDIO_CACHE_READ,
        [TARGET_USAGE_IMAGE_INPUT_TOKENS] = 1 + USAGE_IMAGE_INPUT,
        [TARGET_USAGE_IMAGE_OUTPUT_TOKENS] = 1 + USAGE_IMAGE_OUTPUT,
        [TARGET_USAGE_IMAGE_CACHE_READ_TOKENS] = 1 + USAGE_IMAGE_CACHE_READ,
        [TARGET_USAGE_TEXT_INPUT_TOKENS] = 1 + USAGE_TEXT_INPUT,
        [TARGET_USAGE_TEXT_OUTPUT_TOKENS] = 1 + USAGE_TEXT_OUTPUT,
        [TARGET_USAGE_UNCACHED_INPUT_TOKENS] = 1 + USAGE_UNCACHED_INPUT,
    };

    if ((size_t)target >= sizeof(fields) || fields[target] == 0)
        return NO_FIELD;
    return (enum usage_field)(fields[target] - 1);
}

static inline bool starts_with(struct bytes text, const char *start, size_t len)
{
    return text.len > len && memcmp(text.at, start, len) == 0;
}

#define STARTS(text, start) starts_with(text, start, sizeof(start) - 1)

static unsigned family_of(const struct finding *finding)
{
    const struct bytes key = finding->key;

    if (STARTS(key, "gen_ai.aggregated_usage."))
        return USAGE_FAMILY_AGGREGATED;
    if (STARTS(key, "gen_ai.") || STARTS(key, "anthropic.") || STARTS(key, "openai.") ||
        STARTS(key, "latitude."))
        return USAGE_FAMILY_GEN_AI;
    if (STARTS(key, "llm.token_count."))
        return USAGE_FAMILY_TOKEN_COUNT;
    if (STARTS(key, "ai."))
        return USAGE_FAMILY_AI;
    if (STARTS(key, "llm.usage."))
        return USAGE_FAMILY_LLM_USAGE;
    return USAGE_FAMILY_OTHER + genai_rows[finding->row].dialect;
}

static struct usage_account *new_account(struct usage_accounts *all, unsigned family,
                                         const struct finding *finding)
{
    struct usage_account *account;

    if (all->count == USAGE_MOST_ACCOUNTS)
        return NULL; /* nobody tells it so often; what is known stands */
    account = &all->items[all->count++];
    *account = (struct usage_account){.family = family, .rank = finding->rank, .finding = finding};
    return account;
}

static struct usage_account *account_of(struct usage_accounts *all, const struct finding *finding)
{
    const unsigned family = family_of(finding);

    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].family == family)
            return &all->items[i];
    return new_account(all, family, finding);
}

static void note_odd(struct usage_accounts *all, enum usage_field field,
                     const struct finding *finding, const struct value *value)
{
    struct source source = {.field = usage_field_name(field),
                            .key = finding->key,
                            .dialect = finding_dialect(finding),
                            .reason = "no count of tokens: left out"};

    all->odd = true;
    if (all->sources == NULL)
        return;
    if (!genai_text(all->f, value, &source.value))
        source.value = BYTES_LITERAL("NaN");
    sources_add(all->sources, &source);
}

static void note_twin(struct usage_accounts *all, enum usage_field field,
                      const struct finding *finding, int64_t count, int64_t used)
{
    struct source source = {.field = usage_field_name(field),
                            .key = finding->key,
                            .dialect = finding_dialect(finding),
                            .conflict = count != used,
                            .reason = "another spelling of the same number came first"};

    if (all->sources == NULL)
        return;
    (void)genai_text(all->f, finding->attribute, &source.value);
    sources_add(all->sources, &source);
}

/* The first number of a field stands, unless it was zero. */
static void put(struct usage_accounts *all, struct usage_account *account, enum usage_field field,
                const struct finding *finding)
{
    struct usage_numbers *numbers = &account->numbers;
    int64_t count;

    switch (usage_count(finding->attribute, &count)) {
    case USAGE_READ_ABSENT:
        return;
    case USAGE_READ_ODD:
        account->odd |= UINT32_C(1) << field;
        note_odd(all, field, finding, finding->attribute);
        return;
    case USAGE_READ_COUNT:
        break;
    }
    if (usage_given(numbers, field) && (numbers->of[field] != 0 || count == 0)) {
        note_twin(all, field, finding, count, numbers->of[field]);
        return;
    }
    usage_put(numbers, field, count);
    account->from[field] = finding;
    if (finding->rank < account->rank)
        account->rank = finding->rank;
}

/* Some keys of the table mean more than their target says. */
static enum usage_field field_of(const struct finding *finding)
{
    const struct bytes key = finding->key;
    const enum usage_field field = field_of_target(finding->target);

    if (STARTS(key, "anthropic.usage.compaction."))
        return field == USAGE_INPUT ? USAGE_EXTRA_INPUT : USAGE_EXTRA_OUTPUT;
    if (field == USAGE_INPUT && finding->rank == 5 && usage_contains(key, "cache_miss"))
        return NO_FIELD; /* found as uncached input too */
    return field;
}

static void collect_flat(struct usage_accounts *all)
{
    const struct findings *f = all->f;
    const uint32_t end = f->first[TARGET_USAGE_AGGREGATED];

    for (uint32_t i = f->first[TARGET_USAGE_INPUT_TOKENS]; i < end; i++) {
        const struct finding *finding = &f->items[i];
        const struct genai_row *row = &genai_rows[finding->row];
        const enum usage_field field = field_of(finding);
        struct usage_account *account;

        /* What stands inside objects is read with the object. */
        if (field == NO_FIELD || row->pointer != NULL || row->how == GENAI_JSON)
            continue;
        account = account_of(all, finding);
        if (account != NULL)
            put(all, account, field, finding);
    }
}

void usage_add_object(struct usage_accounts *accounts, const struct finding *finding,
                      const struct value *object, enum usage_place place)
{
    const bool buckets = genai_rows[finding->row].dialect == DIALECT_LANGFUSE;
    struct usage_object *read;
    struct usage_account *account;

    if (object == NULL || object->kind != VALUE_KVLIST)
        return;
    read = arena_new(accounts->f->arena, struct usage_object);
    if (read == NULL)
        return;
    usage_object_read(object, place, buckets, read);
    for (int field = 0; field < USAGE_FIELD_COUNT; field++)
        if (read->odd >> field & 1)
            note_odd(accounts, (enum usage_field)field, finding, finding->attribute);
    if (read->numbers.given == 0)
        return;
    account = new_account(accounts, USAGE_FAMILY_OBJECT, finding);
    if (account == NULL)
        return;
    account->object = read;
    account->numbers = read->numbers;
    account->odd = read->odd;
    for (int field = 0; field < USAGE_FIELD_COUNT; field++)
        if (usage_given(&account->numbers, (enum usage_field)field))
            account->from[field] = finding;
    /* LiveKit's metrics are those of the span itself. */
    account->aggregate = finding->target == TARGET_USAGE_AGGREGATED && !STARTS(finding->key, "lk.");
}

static enum usage_place place_of(struct bytes key)
{
    if (usage_contains(key, "input_token_details"))
        return USAGE_IN_INPUT;
    return usage_contains(key, "output_token_details") ? USAGE_IN_OUTPUT : USAGE_IN_TOP;
}

static void collect_objects(struct usage_accounts *all)
{
    const struct findings *f = all->f;

    for (uint32_t i = f->first[TARGET_USAGE_OBJECT]; i < f->first[TARGET_USAGE_OBJECT + 1]; i++) {
        const struct finding *finding = &f->items[i];
        const struct value *value;

        if (genai_rows[finding->row].how != GENAI_JSON)
            continue; /* inside a long text: usage_collect_hidden */
        value = finding_value(all->f, finding);
        if (value != NULL && value->kind == VALUE_ARRAY) /* OpenClaw: a message with its usage */
            value = genai_pointer(all->f, value, "/0");
        usage_add_object(all, finding, value, place_of(finding->key));
    }
}

/* Logfire's sums of metrics: {"gen_ai.client.token.usage":{"details":[{"attributes":
 * {"gen_ai.token.type":"input"},"total":2400}, …]}}. */
static void add_metrics(struct usage_accounts *all, const struct finding *finding,
                        const struct value *metrics)
{
    const struct value *usage = genai_member(metrics, "gen_ai.client.token.usage");
    const struct value *details = genai_member(usage, "details");
    struct usage_account *account;

    if (details == NULL || details->kind != VALUE_ARRAY)
        return;
    account = new_account(all, USAGE_FAMILY_OBJECT, finding);
    for (uint32_t i = 0; account != NULL && i < details->count && i < 256; i++) {
        const struct value *item = &details->items[i];
        const struct value *type =
            genai_member(genai_member(item, "attributes"), "gen_ai.token.type");
        const struct value *total = genai_member(item, "total");
        enum usage_field field = USAGE_INPUT;
        int64_t count;

        if (type == NULL || type->kind != VALUE_STRING || total == NULL ||
            usage_count(total, &count) != USAGE_READ_COUNT)
            continue;
        if (bytes_is(type->text, "output"))
            field = USAGE_OUTPUT;
        else if (!bytes_is(type->text, "input"))
            continue;
        if (account->numbers.of[field] > USAGE_MOST - count)
            continue;
        usage_put(&account->numbers, field, account->numbers.of[field] + count);
        account->from[field] = finding;
        account->aggregate = true;
    }
    if (account != NULL && account->numbers.given == 0)
        all->count--;
}

static void collect_aggregates(struct usage_accounts *all)
{
    const struct findings *f = all->f;
    const uint32_t end = f->first[TARGET_USAGE_AGGREGATED + 1];

    for (uint32_t i = f->first[TARGET_USAGE_AGGREGATED]; i < end; i++) {
        const struct finding *finding = &f->items[i];
        struct bytes key = finding->key;
        struct usage_account *account;
        enum usage_field field;

        if (STARTS(key, "gen_ai.usage."))
            continue; /* the span's own keys; whether they are a sum its operation tells */
        if (!STARTS(key, "gen_ai.aggregated_usage.")) {
            const struct value *value = finding_value(all->f, finding);

            if (bytes_is(key, "logfire.metrics"))
                add_metrics(all, finding, value);
            else
                usage_add_object(all, finding, value, USAGE_IN_TOP);
            continue;
        }
        key.at += sizeof("gen_ai.aggregated_usage.") - 1;
        key.len -= sizeof("gen_ai.aggregated_usage.") - 1;
        account = usage_object_field(key, &field) ? account_of(all, finding) : NULL;
        if (account == NULL)
            continue;
        account->aggregate = true;
        put(all, account, field, finding);
    }
}

bool usage_contains(struct bytes text, const char *part)
{
    return bytes_contains(text, bytes_of(part));
}

void usage_collect(struct findings *f, struct sources *sources, const struct meaning *meaning,
                   struct usage_accounts *out_accounts)
{
    out_accounts->f = f;
    out_accounts->sources = sources;
    out_accounts->meaning = meaning;
    out_accounts->count = 0;
    out_accounts->odd = false;
    collect_flat(out_accounts);
    collect_objects(out_accounts);
    collect_aggregates(out_accounts);
}
