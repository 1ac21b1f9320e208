/* Reads the texts of the list: one fact a line, in two passes: count, then fill. */
#include "ledger/price_read.h"
#include "base/clock.h"
#include "base/text.h"
#include "ledger/price_json.h"

#define LIST_MAX_BYTES ((size_t)32 * 1024 * 1024)

bool price_read_bad(const struct price_reader *r, const char *what, struct err *err)
{
    return err_set(err, ERR_BAD_INPUT, "price %s, line %u: %s", r->file, (unsigned)r->line, what);
}

/* The next line that says something, in fields; false at the end. Too many fields: the rest is one. */
static bool next_line(struct price_reader *r)
{
    while (r->rest.len > 0) {
        const uint8_t *newline = memchr(r->rest.at, '\n', r->rest.len);
        struct bytes line = {r->rest.at, newline ? (size_t)(newline - r->rest.at) : r->rest.len};

        r->rest.at += line.len + (newline ? 1 : 0);
        r->rest.len -= line.len + (newline ? 1 : 0);
        r->line++;
        if (line.len == 0 || line.at[0] == '#')
            continue;
        for (r->count = 0; r->count < PRICE_MAX_FIELDS; r->count++) {
            const uint8_t *tab = memchr(line.at, '\t', line.len);
            const size_t len = tab ? (size_t)(tab - line.at) : line.len;

            r->fields[r->count] = (struct bytes){line.at, len};
            if (!tab) {
                r->count++;
                break;
            }
            line.at += len + 1;
            line.len -= len + 1;
        }
        return true;
    }
    return false;
}

static bool read_term(struct bytes kind, struct bytes text, struct price_term *out_term)
{
    static const struct {
        const char *text;
        enum price_term_kind kind;
    } kinds[] = {
        {"=", PRICE_TERM_WHOLE},    {"^", PRICE_TERM_START},   {"$", PRICE_TERM_END},
        {"*", PRICE_TERM_ANYWHERE}, {"~", PRICE_TERM_PATTERN}, {"~^", PRICE_TERM_PATTERN_START},
    };
    const bool negated = kind.len > 0 && kind.at[0] == '!';

    if (negated)
        kind = (struct bytes){kind.at + 1, kind.len - 1};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (bytes_is(kind, kinds[i].text)) {
            *out_term = (struct price_term){kinds[i].kind, negated, text};
            return true;
        }
    }
    return false;
}

/* Pairs of kind and text from field `first` on. */
bool price_read_rule(struct price_reader *r, uint32_t first, uint32_t stands_for,
                     struct price_rule *out_rule, struct err *err)
{
    struct price_list *list = r->list;
    const uint32_t end = r->count;
    const uint32_t count = (end - first) / 2;

    if (end <= first || (end - first) % 2 != 0 || count > PRICE_MAX_TERMS)
        return price_read_bad(r, "a rule wants pairs of kind and text", err);
    *out_rule = (struct price_rule){list->term_count, count, stands_for};
    for (uint32_t i = 0; i < count; i++)
        if (!read_term(r->fields[first + 2 * i], r->fields[first + 2 * i + 1],
                       &list->terms[list->term_count++]))
            return price_read_bad(r, "no kind of rule", err);
    return true;
}

static bool read_date(struct bytes text, int64_t *out_ns)
{
    struct err ignored = {0};

    return text.len == 10 && clock_parse(text, out_ns, &ignored);
}

/* "00:30-16:30" */
static bool read_hours(struct bytes text, struct price_entry *entry)
{
    int32_t part[4];
    static const uint8_t at[4] = {0, 3, 6, 9};

    if (text.len != 11)
        return false;
    for (size_t i = 0; i < 4; i++) {
        const uint8_t *digits = text.at + at[i];

        if (digits[0] < '0' || digits[0] > '9' || digits[1] < '0' || digits[1] > '9')
            return false;
        part[i] = (digits[0] - '0') * 10 + (digits[1] - '0');
    }
    entry->daily_from_s = part[0] * 3600 + part[1] * 60;
    entry->daily_until_s = part[2] * 3600 + part[3] * 60;
    return part[0] < 24 && part[2] < 24 && part[1] < 60 && part[3] < 60;
}

