/* spanledger reprice */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/usage.h"
#include "ledger/cost.h"
#include "store/migrate.h"
#include "store/price_rows.h"
#include "work/reprice.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define LINE_BYTES ((size_t)64 << 10)
#define FIRST_NS INT64_C(0) /* 1970 */

static const char *const flags[] = {"from",  "to",       "tenant", "provider",
                                    "model", "dry-run!", "json!",  NULL};
static const char *const settings[] = {"db",     "data-dir",        "pg-bin-dir",
                                       "config", "cost-preference", NULL};
static const char flags_help[] =
    "  --from TIME      first start of a span; default: all\n"
    "  --to TIME        end of the range, exclusive; default: now and what is to come\n"
    "  --tenant N       only of this tenant, by number\n"
    "  --provider NAME  only calls of this provider, as the API shows it\n"
    "  --model PATTERN  only calls of these models; * stands for any text\n"
    "  --dry-run        change nothing, print what would change\n"
    "  --json           the result as JSON\n\n" USAGE_TIME
    "calls: billed ones; changed: spans with another cost than before, also those that are not "
    "billed.\n\n";

struct command {
    int argc;
    char *const *argv;
    bool json;
    struct reprice_scope scope;
    char prices[120]; /* what scope.prices points to */
    char actor[64];
    struct database database;
    struct db db;
    struct arena arena;
    struct prices *list;
};

static bool time_of(const struct command *c, const char *name, int64_t fallback_ns, int64_t *out_ns,
                    struct err *err)
{
    const char *text = usage_value(c->argc, c->argv, name);
    struct err cause = {0};

    *out_ns = fallback_ns;
    return !text || clock_parse(bytes_of(text), out_ns, &cause) ||
           err_set(err, ERR_BAD_INPUT, "--%s: %s", name, cause.text);
}

static bool read_scope(struct command *c, struct err *err)
{
    const char *tenant = usage_value(c->argc, c->argv, "tenant");
    const char *provider = usage_value(c->argc, c->argv, "provider");
    const char *model = usage_value(c->argc, c->argv, "model");
    struct reprice_scope *s = &c->scope;
    int64_t number = 0;

    if (tenant && (!text_int64(bytes_of(tenant), &number) || number < 1 || number > INT32_MAX))
        return err_set(err, ERR_BAD_INPUT, "--tenant is '%.40s', want a tenant's number", tenant);
    s->tenant_id = (int32_t)number;
    s->provider = bytes_of(provider ? provider : "");
    s->model = bytes_of(model ? model : "");
    s->dry_run = usage_value(c->argc, c->argv, "dry-run") != NULL;
    (void)snprintf(c->actor, sizeof(c->actor), "command line, uid %u", (unsigned)getuid());
    s->actor = bytes_of(c->actor);
    if (!time_of(c, "from", FIRST_NS, &s->from_ns, err) ||
        !time_of(c, "to", INT64_MAX, &s->to_ns, err))
        return false;
    return s->from_ns < s->to_ns || err_set(err, ERR_BAD_INPUT, "--from is not before --to");
}

/* The list with own prices on top, and what tells it and the setting from others. */
static bool load_prices(struct command *c, const struct cfg *cfg, struct err *err)
{
    enum cost_preference preference;
    struct own_price *rows;
    size_t count;
    size_t bad;
    int64_t epoch;
    struct prices *with_own;

    if (!cost_preference_named(cfg->cost_preference, &preference))
        return err_set(err, ERR_BAD_INPUT, "cost-preference is '%s', want computed or reported",
                       cfg->cost_preference);
    if (!price_rows_epoch(&c->db, &epoch, err) ||
        !price_rows_load(&c->db, &c->arena, &rows, &count, &bad, err) ||
        !prices_with_own(c->list, rows, count, &with_own, err))
        return false;
    if (bad > 0)
        (void)fprintf(stderr, "spanledger reprice: %zu rows of model_price cannot be read\n", bad);
    prices_unref(c->list);
    c->list = with_own;
    const struct bytes version = prices_version(c->list);
    (void)snprintf(c->prices, sizeof(c->prices), "%.*s, own prices %" PRId64 "%s", (int)version.len,
                   (const char *)version.at, epoch,
                   preference == COST_PREFER_REPORTED ? ", reported costs first" : "");
    c->scope.prices = bytes_of(c->prices);
    return true;
}

static void print_progress(const struct reprice_progress *progress, void *arg)
{
    char day[CLOCK_RFC3339_BYTES];

    (void)arg;
    (void)clock_rfc3339((uint64_t)(progress->day * S_PER_DAY * NS_PER_S), day);
    (void)fprintf(stderr, "%.10s: %" PRId64 " traces, %" PRId64 " spans, %" PRId64 " changed\n",
                  day, progress->traces, progress->spans, progress->changed);
}

