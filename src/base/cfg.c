/* Settings: one table from cfg.def; a file, the environment and the command line fill it. */
#include "base/cfg.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define FILE_MAX_BYTES ((size_t)1024 * 1024) /* a wrong path, such as a database dump, ends early */
#define TEXTS_MAX_BYTES (2 * FILE_MAX_BYTES)
#define NAME_BYTES 64
#define QUOTE_BYTES 65
#define SOURCE_BYTES 128

enum row_id {
#define CFG_TEXT(id, fallback, help) ROW_##id,
#define CFG_NUMBER(id, fallback, min, max, help) ROW_##id,
#include "base/cfg.def"
#undef CFG_TEXT
#undef CFG_NUMBER
    ROW_MAX
};

struct row {
    const char *id;
    const char *text; /* default of a text; NULL: a number */
    int64_t number;
    int64_t min;
    int64_t max;
    size_t offset; /* in struct cfg */
    const char *help;
};

static const struct row rows[ROW_MAX] = {
#define CFG_TEXT(id, fallback, help) {#id, fallback, 0, 0, 0, offsetof(struct cfg, id), help},
#define CFG_NUMBER(id, fallback, min, max, help)                                                   \
    {#id, NULL, fallback, min, max, offsetof(struct cfg, id), help},
#include "base/cfg.def"
#undef CFG_TEXT
#undef CFG_NUMBER
};

/* A greater rank wins, in whatever order the sources are read: the file is read last because its
 * path may come from the two others. */
enum rank { RANK_DEFAULT, RANK_FILE, RANK_ENVIRONMENT, RANK_FLAG };

struct setting {
    enum rank rank;
    size_t text_at; /* in loader.texts: an offset, because that buffer moves while it grows */
    int64_t number;
    unsigned line; /* of the file that gave it; 0: it did not */
};

struct loader {
    struct setting settings[ROW_MAX];
    struct buf texts;
};

/* Whether name is the row's identifier, '-' and '_' being the same and case ignored where the
 * source says so (environment). */
static bool row_has_name(const struct row *row, struct bytes name, bool upper)
{
    if (name.len != strlen(row->id))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char want = row->id[i];

        if (upper && want >= 'a' && want <= 'z')
            want = (char)(want - 'a' + 'A');
        if ((char)name.at[i] != want && !(!upper && want == '_' && name.at[i] == '-'))
            return false;
    }
    return true;
}

static int row_find(struct bytes name, bool upper)
{
    for (int i = 0; i < ROW_MAX; i++)
        if (row_has_name(&rows[i], name, upper))
            return i;
    return -1;
}

static bool number_fits(const struct row *row, struct bytes value, int64_t *out_number)
{
    int64_t number;

    if (!text_int64(value, &number) || number < row->min || number > row->max)
        return false;
    *out_number = number;
    return true;
}

/* Takes one value. source is what the message starts with: file and line, variable, flag. */
static bool setting_take(struct loader *loader, int id, enum rank rank, struct bytes value,
                         const char *source, struct err *err)
{
    struct setting *setting = &loader->settings[id];
    const struct row *row = &rows[id];
    char quoted[QUOTE_BYTES];
    int64_t number = 0;

    if (!row->text && !number_fits(row, value, &number))
        return err_set(err, ERR_BAD_INPUT, "%s: '%s' is no number from %" PRId64 " to %" PRId64,
                       source, text_quote(value, quoted, sizeof(quoted)), row->min, row->max);
    if (value.len > 0 && memchr(value.at, '\0', value.len))
        return err_set(err, ERR_BAD_INPUT, "%s: the value holds a NUL byte", source);
    if (rank < setting->rank)
        return true;
    if (row->text) {
        setting->text_at = loader->texts.len;
        buf_add_bytes(&loader->texts, value);
        buf_add_byte(&loader->texts, '\0');
        if (!buf_ok(&loader->texts))
            return err_set(err, ERR_BAD_INPUT, "%s: all texts together pass %zu bytes", source,
                           TEXTS_MAX_BYTES);
    }
    setting->number = number;
    setting->rank = rank;
    return true;
}

/* ---- flags ---- */

enum extra_kind { EXTRA_NONE, EXTRA_SWITCH, EXTRA_VALUE };