static bool split_at(struct bytes text, char sign, struct bytes *out_left, struct bytes *out_right)
{
    const uint8_t *at = memchr(text.at, sign, text.len);

    if (!at)
        return false;
    *out_left = (struct bytes){text.at, (size_t)(at - text.at)};
    *out_right = (struct bytes){at + 1, text.len - out_left->len - 1};
    return true;
}

bool price_read_factor(struct bytes text, int64_t *out_numerator, int64_t *out_denominator)
{
    struct bytes upper = text;
    struct bytes lower = BYTES_LITERAL("1");

    (void)split_at(text, '/', &upper, &lower);
    return price_decimal(upper, out_numerator) && price_decimal(lower, out_denominator) &&
           *out_denominator > 0;
}

bool price_read_rates(struct price_reader *r, uint32_t first, struct price_entry *entry,
                      struct rates *rates, struct err *err)
{
    *rates = price_no_rates();
    for (uint32_t i = first; i < r->count; i++) {
        struct bytes key;
        struct bytes value;
        bool fine = true;

        if (bytes_is(r->fields[i], "free")) {
            /* Everything else takes one of these two. */
            rates->of[TOKEN_INPUT] = rates->of[TOKEN_OUTPUT] = 0;
            continue;
        }
        if (!split_at(r->fields[i], '=', &key, &value))
            return price_read_bad(r, "a price wants name=value", err);
        if (entry && bytes_is(key, "from"))
            fine = read_date(value, &entry->from_ns);
        else if (entry && bytes_is(key, "daily"))
            fine = read_hours(value, entry);
        else
            fine = price_json_rate(key, value, rates);
        if (!fine)
            return price_read_bad(r, "no name of a rate, or no value of one", err);
    }
    return true;
}

static bool read_provider(struct price_reader *r, struct err *err)
{
    struct price_list *list = r->list;

    (void)err;
    list->providers[list->provider_count++] = (struct price_provider){
        .id = r->fields[1],
        .models = {list->model_count, 0},
        .rules = {list->rule_count, 0},
    };
    return true;
}

static bool read_model(struct price_reader *r, struct err *err)
{
    struct price_list *list = r->list;
    struct price_provider *provider = &list->providers[list->provider_count - 1];
    const char *name = arena_printf(&list->arena, "%.*s:%.*s", (int)provider->id.len,
                                    (const char *)provider->id.at, (int)r->fields[1].len,
                                    (const char *)r->fields[1].at);

    if (!name)
        return err_set(err, ERR_TOO_LARGE, "no memory for the price list");
    list->models[list->model_count++] = (struct price_model){
        .id = r->fields[1],
        .name = bytes_of(name),
        .provider = list->provider_count - 1,
        .entries = {list->entry_count, 0},
    };
    provider->models.count++;
    return true;
}

/* Whole names go into the hash, everything else into the ordered list of the provider. */
static bool read_is(struct price_reader *r, struct err *err)
{
    struct price_list *list = r->list;
    struct price_rule rule;

    if (!price_read_rule(r, 1, list->model_count - 1, &rule, err))
        return false;
    const struct price_term *first = &list->terms[rule.first_term];
    if (rule.term_count == 1 && first->kind == PRICE_TERM_WHOLE && !first->negated) {
        price_list_add_name(list, list->provider_count - 1, first->text, rule.stands_for);
        return true;
    }
    list->rules[list->rule_count++] = rule;
    list->providers[list->provider_count - 1].rules.count++;
    return true;
}

static bool read_price(struct price_reader *r, struct err *err)
{
    struct price_list *list = r->list;
    struct price_model *model = &list->models[list->model_count - 1];
    struct price_entry *entry = &list->entries[list->entry_count];
    struct price_set *set = &list->sets[list->set_count];

    *entry = (struct price_entry){.from_ns = INT64_MIN, .daily_from_s = -1};
    *set = (struct price_set){.model = list->model_count - 1, .source = list->version};
    if (!price_read_rates(r, 1, entry, &set->rates, err))
        return false;
    set->effective_from_ns = entry->from_ns;
    for (size_t i = 0; i < PRICE_SERVICES; i++)
        entry->base[i] = entry->above[i] = list->set_count;
    list->set_count++;
    list->entry_count++;
    model->entries.count++;
    return true;
}

