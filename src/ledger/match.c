/* Provider and model to a row of the list. */
#include "ledger/match.h"

#include "ledger/match_forms.h"

#define MAX_GROUPS 24

/* A provider that is asked for each form of the model. */
struct group {
    uint32_t provider; /* PRICE_NONE: only own prices can have this name */
    struct bytes name; /* as own prices have it */
};

struct search {
    const struct price_list *list;
    const struct price_own *own;
    const struct price_question *question;
    struct group groups[MAX_GROUPS];
    uint32_t group_count;
    struct match found;
};

/* The first model of a provider in the list's order that has a rule for this text. */
static uint32_t model_of(const struct price_list *list, uint32_t provider, struct bytes text)
{
    const struct price_range rules = list->providers[provider].rules;
    const uint32_t whole = price_list_whole(list, provider, text);

    for (uint32_t i = 0; i < rules.count; i++) {
        const struct price_rule *rule = &list->rules[rules.first + i];

        if (rule->stands_for >= whole)
            break;
        if (price_rule_holds(list, rule, text))
            return rule->stands_for;
    }
    return whole;
}

static uint32_t model_or_fallback(const struct price_list *list, uint32_t provider,
                                  struct bytes text)
{
    uint32_t model = model_of(list, provider, text);
    const struct price_provider *p = &list->providers[provider];

    for (uint32_t i = 0; i < p->fallback_count && model == PRICE_NONE; i++) {
        const uint32_t other = price_list_provider(list, p->fallback[i]);

        if (other != PRICE_NONE)
            model = model_of(list, other, text);
    }
    return model;
}

static void look_for_own(struct search *s, struct bytes provider, struct bytes model)
{
    const struct bytes any = {0};
    struct match *found = &s->found;
    const int32_t tenant = s->question->tenant_id;

    if (!s->own || s->own->group_count == 0)
        return;
    for (int i = 0; i < 2; i++) {
        const struct bytes name = i == 0 ? provider : any;

        if (found->own_tenant == PRICE_NONE)
            found->own_tenant = price_own_find(s->own, tenant, name, model);
        if (found->own_global == PRICE_NONE)
            found->own_global = price_own_find(s->own, 0, name, model);
    }
}

/* OpenLLMetry sends "nova-pro-v1:0" of "us.amazon.nova-pro-v1:0". */
static uint32_t model_of_vendor(const struct price_list *list, uint32_t provider, struct bytes text)
{
    uint8_t whole[2 * MATCH_MAX_NAME];

    for (uint32_t i = 0; i < list->word_count; i++) {
        const struct bytes vendor = list->words[i].text;
        uint32_t model;

        if (list->words[i].kind != PRICE_VENDOR || vendor.len + 1 + text.len > sizeof(whole))
            continue;
        memcpy(whole, vendor.at, vendor.len);
        whole[vendor.len] = '.';
        memcpy(whole + vendor.len + 1, text.at, text.len);
        model = model_of(list, provider, (struct bytes){whole, vendor.len + 1 + text.len});
        if (model != PRICE_NONE)
            return model;
    }
    return PRICE_NONE;
}

static bool ask_group(struct search *s, const struct group *group, const struct match_forms *forms)
{
    const uint32_t aws = price_list_provider(s->list, BYTES_LITERAL("aws"));

    for (uint32_t i = 0; i < forms->count; i++) {
        const struct bytes text = forms->at[i];

        look_for_own(s, group->name, text);
        if (group->provider == PRICE_NONE)
            continue;
        s->found.model = model_or_fallback(s->list, group->provider, text);
        if (s->found.model == PRICE_NONE && group->provider == aws && !forms->bedrock)
            s->found.model = model_of_vendor(s->list, aws, text);
        if (s->found.model != PRICE_NONE) {
            uint8_t lower[MATCH_MAX_NAME];
            /* An own price for the list's name of the model holds for all its spellings. */
            look_for_own(s, group->name, match_lower(s->list->models[s->found.model].id, lower));
            return true;
        }
    }
    return false;
}

static void add_group(struct search *s, uint32_t provider, struct bytes name)
{
    for (uint32_t i = 0; i < s->group_count; i++)
        if (s->groups[i].provider == provider && bytes_equal(s->groups[i].name, name))
            return;
    if (s->group_count < MAX_GROUPS)
        s->groups[s->group_count++] = (struct group){provider, name};
}

