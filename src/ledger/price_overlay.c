/* What stands in the overlay: names of providers, further hosts, service tiers. */
#include "ledger/price_read.h"

static bool known_provider(struct price_reader *r, uint32_t *out_provider, struct err *err)
{
    *out_provider = price_list_provider(r->list, r->fields[1]);
    return *out_provider != PRICE_NONE || price_read_bad(r, "no provider of the list", err);
}

static bool read_words(struct price_reader *r, enum price_word_kind kind, bool of_provider,
                       struct err *err)
{
    uint32_t provider = PRICE_NONE;

    if (of_provider && !known_provider(r, &provider, err))
        return false;
    for (uint32_t i = of_provider ? 2 : 1; i < r->count; i++)
        r->list->words[r->list->word_count++] = (struct price_word){kind, provider, r->fields[i]};
    return true;
}

static bool read_alias(struct price_reader *r, struct err *err)
{
    return read_words(r, PRICE_ALIAS, true, err);
}

static bool read_framework(struct price_reader *r, struct err *err)
{
    return read_words(r, PRICE_FRAMEWORK, false, err);
}

static bool read_unlisted(struct price_reader *r, struct err *err)
{
    return read_words(r, PRICE_UNLISTED, false, err);
}

static bool read_suffix(struct price_reader *r, struct err *err)
{
    return read_words(r, PRICE_SUFFIX, false, err);
}

static bool read_vendor(struct price_reader *r, struct err *err)
{
    return read_words(r, PRICE_VENDOR, false, err);
}

static bool read_route(struct price_reader *r, struct err *err)
{
    return read_words(r, PRICE_ROUTE, true, err);
}

static bool read_further_host(struct price_reader *r, struct err *err)
{
    uint32_t provider;

    return known_provider(r, &provider, err) &&
           price_read_rule(r, 2, provider, &r->list->hosts[r->list->host_count++], err);
}

/* service PROVIDER NAME SOURCE x0.5|x2/1.1 RULE…: rates of a service tier as multiples. */
static bool read_service(struct price_reader *r, struct err *err)
{
    static const char *const names[PRICE_SERVICES] = {"", "batch", "flex", "priority"};
    struct price_service_line *s = &r->services[r->service_count];
    const struct bytes factor = r->fields[4];
    uint32_t provider;

    *s = (struct price_service_line){.source = r->fields[3]};
    for (unsigned i = 1; i < PRICE_SERVICES; i++)
        if (bytes_is(r->fields[2], names[i]))
            s->service = (enum price_service)i;
    if (!known_provider(r, &provider, err))
        return false;
    if (s->service == PRICE_STANDARD || factor.len < 2 || factor.at[0] != 'x')
        return price_read_bad(r, "no service, or no factor", err);
    if (!price_read_factor((struct bytes){factor.at + 1, factor.len - 1}, &s->numerator,
                           &s->denominator))
        return price_read_bad(r, "no factor", err);
    s->provider = provider;
    r->service_count++;
    return price_read_rule(r, 5, provider, &s->rule, err);
}

/* also PROVIDER MODEL SOURCE name=value…: for every price of the model. */
static bool read_also(struct price_reader *r, struct err *err)
{
    struct price_list *list = r->list;
    uint32_t provider;
    struct rates more = price_no_rates();
    bool found = false;

    if (!known_provider(r, &provider, err) || !price_read_rates(r, 4, NULL, &more, err))
        return false;
    for (uint32_t i = 0; i < list->set_count; i++) {
        struct price_set *set = &list->sets[i];

        if (list->models[set->model].provider != provider ||
            !bytes_equal(list->models[set->model].id, r->fields[2]))
            continue;
        found = true;
        set->source = r->fields[3];
        for (size_t k = 0; k < PRICE_RATE_COUNT; k++)
            if (*price_rate_at(&set->rates, k) == COST_UNKNOWN)
                *price_rate_at(&set->rates, k) = *price_rate_at(&more, k);
    }
    return found || price_read_bad(r, "no model of the list", err);
}

static const struct price_read_word overlay_words[] = {
    {"alias", 3, PRICE_ANYWHERE, read_alias},
    {"framework", 2, PRICE_ANYWHERE, read_framework},
    {"unlisted", 2, PRICE_ANYWHERE, read_unlisted},
    {"suffix", 2, PRICE_ANYWHERE, read_suffix},
    {"vendor", 2, PRICE_ANYWHERE, read_vendor},
    {"route", 3, PRICE_ANYWHERE, read_route},
    {"host", 4, PRICE_ANYWHERE, read_further_host},
    {"service", 7, PRICE_ANYWHERE, read_service},
    {"also", 5, PRICE_ANYWHERE, read_also},
    {NULL, 0, PRICE_ANYWHERE, NULL},
};

static const struct price_service_line *
service_of(const struct price_reader *r, const struct price_model *m, enum price_service service)
{
    for (uint32_t i = 0; i < r->service_count; i++) {
        const struct price_service_line *s = &r->services[i];

        if (s->service == service && s->provider == m->provider &&
            price_rule_holds(r->list, &s->rule, m->id))
            return s;
    }
    return NULL;
}

static bool add_variant(struct price_list *list, uint32_t from, const struct price_service_line *s,
                        uint32_t *out_set, struct err *err)
{
    struct price_set *set = &list->sets[list->set_count];

    *set = list->sets[from];
    set->source = s->source;
    for (size_t i = 0; i < PRICE_RATE_COUNT; i++) {
        int64_t *rate = price_rate_at(&set->rates, i);

        /* The fee per call is not discounted. */
        if (*rate == COST_UNKNOWN || rate == &set->rates.request)
            continue;
        if (__builtin_mul_overflow(*rate, s->numerator, rate))
            return err_set(err, ERR_BAD_INPUT, "price overlay: a factor is too large");
        *rate = (*rate + s->denominator / 2) / s->denominator;
    }
    *out_set = list->set_count++;
    return true;
}

/* Sets of the service tiers, behind the standard ones. */
static bool add_variants(struct price_reader *r, struct err *err)
{
    struct price_list *list = r->list;
    struct price_set *sets =
        arena_array(&list->arena, struct price_set, (size_t)list->set_count * PRICE_SERVICES + 1);

    if (!sets)
        return err_set(err, ERR_TOO_LARGE, "no memory for the price list");
    memcpy(sets, list->sets, list->set_count * sizeof(*sets));
    list->sets = sets;
    for (uint32_t m = 0; m < list->model_count && r->service_count > 0; m++) {
        for (unsigned service = 1; service < PRICE_SERVICES; service++) {
            const struct price_range range = list->models[m].entries;
            const struct price_service_line *s =
                service_of(r, &list->models[m], (enum price_service)service);

            for (uint32_t i = range.first; s && i < range.first + range.count; i++) {
                struct price_entry *entry = &list->entries[i];

                if (!add_variant(list, entry->base[0], s, &entry->base[service], err))
                    return false;
                entry->above[service] = entry->base[service];
                if (entry->above_tokens > 0 &&
                    !add_variant(list, entry->above[0], s, &entry->above[service], err))
                    return false;
            }
        }
    }
    return true;
}

bool price_overlay_read(struct price_reader *r, struct bytes overlay, struct err *err)
{
    return price_read_file(r, "overlay", overlay, overlay_words, err) && add_variants(r, err);
}