static bool read_above(struct price_reader *r, struct err *err)
{
    struct price_list *list = r->list;
    struct price_entry *entry = &list->entries[list->entry_count - 1];
    struct price_set *set = &list->sets[list->set_count];

    *set = (struct price_set){.model = list->model_count - 1,
                              .source = list->version,
                              .effective_from_ns = entry->from_ns};
    if (!text_int64(r->fields[1], &entry->above_tokens) || entry->above_tokens < 1)
        return price_read_bad(r, "no number of tokens", err);
    if (!price_read_rates(r, 2, NULL, &set->rates, err))
        return false;
    for (size_t i = 0; i < PRICE_SERVICES; i++)
        entry->above[i] = list->set_count;
    list->set_count++;
    return true;
}

static bool read_provider_rule(struct price_reader *r, uint32_t first, uint32_t provider,
                               struct price_rule *rules, uint32_t *count, struct err *err)
{
    return price_read_rule(r, first, provider, &rules[(*count)++], err);
}

static bool read_named(struct price_reader *r, struct err *err)
{
    struct price_list *list = r->list;
    return read_provider_rule(r, 1, list->provider_count - 1, list->named, &list->named_count, err);
}

static bool read_makes(struct price_reader *r, struct err *err)
{
    struct price_list *list = r->list;
    return read_provider_rule(r, 1, list->provider_count - 1, list->makes, &list->makes_count, err);
}

static bool read_host(struct price_reader *r, struct err *err)
{
    struct price_list *list = r->list;
    return read_provider_rule(r, 1, list->provider_count - 1, list->hosts, &list->host_count, err);
}

static bool read_fallback(struct price_reader *r, struct err *err)
{
    struct price_provider *provider = &r->list->providers[r->list->provider_count - 1];
    struct bytes *ids = arena_array(&r->list->arena, struct bytes, r->count);

    if (!ids)
        return err_set(err, ERR_TOO_LARGE, "no memory for the price list");
    memcpy(ids, r->fields + 1, (r->count - 1) * sizeof(*ids));
    provider->fallback = ids;
    provider->fallback_count = r->count - 1;
    return true;
}

static bool read_list(struct price_reader *r, struct err *err)
{
    (void)err;
    r->list->version = r->fields[1];
    return true;
}

/* A list that was cut short would price silently less. */
static bool read_end(struct price_reader *r, struct err *err)
{
    uint64_t providers = 0;
    uint64_t models = 0;

    if (!text_uint64(r->fields[1], &providers) || !text_uint64(r->fields[2], &models) ||
        providers != r->list->provider_count || models != r->list->model_count)
        return price_read_bad(r, "other numbers of providers and models than were read", err);
    r->ended = true;
    return true;
}

static const struct price_read_word list_words[] = {
    {"list", 2, PRICE_ANYWHERE, read_list},      {"provider", 2, PRICE_ANYWHERE, read_provider},
    {"named", 3, PRICE_IN_PROVIDER, read_named}, {"makes", 3, PRICE_IN_PROVIDER, read_makes},
    {"host", 3, PRICE_IN_PROVIDER, read_host},   {"fallback", 2, PRICE_IN_PROVIDER, read_fallback},
    {"model", 2, PRICE_IN_PROVIDER, read_model}, {"is", 3, PRICE_IN_MODEL, read_is},
    {"price", 1, PRICE_IN_MODEL, read_price},    {"above", 2, PRICE_IN_ENTRY, read_above},
    {"end", 3, PRICE_ANYWHERE, read_end},        {NULL, 0, PRICE_ANYWHERE, NULL},
};

static bool has_place(const struct price_reader *r, const struct price_read_word *word)
{
    const struct price_list *list = r->list;

    return word->needs == PRICE_ANYWHERE ||
           (word->needs == PRICE_IN_PROVIDER && list->provider_count > 0) ||
           (word->needs == PRICE_IN_MODEL && list->model_count > 0 &&
            list->providers[list->provider_count - 1].models.count > 0) ||
           (word->needs == PRICE_IN_ENTRY && list->model_count > 0 &&
            list->models[list->model_count - 1].entries.count > 0);
}

