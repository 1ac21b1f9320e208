/* spanledger prices import|list|unpriced */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/usage.h"
#include "ledger/price_json.h"
#include "ledger/price_list.h"
#include "store/migrate.h"
#include "store/price_rows.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define LINE_BYTES ((size_t)64 << 10)
#define UNPRICED_DAYS 30
#define UNPRICED_ROWS 1000

struct command {
    int argc;
    char *const *argv;
    const char *file; /* of import */
    bool json;
    struct database database;
    struct db db;
    struct arena arena;
    struct prices *prices; /* the embedded list, for list with own prices on top */
};

static const char *value_of(const struct command *c, const char *name, const char *fallback)
{
    const char *value = usage_value(c->argc, c->argv, name);
    return value ? value : fallback;
}

static bool time_of(const struct command *c, const char *name, int64_t fallback_ns, int64_t *out_ns,
                    struct err *err)
{
    const char *text = value_of(c, name, NULL);
    struct err cause = {0};

    *out_ns = fallback_ns;
    return !text || clock_parse(bytes_of(text), out_ns, &cause) ||
           err_set(err, ERR_BAD_INPUT, "--%s: %s", name, cause.text);
}

/* ---- import ---- */

static bool read_file(const char *path, struct buf *to, struct err *err)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char piece[8192];
    size_t got;

    if (!file)
        return err_set(err, ERR_NOT_FOUND, "'%s' cannot be opened: %s", path, strerror(errno));
    while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_add(to, piece, got);
    const bool fine = !ferror(file);
    if (file != stdin)
        (void)fclose(file);
    if (!fine)
        return err_set(err, ERR_INTERNAL, "'%s' cannot be read", path);
    if (!buf_ok(to))
        return err_set(err, ERR_TOO_LARGE, "'%s' has more than %zu bytes", path,
                       OWN_FILE_MAX_BYTES);
    return true;
}

static bool import_text(struct command *c, struct bytes text, struct price_import *out_import,
                        struct err *err)
{
    struct own_file file;
    char actor[64];

    struct err cause = {0};

    (void)snprintf(actor, sizeof(actor), "command line, uid %u", (unsigned)getuid());
    if (!own_file_read(c->prices, text, bytes_of(value_of(c, "source", "own")), &c->arena, &file,
                       &cause))
        return err_set(err, cause.kind, "%s: %s", c->file, cause.text);
    return price_rows_import(&c->db, &file, actor, out_import, err);
}

static bool run_import(struct command *c, struct err *err)
{
    struct buf text;
    struct price_import import = {0};

    buf_init(&text, OWN_FILE_MAX_BYTES);
    const bool done =
        read_file(c->file, &text, err) && import_text(c, buf_bytes(&text), &import, err);
    buf_done(&text);
    if (!done)
        return false;
    if (c->json)
        printf("{\"added\":%" PRId64 ",\"replaced\":%" PRId64 ",\"same\":%" PRId64 "}\n",
               import.added - import.replaced, import.replaced, import.same);
    else
        printf("%" PRId64 " prices added, %" PRId64 " replaced, %" PRId64 " were there already\n",
               import.added - import.replaced, import.replaced, import.same);
    return true;
}

/* ---- list ---- */

static bool load_own(struct command *c, struct err *err)
{
    struct own_price *rows;
    size_t count;
    size_t bad;
    struct prices *with_own;

    if (!price_rows_load(&c->db, &c->arena, &rows, &count, &bad, err) ||
        !prices_with_own(c->prices, rows, count, &with_own, err))
        return false;
    if (bad > 0)
        (void)fprintf(stderr, "spanledger prices: %zu rows of model_price cannot be read\n", bad);
    prices_unref(c->prices);
    c->prices = with_own;
    return true;
}

static void write_date(struct json *j, int64_t ns)
{
    char time[CLOCK_RFC3339_BYTES];

    if (ns <= 0) {
        json_null(j);
        return;
    }
    json_text(j, (struct bytes){(const uint8_t *)time, clock_rfc3339((uint64_t)ns, time)});
}