static enum extra_kind extra_find(const char *const extra[], struct bytes name)
{
    for (size_t i = 0; extra && extra[i]; i++) {
        const struct bytes known = bytes_of(extra[i]);
        const bool is_switch = known.len > 0 && known.at[known.len - 1] == '!';

        if (bytes_equal(name, (struct bytes){known.at, known.len - is_switch}))
            return is_switch ? EXTRA_SWITCH : EXTRA_VALUE;
    }
    return EXTRA_NONE;
}

/* Reads the flag at argv[*at] with its value and steps behind both. */
static bool flag_read(struct loader *loader, int argc, char *const argv[],
                      const char *const extra[], int *at, struct err *err)
{
    const char *word = argv[*at];
    const char *equals = strchr(word, '=');
    const size_t dashes = strncmp(word, "--", 2) == 0 ? 2 : 1;
    const size_t word_len = equals ? (size_t)(equals - word) : strlen(word);
    const struct bytes name = {(const uint8_t *)word + dashes, word_len - dashes};
    const enum extra_kind kind = extra_find(extra, name);
    /* '_' is for identifiers: a flag has one spelling. */
    const bool spelt = dashes == 2 && !memchr(name.at, '_', name.len);
    const int id = spelt && kind == EXTRA_NONE ? row_find(name, false) : -1;
    char quoted[QUOTE_BYTES];
    char source[SOURCE_BYTES];
    const char *value = equals ? equals + 1 : NULL;

    (void)text_quote((struct bytes){(const uint8_t *)word, word_len}, quoted, sizeof(quoted));
    if (id < 0 && kind == EXTRA_NONE)
        return err_set(err, ERR_BAD_INPUT, "flag '%s' is not known here; --help lists them",
                       quoted);
    if (kind == EXTRA_SWITCH && value)
        return err_set(err, ERR_BAD_INPUT, "flag %s takes no value", quoted);
    *at += 1;
    if (kind == EXTRA_SWITCH)
        return true;
    if (!value && *at < argc)
        value = argv[(*at)++];
    if (!value)
        return err_set(err, ERR_BAD_INPUT, "flag %s wants a value behind it", quoted);
    if (kind == EXTRA_VALUE)
        return true;
    (void)snprintf(source, sizeof(source), "flag %s", quoted);
    return setting_take(loader, id, RANK_FLAG, bytes_of(value), source, err);
}

static bool flags_read(struct loader *loader, int argc, char *const argv[],
                       const char *const extra[], int *out_rest, struct err *err)
{
    int at = 0;

    while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0') {
        if (strcmp(argv[at], "--") == 0) {
            at++;
            break;
        }
        if (!flag_read(loader, argc, argv, extra, &at, err))
            return false;
    }
    *out_rest = at < argc ? at : argc;
    return true;
}

/* ---- environment ---- */

#define ENV_PREFIX "SPANLEDGER_"

/* Kubernetes and Docker's links put variables such as SPANLEDGER_SERVICE_HOST,
 * SPANLEDGER_PORT=tcp://… and SPANLEDGER_DB_PORT_5432_TCP_ADDR into every container beside a
 * service of that name: nobody wrote them, so they are no mistake. */
static bool env_is_service_link(struct bytes name, const char *value)
{
    const char *text = (const char *)name.at;
    const char *port = memmem(text, name.len, "_PORT", 5);

    if (memmem(text, name.len, "_SERVICE_HOST", 13) || memmem(text, name.len, "_SERVICE_PORT", 13))
        return true;
    return port && ((port[5] == '_' && port[6] >= '0' && port[6] <= '9') ||
                    strncmp(value, "tcp://", 6) == 0 || strncmp(value, "udp://", 6) == 0);
}