bool price_read_file(struct price_reader *r, const char *file, struct bytes text,
                     const struct price_read_word *words, struct err *err)
{
    r->file = file;
    r->rest = text;
    r->line = 0;
    while (next_line(r)) {
        const struct price_read_word *word = words;

        while (word->name && !bytes_is(r->fields[0], word->name))
            word++;
        if (!word->name)
            return price_read_bad(r, "an unknown word", err);
        if (r->count < word->least_fields || !has_place(r, word))
            return price_read_bad(r, "too few words, or out of place", err);
        if (!word->read(r, err))
            return false;
    }
    return true;
}

/* How many lines of each word there are, and how many fields those have that become terms. */
struct line_counts {
    uint32_t providers, models, is, prices, above, other, tabs;
};

static uint32_t *counter_of(struct line_counts *n, struct bytes word)
{
    const struct {
        const char *word;
        uint32_t *counter;
    } counters[] = {{"is", &n->is},
                    {"price", &n->prices},
                    {"model", &n->models},
                    {"above", &n->above},
                    {"provider", &n->providers}};

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        if (bytes_is(word, counters[i].word))
            return counters[i].counter;
    return &n->other;
}

static void count_lines(struct price_reader *r, struct bytes text, struct line_counts *n)
{
    r->rest = text;
    while (next_line(r)) {
        uint32_t *counter = counter_of(n, r->fields[0]);

        (*counter)++;
        if (counter == &n->is || counter == &n->other)
            n->tabs += r->count;
    }
}

/* Upper bounds of everything. */
static bool allocate(struct price_reader *r, struct bytes list_text, struct bytes overlay,
                     struct err *err)
{
    struct price_list *list = r->list;
    struct line_counts n = {0};

    count_lines(r, list_text, &n);
    count_lines(r, overlay, &n);
    list->name_mask = 64;
    while (list->name_mask < 2 * (size_t)n.is + 2)
        list->name_mask *= 2;
    list->providers = arena_array(&list->arena, struct price_provider, n.providers + 1);
    list->models = arena_array(&list->arena, struct price_model, n.models + 1);
    list->entries = arena_array(&list->arena, struct price_entry, n.prices + 1);
    list->sets = arena_array(&list->arena, struct price_set, n.prices + n.above + 1);
    list->rules = arena_array(&list->arena, struct price_rule, n.is + 1);
    list->named = arena_array(&list->arena, struct price_rule, n.other + 1);
    list->makes = arena_array(&list->arena, struct price_rule, n.other + 1);
    list->hosts = arena_array(&list->arena, struct price_rule, n.other + 1);
    list->terms = arena_array(&list->arena, struct price_term, n.tabs / 2 + PRICE_MAX_TERMS);
    list->words = arena_array(&list->arena, struct price_word, n.tabs + 1);
    list->names = arena_array(&list->arena, struct price_slot_name, list->name_mask);
    r->services = arena_array(&list->arena, struct price_service_line, n.other + 1);
    if (list->arena.failed)
        return err_set(err, ERR_TOO_LARGE, "no memory for the price list");
    for (size_t i = 0; i < list->name_mask; i++)
        list->names[i].model = PRICE_NONE;
    list->name_mask--;
    return true;
}

static void set_ids(struct price_list *list)
{
    for (uint32_t i = 0; i < list->set_count; i++) {
        struct price_set *set = &list->sets[i];
        const struct price_model *model = &list->models[set->model];

        set->id = price_id(model->name, list->providers[model->provider].id, set->source,
                           set->effective_from_ns, &set->rates);
    }
}

static bool check_models(const struct price_list *list, struct err *err)
{
    for (uint32_t i = 0; i < list->model_count; i++)
        if (list->models[i].entries.count == 0)
            return err_set(err, ERR_BAD_INPUT, "price list: model %.*s has no price",
                           (int)list->models[i].name.len, (const char *)list->models[i].name.at);
    return true;
}

bool price_list_read(struct price_list *list, struct bytes text, struct bytes overlay,
                     struct err *err)
{
    struct price_reader r = {.list = list};

    *list = (struct price_list){0};
    arena_init(&list->arena, LIST_MAX_BYTES);
    if (!allocate(&r, text, overlay, err) || !price_read_file(&r, "list", text, list_words, err))
        return false;
    if (!r.ended)
        return price_read_bad(&r, "the list has no end", err);
    if (!check_models(list, err) || !price_overlay_read(&r, overlay, err))
        return false;
    set_ids(list);
    return true;
}