static void write_line_json(struct buf *out, const struct price_line *line)
{
    const struct price *price = &line->price;
    struct json j = json_into(out);
    const struct own_price rates = {
        .rates = price->rates, .above_tokens = line->above_tokens, .above = line->above.rates};

    json_open(&j, '{');
    json_key(&j, "name");
    json_text(&j, price->name);
    json_key(&j, "provider");
    json_text(&j, price->provider);
    json_key(&j, "own");
    json_bool(&j, line->own);
    json_key(&j, "tenant_id");
    if (line->tenant_id != 0)
        json_int(&j, line->tenant_id);
    else
        json_null(&j);
    json_key(&j, "effective_from");
    write_date(&j, price->effective_from_ns);
    json_key(&j, "source");
    json_text(&j, price->source);
    json_key(&j, "usd_per_million_tokens");
    price_json_own(out, &rates);
    j.comma = true;
    json_close(&j, '}');
}

static void write_rates_text(struct buf *out, struct rates rates)
{
    for (size_t i = 0; i < PRICE_RATE_COUNT; i++) {
        const int64_t rate = *price_rate_at(&rates, i);

        if (rate == COST_UNKNOWN)
            continue;
        buf_printf(out, " %s=", price_rate_name(i));
        price_json_decimal(out, rate, i == PRICE_RATE_COUNT - 1);
    }
}

static void write_line_text(struct buf *out, const struct price_line *line)
{
    const struct price *price = &line->price;

    buf_printf(out, "%-48.*s", (int)price->name.len, (const char *)price->name.at);
    write_rates_text(out, price->rates);
    if (line->above_tokens > 0) {
        buf_printf(out, "; above %" PRId64 " tokens:", line->above_tokens);
        write_rates_text(out, line->above.rates);
    }
    buf_printf(out, "  (%.*s", (int)price->source.len, (const char *)price->source.at);
    if (line->tenant_id != 0)
        buf_printf(out, ", tenant %" PRId32, line->tenant_id);
    if (price->effective_from_ns > 0) {
        char time[CLOCK_RFC3339_BYTES];

        (void)clock_rfc3339((uint64_t)price->effective_from_ns, time);
        buf_printf(out, ", from %.10s", time);
    }
    buf_add_text(out, ")");
}

static bool contains_nocase(struct bytes text, const char *part)
{
    const size_t len = strlen(part);

    for (size_t i = 0; i + len <= text.len; i++)
        if (bytes_is_nocase((struct bytes){text.at + i, len}, part))
            return true;
    return false;
}

static bool wanted(const struct command *c, const struct price_line *line)
{
    const char *provider = value_of(c, "provider", NULL);
    const char *model = value_of(c, "model", NULL);

    /* Without a name: its first date is yet to come. */
    if (line->price.name.len == 0 || line->overridden)
        return false;
    if (provider) {
        const struct bytes known = prices_provider(c->prices, bytes_of(provider));

        if (!bytes_equal(line->price.provider, known.len > 0 ? known : bytes_of(provider)))
            return false;
    }
    return !model || contains_nocase(line->price.name, model);
}

/* One of the lines or of the array's members; what stands before it depends on how many came. */
static void print_price(const struct command *c, const struct price_line *line, size_t shown,
                        struct buf *out)
{
    buf_clear(out);
    if (c->json) {
        write_line_json(out, line);
        printf("%s%.*s", shown > 0 ? ",\n" : "[", (int)out->len, (const char *)out->at);
        return;
    }
    if (shown == 0)
        printf("%-48s %s\n", "price", "USD per million tokens; request: USD per call");
    write_line_text(out, line);
    printf("%.*s\n", (int)out->len, (const char *)out->at);
}

static bool run_list(struct command *c, struct err *err)
{
    struct price_line line;
    struct buf out;
    int64_t at_ns;
    size_t shown = 0;

    if (!time_of(c, "at", clock_wall_ns(), &at_ns, err) || !load_own(c, err))
        return false;
    buf_init(&out, LINE_BYTES);
    for (size_t i = 0; prices_line(c->prices, i, at_ns, &line); i++)
        if (wanted(c, &line))
            print_price(c, &line, shown++, &out);
    buf_done(&out);
    if (c->json)
        puts(shown > 0 ? "]" : "[]");
    else if (shown == 0)
        (void)fprintf(stderr,
                      "no price fits: a provider is named as spans or the list have it, of a "
                      "model's name a part is enough\n");
    return true;
}

/* ---- unpriced ---- */