static void add_provider(struct search *s, uint32_t provider)
{
    if (provider != PRICE_NONE)
        add_group(s, provider, s->list->providers[provider].id);
}

static uint32_t host_provider(const struct price_list *list, struct bytes host)
{
    if (host.len == 0)
        return PRICE_NONE;
    const uint8_t *scheme = memmem(host.at, host.len, "://", 3);
    if (scheme)
        host = (struct bytes){scheme + 3, host.len - (size_t)(scheme + 3 - host.at)};
    for (uint32_t i = 0; i < list->host_count; i++)
        if (price_rule_holds(list, &list->hosts[i], host))
            return list->hosts[i].stands_for;
    return PRICE_NONE;
}

static void add_makers(struct search *s, const struct match_forms *forms)
{
    for (uint32_t i = 0; i < s->list->makes_count; i++)
        for (uint32_t k = 0; k < forms->base_count; k++)
            if (price_rule_holds(s->list, &s->list->makes[i], forms->at[k]))
                add_provider(s, s->list->makes[i].stands_for);
}

/* Providers in the order in which they are asked. */
static void choose_groups(struct search *s, struct bytes provider, struct bytes host,
                          const struct match_forms *forms)
{
    uint32_t index;
    const enum match_provider_kind kind = match_provider(s->list, provider, &index);
    const uint32_t at_host = host_provider(s->list, host);
    const struct bytes none = {0};

    s->group_count = 0;
    if (kind == MATCH_PROVIDER_LISTED)
        add_provider(s, index);
    else
        add_group(s, PRICE_NONE, kind == MATCH_PROVIDER_UNKNOWN ? none : provider);
    if (forms->unlisted.len > 0)
        add_group(s, PRICE_NONE, forms->unlisted);
    /* Who runs a model by himself pays nobody's price for it, whatever its name. */
    if (kind == MATCH_PROVIDER_UNLISTED || forms->unlisted.len > 0)
        return;
    if (kind == MATCH_PROVIDER_LISTED)
        add_provider(s, at_host);
    if (forms->bedrock)
        add_provider(s, price_list_provider(s->list, BYTES_LITERAL("aws")));
    /* Who is named as the provider is paid; "mistralai/…" at Groq or at one's own machine behind the
     * OpenAI SDK is not Mistral's. */
    if (kind == MATCH_PROVIDER_LISTED)
        return;
    /* Free variants are OpenRouter's; the maker's own model of that name is not free. */
    if (forms->free_variant) {
        add_provider(s, price_list_provider(s->list, BYTES_LITERAL("openrouter")));
        return;
    }
    /* The host is who is paid; "openai/…" may be the maker only. */
    add_provider(s, at_host);
    for (uint32_t i = 0; i < forms->hint_count; i++)
        add_provider(s, forms->hints[i]);
    /* A name that nobody knows is still somebody's: his model is not priced as its maker's. */
    if (kind == MATCH_PROVIDER_UNKNOWN)
        add_makers(s, forms);
}

static bool ask_model(struct search *s, struct bytes model, struct bytes provider,
                      struct bytes host)
{
    struct match_forms forms;

    if (!match_forms_make(s->list, model, &forms))
        return false;
    choose_groups(s, provider, host, &forms);
    for (uint32_t i = 0; i < s->group_count; i++)
        if (ask_group(s, &s->groups[i], &forms))
            return true;
    return s->found.own_tenant != PRICE_NONE || s->found.own_global != PRICE_NONE;
}

bool match_find(const struct price_list *list, const struct price_own *own,
                const struct price_question *question, struct match *out_match)
{
    struct search s = {
        .list = list,
        .own = own,
        .question = question,
        .found = {PRICE_NONE, PRICE_NONE, PRICE_NONE},
    };
    uint8_t provider_text[MATCH_MAX_NAME];
    uint8_t host_text[MATCH_MAX_NAME];
    const struct bytes provider = match_lower(question->provider, provider_text);
    const struct bytes host = match_lower(question->host, host_text);
    const struct bytes models[] = {question->model, question->request_model};

    if (question->provider.len > 0 && provider.len == 0)
        return false;
    for (size_t i = 0; i < 2; i++) {
        if (models[i].len > 0 && ask_model(&s, models[i], provider, host)) {
            *out_match = s.found;
            return true;
        }
    }
    return false;
}