static bool env_read(struct loader *loader, struct err *err)
{
    const size_t prefix = strlen(ENV_PREFIX);

    for (char **at = environ; at && *at; at++) {
        const char *equals = strchr(*at, '=');
        char quoted[QUOTE_BYTES];
        char source[SOURCE_BYTES];
        struct bytes name;
        int id;

        if (!equals || strncmp(*at, ENV_PREFIX, prefix) != 0)
            continue;
        name = (struct bytes){(const uint8_t *)*at, (size_t)(equals - *at)};
        (void)text_quote(name, quoted, sizeof(quoted));
        id = row_find((struct bytes){name.at + prefix, name.len - prefix}, true);
        if (id < 0 && env_is_service_link(name, equals + 1))
            continue;
        if (id < 0)
            return err_set(err, ERR_BAD_INPUT, "variable '%s' is not known; --help lists them",
                           quoted);
        (void)snprintf(source, sizeof(source), "variable %s", quoted);
        if (!setting_take(loader, id, RANK_ENVIRONMENT, bytes_of(equals + 1), source, err))
            return false;
    }
    return true;
}

/* ---- file ---- */

static struct bytes trim(struct bytes text)
{
    while (text.len > 0 && strchr(" \t\r", text.at[0]) && text.at[0]) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && strchr(" \t\r", text.at[text.len - 1]) && text.at[text.len - 1])
        text.len--;
    return text;
}

static bool line_read(struct loader *loader, struct bytes line, unsigned number, const char *path,
                      struct err *err)
{
    const uint8_t *equals;
    struct bytes name;
    struct bytes value;
    char quoted[QUOTE_BYTES];
    char source[SOURCE_BYTES];
    int id;

    line = trim(line);
    if (line.len == 0 || line.at[0] == '#')
        return true;
    (void)snprintf(source, sizeof(source), "%s:%u", path, number);
    equals = memchr(line.at, '=', line.len);
    if (!equals)
        return err_set(err, ERR_BAD_INPUT, "%s: the line is no 'key = value'", source);
    name = trim((struct bytes){line.at, (size_t)(equals - line.at)});
    value = trim((struct bytes){equals + 1, line.len - (size_t)(equals - line.at) - 1});
    (void)text_quote(name, quoted, sizeof(quoted));
    id = row_find(name, false);
    if (id < 0)
        return err_set(err, ERR_BAD_INPUT, "%s: '%s' is no setting; --help lists them", source,
                       quoted);
    if (id == ROW_config)
        return err_set(err, ERR_BAD_INPUT, "%s: a file cannot name another one", source);
    if (loader->settings[id].line > 0)
        return err_set(err, ERR_BAD_INPUT, "%s: '%s' stands in line %u already", source, quoted,
                       loader->settings[id].line);
    loader->settings[id].line = number;
    (void)snprintf(source, sizeof(source), "%s:%u: %s", path, number, quoted);
    return setting_take(loader, id, RANK_FILE, value, source, err);
}

static bool lines_read(struct loader *loader, struct bytes text, const char *path, struct err *err)
{
    unsigned number = 0;

    while (text.len > 0) {
        const uint8_t *end = memchr(text.at, '\n', text.len);
        const size_t len = end ? (size_t)(end - text.at) : text.len;
        const size_t step = end ? len + 1 : len;

        if (!line_read(loader, (struct bytes){text.at, len}, ++number, path, err))
            return false;
        text.at += step;
        text.len -= step;
    }
    return true;
}