static void write_sum_json(struct buf *out, const struct reprice_sum *sum)
{
    struct json j = json_into(out);

    json_open(&j, '{');
    json_key(&j, "tenant_id");
    json_int(&j, sum->tenant_id);
    json_key(&j, "provider");
    json_text(&j, sum->provider);
    json_key(&j, "model");
    json_text(&j, sum->model);
    json_key(&j, "spans");
    json_int(&j, sum->spans);
    json_key(&j, "changed");
    json_int(&j, sum->changed);
    json_key(&j, "calls");
    json_int(&j, sum->calls);
    json_key(&j, "unpriced_calls_before");
    json_int(&j, sum->unpriced_before);
    json_key(&j, "unpriced_calls_after");
    json_int(&j, sum->unpriced_after);
    json_key(&j, "cost_usd_before");
    json_text(&j, sum->cost_before);
    json_key(&j, "cost_usd_after");
    json_text(&j, sum->cost_after);
    json_close(&j, '}');
}

static void write_sum_text(struct buf *out, const struct reprice_sum *sum)
{
    buf_printf(out, "%6" PRId32 " %-16.*s %-36.*s %9" PRId64 " %9" PRId64 " ", sum->tenant_id,
               (int)sum->provider.len, (const char *)sum->provider.at, (int)sum->model.len,
               (const char *)sum->model.at, sum->calls, sum->changed);
    buf_add_bytes(out, sum->cost_before);
    buf_add_text(out, " -> ");
    buf_add_bytes(out, sum->cost_after);
    if (sum->unpriced_before > 0 || sum->unpriced_after > 0)
        buf_printf(out, "  (unpriced %" PRId64 " -> %" PRId64 ")", sum->unpriced_before,
                   sum->unpriced_after);
}

static void print_sums(const struct command *c, const struct reprice_sum *sums, size_t count)
{
    struct buf out;

    buf_init(&out, LINE_BYTES);
    if (!c->json)
        printf("%s\n%6s %-16s %-36s %9s %9s USD\n",
               c->scope.dry_run ? "nothing was changed (--dry-run)" : "done", "tenant", "provider",
               "model", "calls", "changed");
    for (size_t i = 0; i < count; i++) {
        buf_clear(&out);
        if (c->json)
            write_sum_json(&out, &sums[i]);
        else
            write_sum_text(&out, &sums[i]);
        printf("%s%.*s%s", c->json ? (i > 0 ? ",\n" : "[") : "", (int)out.len, (const char *)out.at,
               c->json ? "" : "\n");
    }
    if (c->json)
        puts(count > 0 ? "]" : "[]");
    else if (count == 0)
        puts("no stored calls fit");
    buf_done(&out);
}

static bool run(struct command *c, const struct cfg *cfg, struct err *err)
{
    struct reprice_sum *sums;
    size_t count;
    bool done = read_scope(c, err) && prices_embedded(&c->list, err) &&
                database_open(cfg, DATABASE_FIND, &c->database, err);

    arena_init(&c->arena, ARENA_BYTES);
    done = done && db_open(&c->db, c->database.conninfo, DB_ADMIN, 0, err) &&
           migrate_check(&c->db, err) && load_prices(c, cfg, err) &&
           (c->scope.dry_run || price_rows_keep(&c->db, c->list, err)) &&
           reprice_run(cfg, &c->db, c->database.conninfo, c->list, &c->scope, print_progress, NULL,
                       &c->arena, &sums, &count, err);
    if (done)
        print_sums(c, sums, count);
    if (c->db.conn)
        db_close(&c->db);
    arena_done(&c->arena);
    prices_unref(c->list);
    database_close(&c->database);
    return done;
}

int reprice_command(int argc, char *const argv[])
{
    struct command c = {.argc = argc, .argv = argv};
    struct cfg cfg;
    struct err err = {0};
    int rest = 0;
    const enum usage usage = usage_load_own(
        &cfg, "reprice",
        "Prices stored calls anew by the prices and the cost-preference of now; one that was "
        "interrupted goes on.",
        flags, flags_help, settings, argc, argv, &rest);

    if (usage != USAGE_GO_ON)
        return usage == USAGE_HELPED ? EXIT_DONE : EXIT_USAGE;
    if (rest < argc) {
        (void)fprintf(stderr,
                      "spanledger reprice: '%s' is no flag; see spanledger reprice --help\n",
                      argv[rest]);
        cfg_done(&cfg);
        return EXIT_USAGE;
    }
    c.json = usage_value(argc, argv, "json") != NULL;
    const bool done = run(&c, &cfg, &err);
    cfg_done(&cfg);
    if (done)
        return EXIT_DONE;
    (void)fprintf(stderr, "spanledger reprice: %s\n", err.text);
    return err.kind == ERR_BAD_INPUT ? EXIT_USAGE : EXIT_FAILED;
}