static void write_unpriced_json(struct buf *out, const struct unpriced *row)
{
    struct json j = json_into(out);

    json_open(&j, '{');
    json_key(&j, "provider");
    json_text(&j, row->provider);
    json_key(&j, "model");
    json_text(&j, row->model);
    json_key(&j, "calls");
    json_int(&j, row->calls);
    json_key(&j, "calls_without_usage");
    json_int(&j, row->calls_without_usage);
    json_key(&j, "calls_with_reported_cost");
    json_int(&j, row->calls_with_reported_cost);
    json_key(&j, "tokens");
    json_int(&j, row->tokens);
    json_key(&j, "first_start_time");
    write_date(&j, row->first_start_us * NS_PER_US);
    json_key(&j, "last_start_time");
    write_date(&j, row->last_start_us * NS_PER_US);
    json_close(&j, '}');
}

static void print_unpriced(const struct unpriced *row)
{
    printf("%-20.*s %-44.*s %12" PRId64 " %12" PRId64 " %12" PRId64 " %16" PRId64 "\n",
           (int)row->provider.len, (const char *)row->provider.at, (int)row->model.len,
           (const char *)row->model.at, row->calls, row->calls_without_usage,
           row->calls_with_reported_cost, row->tokens);
}

static bool run_unpriced(struct command *c, struct err *err)
{
    const int64_t now_ns = clock_wall_ns();
    struct unpriced *rows;
    struct buf out;
    size_t count;
    int64_t from_ns;
    int64_t to_ns;

    if (!time_of(c, "from", now_ns - UNPRICED_DAYS * S_PER_DAY * NS_PER_S, &from_ns, err) ||
        !time_of(c, "to", now_ns + S_PER_DAY * NS_PER_S, &to_ns, err))
        return false;
    if (from_ns >= to_ns)
        return err_set(err, ERR_BAD_INPUT, "--from is not before --to");
    if (!price_rows_unpriced(&c->db, from_ns, to_ns, UNPRICED_ROWS, &c->arena, &rows, &count, err))
        return false;
    buf_init(&out, LINE_BYTES);
    if (!c->json)
        printf("%-20s %-44s %12s %12s %12s %16s\n", "provider", "model", "calls", "no usage",
               "reported", "tokens");
    for (size_t i = 0; i < count; i++) {
        if (!c->json) {
            print_unpriced(&rows[i]);
            continue;
        }
        buf_clear(&out);
        write_unpriced_json(&out, &rows[i]);
        printf("%s%.*s", i > 0 ? ",\n" : "[", (int)out.len, (const char *)out.at);
    }
    buf_done(&out);
    if (c->json)
        puts(count > 0 ? "]" : "[]");
    return true;
}

/* ---- all ---- */

static const struct sub {
    const char *name;
    const char *title;
    bool wants_file;
    bool (*run)(struct command *c, struct err *err);
    const char *summary;
    const char *flags[6];
    const char *help;
} subs[] = {
    {"import",
     "prices import FILE",
     true,
     run_import,
     "Takes own prices from a CSV or JSON file (- for standard input), all of them or none.",
     {"source", "json!", NULL},
     "  --source TEXT    where the prices were taken from, for rows that do not say it ('own')\n"
     "  --json           the result as JSON\n\n"
     "FILE is CSV whose first line names the columns, or a JSON array of objects with these "
     "names:\n"
     "  model            as spans have it; wanted\n"
     "  provider         empty: any\n"
     "  effective_from   a date or RFC 3339; empty: always\n"
     "  input cache_read cache_write cache_write_1h output reasoning audio_input audio_output\n"
     "  audio_cache_read image image_output\n"
     "                   USD per million tokens, 2.5; empty: as its parent\n"
     "  request          USD for one call\n"
     "  above_tokens     a call with more input than this costs above_input, above_output, ...\n"
     "  tenant, source   for whom it is; where it was taken from\n\n"},
    {"list",
     "prices list",
     false,
     run_list,
     "Shows the prices that are in force, own ones first; USD per million tokens.",
     {"provider", "model", "at", "json!", NULL},
     "  --provider NAME  only of this provider\n"
     "  --model TEXT     only models with this text in their name\n"
     "  --at TIME        in force at this time instead of now\n"
     "  --json           as JSON\n\n" USAGE_TIME},
    {"unpriced",
     "prices unpriced",
     false,
     run_unpriced,
     "Shows calls whose cost is not known, by provider and model; the last 30 days.",
     {"from", "to", "json!", NULL},
     "  --from TIME      first start of a call; default: 30 days ago\n"
     "  --to TIME        end of the range, exclusive\n"
     "  --json           as JSON\n\n"
     "calls: billed ones that no price was found for; no usage: those of them that told no "
     "tokens,\n"
     "which no price helps; reported: those that told a cost, which counts; tokens: of all of "
     "them.\n\n" USAGE_TIME},
};