static void close_clearp(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bool file_bytes(const char *path, struct buf *text, struct err *err)
{
    __attribute__((cleanup(close_clearp))) const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return err_set(err, ERR_BAD_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    do {
        if (!buf_need(text, 4096))
            return err_set(err, ERR_BAD_INPUT, "%s: more than %zu bytes is no settings file", path,
                           FILE_MAX_BYTES);
        got = read(fd, text->at + text->len, 4096);
        if (got > 0)
            text->len += (size_t)got;
    } while (got > 0);
    if (got < 0)
        return err_set(err, ERR_BAD_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    return true;
}

static bool file_read(struct loader *loader, const char *path, struct err *err)
{
    __attribute__((cleanup(buf_done))) struct buf text = {.max = FILE_MAX_BYTES};
    char shown[QUOTE_BYTES];

    if (!file_bytes(path, &text, err))
        return false;
    return lines_read(loader, buf_bytes(&text), text_quote(bytes_of(path), shown, sizeof(shown)),
                      err);
}

/* ---- all together ---- */

static bool sources_read(struct loader *loader, int argc, char *const argv[],
                         const char *const extra[], int *out_rest, struct err *err)
{
    const struct setting *config = &loader->settings[ROW_config];
    char *path;
    bool ok;

    if (!flags_read(loader, argc, argv, extra, out_rest, err) || !env_read(loader, err))
        return false;
    if (config->rank == RANK_DEFAULT || loader->texts.at[config->text_at] == '\0')
        return true;
    /* The path stands in a buffer that moves while the file fills it. */
    path = strdup((const char *)loader->texts.at + config->text_at);
    if (!path)
        return err_set(err, ERR_UNAVAILABLE, "no memory for the settings");
    ok = file_read(loader, path, err);
    free(path);
    return ok;
}

static bool pg_variables_set(void)
{
    static const char *const names[] = {"PGHOST", "PGSERVICE", "PGDATABASE", "PGPORT", "PGUSER"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value && value[0] != '\0')
            return true;
    }
    return false;
}

static void cfg_fill(struct cfg *cfg, const struct loader *loader)
{
    for (int i = 0; i < ROW_MAX; i++) {
        const struct setting *setting = &loader->settings[i];
        char *field = (char *)cfg + rows[i].offset;

        if (rows[i].text) {
            const char *text = setting->rank == RANK_DEFAULT
                                   ? rows[i].text
                                   : (const char *)loader->texts.at + setting->text_at;
            memcpy(field, &text, sizeof(text));
        } else {
            const int64_t number = setting->rank == RANK_DEFAULT ? rows[i].number : setting->number;
            memcpy(field, &number, sizeof(number));
        }
    }
    cfg->texts = loader->texts;
    cfg->db_from_environment = cfg->db[0] == '\0' && pg_variables_set();
}

bool cfg_load(struct cfg *cfg, int argc, char *const argv[], const char *const extra[],
              int *out_rest, struct err *err)
{
    struct loader loader = {0};
    int rest;

    buf_init(&loader.texts, TEXTS_MAX_BYTES);
    if (!sources_read(&loader, argc, argv, extra, &rest, err)) {
        buf_done(&loader.texts);
        return false;
    }
    cfg_fill(cfg, &loader);
    *out_rest = rest;
    return true;
}

void cfg_done(struct cfg *cfg)
{
    buf_done(&cfg->texts);
}

/* ---- as text ---- */

static const char *flag_name(const struct row *row, char to[NAME_BYTES])
{
    size_t i = 0;

    for (; i < NAME_BYTES - 1 && row->id[i] != '\0'; i++) {
        to[i] = row->id[i];
        if (to[i] == '_')
            to[i] = '-';
    }
    to[i] = '\0';
    return to;
}

static bool is_among(const char *name, const char *const only[])
{
    for (; *only; only++)
        if (strcmp(name, *only) == 0)
            return true;
    return false;
}

void cfg_help(struct buf *out, const char *const only[])
{
    char name[NAME_BYTES];

    for (int i = 0; i < ROW_MAX; i++) {
        const struct row *row = &rows[i];

        if (only && !is_among(flag_name(row, name), only))
            continue;
        buf_printf(out, "  --%s %s\n        %s\n", flag_name(row, name), row->text ? "TEXT" : "N",
                   row->help);
        if (!row->text)
            buf_printf(out, "        default %" PRId64 ", from %" PRId64 " to %" PRId64 "\n",
                       row->number, row->min, row->max);
        else if (row->text[0] != '\0')
            buf_printf(out, "        default %s\n", row->text);
    }
    buf_add_text(out, "\nEach is also a variable (SPANLEDGER_LISTEN for --listen) and a line of the"
                      "\n--config file (listen = …). Flags win over variables, variables over the"
                      " file.\n");
}

void cfg_markdown(struct buf *out)
{
    char name[NAME_BYTES];

    buf_add_text(out, "| flag | default | range | meaning |\n| --- | --- | --- | --- |\n");
    for (int i = 0; i < ROW_MAX; i++) {
        const struct row *row = &rows[i];

        buf_printf(out, "| `--%s` | ", flag_name(row, name));
        if (!row->text)
            buf_printf(out, "`%" PRId64 "` | %" PRId64 " to %" PRId64, row->number, row->min,
                       row->max);
        else if (row->text[0] != '\0')
            buf_printf(out, "`%s` |", row->text);
        else
            buf_add_text(out, " |");
        buf_printf(out, " | %s |\n", row->help);
    }
}