static const char *const settings[] = {"db", "data-dir", "pg-bin-dir", "config", NULL};

static bool run_on_database(const struct sub *sub, const struct cfg *cfg, struct command *c,
                            struct err *err)
{
    bool done =
        prices_embedded(&c->prices, err) && database_open(cfg, DATABASE_FIND, &c->database, err);

    arena_init(&c->arena, ARENA_BYTES);
    done = done && db_open(&c->db, c->database.conninfo, DB_ADMIN, 0, err) &&
           migrate_check(&c->db, err) && sub->run(c, err);
    if (c->db.conn)
        db_close(&c->db);
    arena_done(&c->arena);
    prices_unref(c->prices);
    database_close(&c->database);
    return done;
}

/* Moves the word at `at` to the end: flags may stand on both sides of the file. */
static void move_to_end(int argc, char *argv[], int at)
{
    char *word = argv[at];

    memmove(argv + at, argv + at + 1, (size_t)(argc - at - 1) * sizeof(*argv));
    argv[argc - 1] = word;
}

static int run_words(const struct sub *sub, int argc, char *argv[])
{
    struct command c = {.argc = argc, .argv = argv};
    struct cfg cfg;
    struct err err = {0};
    int rest = 0;
    enum usage usage = usage_load_own(&cfg, sub->title, sub->summary, sub->flags, sub->help,
                                      settings, argc, argv, &rest);

    if (usage == USAGE_GO_ON && sub->wants_file && rest < argc - 1) {
        cfg_done(&cfg);
        move_to_end(argc, argv, rest);
        usage = usage_load_own(&cfg, sub->title, sub->summary, sub->flags, sub->help, settings,
                               argc, argv, &rest);
    }
    if (usage != USAGE_GO_ON)
        return usage == USAGE_HELPED ? EXIT_DONE : EXIT_USAGE;
    if (rest != argc - (sub->wants_file ? 1 : 0)) {
        (void)fprintf(stderr, "usage: spanledger %s; see spanledger %s --help\n", sub->title,
                      sub->title);
        cfg_done(&cfg);
        return EXIT_USAGE;
    }
    c.file = sub->wants_file ? argv[rest] : NULL;
    c.argc = rest;
    c.json = usage_value(c.argc, c.argv, "json") != NULL;
    const bool done = run_on_database(sub, &cfg, &c, &err);
    cfg_done(&cfg);
    if (done)
        return EXIT_DONE;
    (void)fprintf(stderr, "spanledger prices: %s\n", err.text);
    return EXIT_FAILED;
}

static int run_sub(const struct sub *sub, int argc, char *const argv[])
{
    char **words = calloc((size_t)argc + 1, sizeof(*words));
    int code = EXIT_FAILED;

    if (words) {
        memcpy(words, argv, (size_t)argc * sizeof(*words));
        code = run_words(sub, argc, words);
    }
    free(words);
    return code;
}

int prices_command(int argc, char *const argv[])
{
    const char *name = argc > 0 ? argv[0] : "";

    for (size_t i = 0; i < sizeof(subs) / sizeof(subs[0]); i++)
        if (strcmp(name, subs[i].name) == 0)
            return run_sub(&subs[i], argc - 1, argv + 1);
    const bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (!help && name[0] != '\0')
        (void)fprintf(stderr, "spanledger prices: '%s' is no command\n\n", name);
    (void)fprintf(help ? stdout : stderr, "usage: spanledger prices import|list|unpriced\n\n");
    for (size_t i = 0; i < sizeof(subs) / sizeof(subs[0]); i++)
        (void)fprintf(help ? stdout : stderr, "  %-20s %s\n", subs[i].title, subs[i].summary);
    (void)fprintf(help ? stdout : stderr,
                  "\nspanledger prices import --help and so on list what each takes\n");
    return help ? EXIT_DONE : EXIT_USAGE;
}
