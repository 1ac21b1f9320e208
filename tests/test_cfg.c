/* Settings from file, environment and flags. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cfg.h"

#define MAX_WORDS 6

/* The file is a memfd: nothing is left on disk whatever a test does. */
static char file_path[64];
static int file_fd;

static void file_is(const char *text, size_t len)
{
    assert_int_equal(ftruncate(file_fd, 0), 0);
    assert_int_equal(pwrite(file_fd, text, len, 0), len);
}

static int words_count(const char *const words[])
{
    int count = 0;

    while (count < MAX_WORDS && words[count])
        count++;
    return count;
}

/* Loads the words and, when file is given, its path in SPANLEDGER_CONFIG. */
static bool load(struct cfg *cfg, const char *const words[], const char *file, int *out_rest,
                 struct err *err)
{
    static const char *const extra[] = {"older-than", "json!", NULL};
    char *argv[MAX_WORDS] = {NULL};
    const int count = words_count(words);
    bool ok;

    for (int i = 0; i < count; i++)
        argv[i] = strdup(words[i]);
    if (file) {
        file_is(file, strlen(file));
        setenv("SPANLEDGER_CONFIG", file_path, 1);
    }
    ok = cfg_load(cfg, count, argv, extra, out_rest, err);
    for (int i = 0; i < count; i++)
        free(argv[i]);
    return ok;
}

static int clean(void **state)
{
    static const char *const names[] = {
        "CONFIG",       "LISTEN", "INGEST_WORKERS",        "NONSENSE",
        "SERVICE_HOST", "PORT",   "DB_PORT_5432_TCP_ADDR", "DB"};
    static const char *const pg[] = {"PGHOST", "PGSERVICE", "PGDATABASE", "PGPORT", "PGUSER"};
    char name[64];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(name, sizeof(name), "SPANLEDGER_%s", names[i]);
        unsetenv(name);
    }
    for (size_t i = 0; i < sizeof(pg) / sizeof(pg[0]); i++)
        unsetenv(pg[i]);
    return 0;
}

static const struct taken {
    const char *why;
    const char *words[MAX_WORDS];
    const char *file;
    const char *variable; /* of SPANLEDGER_LISTEN */
    const char *listen;
    int64_t ingest_workers;
    int rest;
} taken[] = {
    {"nothing given: defaults", {NULL}, NULL, NULL, "127.0.0.1:4318", 3, 0},
    {"flag with its value behind", {"--listen", "a:1"}, NULL, NULL, "a:1", 3, 2},
    {"flag with '='", {"--listen=a:1"}, NULL, NULL, "a:1", 3, 1},
    {"value that holds '='", {"--listen=a=1"}, NULL, NULL, "a=1", 3, 1},
    {"value that looks like a flag", {"--listen", "--db"}, NULL, NULL, "--db", 3, 2},
    {"the later flag wins", {"--listen=a:1", "--listen=b:2"}, NULL, NULL, "b:2", 3, 2},
    {"empty text", {"--listen="}, NULL, NULL, "", 3, 1},
    {"number", {"--ingest-workers", "20"}, NULL, NULL, "127.0.0.1:4318", 20, 2},
    {"variable", {NULL}, NULL, "c:3", "c:3", 3, 0},
    {"flag before variable", {"--listen=a:1"}, NULL, "c:3", "a:1", 3, 1},
    {"variable before file", {NULL}, "listen = d:4", "c:3", "c:3", 3, 0},
    {"flag before file", {"--listen=a:1"}, "listen = d:4\n", NULL, "a:1", 3, 1},
    {"file", {NULL}, "listen = d:4\ningest-workers=7", NULL, "d:4", 7, 0},
    {"file: identifiers with '_'", {NULL}, "ingest_workers = 7\n", NULL, "127.0.0.1:4318", 7, 0},
    {"file: comments, empty lines, spaces, tabs, CRLF",
     {NULL},
     "# c\r\n\r\n \t\n  listen\t=  d:4 \t\r\n   # c\n",
     NULL,
     "d:4",
     3,
     0},
    {"file: '#' within a value", {NULL}, "listen = d#4", NULL, "d#4", 3, 0},
    {"ends at a word that is no flag",
     {"list", "--listen=a:1"},
     NULL,
     NULL,
     "127.0.0.1:4318",
     3,
     0},
    {"ends at a lone dash", {"--listen=a:1", "-"}, NULL, NULL, "a:1", 3, 1},
    {"-- is taken and ends", {"--listen=a:1", "--", "--x"}, NULL, NULL, "a:1", 3, 2},
    {"the command's own flag with value",
     {"--older-than", "--x", "w"},
     NULL,
     NULL,
     "127.0.0.1:4318",
     3,
     2},
    {"the command's own switch", {"--json", "--listen=a:1", "w"}, NULL, NULL, "a:1", 3, 2},
};

static void takes_file_then_environment_then_flags(void **state)
{
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        const struct taken *c = &taken[i];
        struct cfg cfg;
        struct err err = {0};
        int rest = -1;

        (void)clean(state);
        if (c->variable)
            setenv("SPANLEDGER_LISTEN", c->variable, 1);
        if (!load(&cfg, c->words, c->file, &rest, &err))
            fail_msg("%s: %s", c->why, err.text);
        if (strcmp(cfg.listen, c->listen) != 0 || cfg.ingest_workers != c->ingest_workers ||
            rest != c->rest)
            fail_msg("%s: listen '%s', workers %d, rest %d", c->why, cfg.listen,
                     (int)cfg.ingest_workers, rest);
        cfg_done(&cfg);
    }
}

static const struct refused {
    const char *why;
    const char *words[MAX_WORDS];
    const char *file;
    const char *variable; /* NAME, a value of "x" */
    const char *text;     /* part of the message */
} refused[] = {
    {"unknown flag", {"--listn", "a:1"}, NULL, NULL, "flag '--listn'"},
    {"unknown flag: its value, perhaps a secret, is not repeated",
     {"--pass=hunter2"},
     NULL,
     NULL,
     "flag '--pass' is"},
    {"one dash", {"-listen", "a:1"}, NULL, NULL, "flag '-listen'"},
    {"flag spelt as an identifier", {"--ingest_workers=2"}, NULL, NULL, "'--ingest_workers'"},
    {"flag in capitals", {"--LISTEN=a:1"}, NULL, NULL, "'--LISTEN'"},
    {"beginning of a name", {"--list=a:1"}, NULL, NULL, "'--list'"},
    {"empty name", {"--=a"}, NULL, NULL, "'--'"},
    {"value missing", {"--listen"}, NULL, NULL, "flag --listen wants a value"},
    {"value of the command's own flag missing", {"--older-than"}, NULL, NULL, "wants a value"},
    {"switch with a value", {"--json=yes"}, NULL, NULL, "takes no value"},
    {"number below its minimum", {"--ingest-workers=0"}, NULL, NULL, "'0' is no number from 1 to"},
    {"number above its maximum", {"--ingest-workers=21"}, NULL, NULL, "from 1 to 20"},
    {"negative number", {"--ingest-workers=-1"}, NULL, NULL, "flag --ingest-workers: '-1'"},
    {"empty number", {"--ingest-workers="}, NULL, NULL, "''"},
    {"number with a unit", {"--ingest-workers=2k"}, NULL, NULL, "'2k'"},
    {"number with a space", {"--ingest-workers", " 2"}, NULL, NULL, "' 2'"},
    {"hexadecimal", {"--ingest-workers=0x2"}, NULL, NULL, "'0x2'"},
    {"beyond 64 bits", {"--ingest-workers=18446744073709551618"}, NULL, NULL, "no number"},
    {"unknown variable", {NULL}, NULL, "NONSENSE", "variable 'SPANLEDGER_NONSENSE'"},
    {"bad number in a variable", {NULL}, NULL, "INGEST_WORKERS", "variable SPANLEDGER_INGEST_"},
    {"a value that a flag covers is still checked",
     {"--ingest-workers=2"},
     NULL,
     "INGEST_WORKERS",
     "variable SPANLEDGER_INGEST_"},
    {"file: unknown name",
     {NULL},
     "listen = a:1\n\nlistn = a:1",
     NULL,
     ":3: 'listn' is no setting"},
    {"file: no '='", {NULL}, "\nlisten a:1\n", NULL, ":2: the line is no 'key = value'"},
    {"file: no name", {NULL}, "= a:1", NULL, ":1: ''"},
    {"file: name in capitals", {NULL}, "LISTEN = a:1", NULL, "'LISTEN'"},
    {"file: bad number", {NULL}, "# c\ningest-workers = many", NULL, ":2: ingest-workers: 'many'"},
    {"file: no value for a number", {NULL}, "ingest-workers =", NULL, ":1: ingest-workers: ''"},
    {"file: name repeats", {NULL}, "listen=a:1\nlisten=b:2", NULL, ":2: 'listen' stands in line 1"},
    {"file: names another file", {NULL}, "config = x", NULL, "cannot name another"},
    {"no such file", {"--config=/nonexistent/f"}, NULL, NULL, "/nonexistent/f: cannot be opened"},
    {"a directory", {"--config", "/"}, NULL, NULL, "/: cannot be read"},
};

static void refuses_with_the_source_and_leaves_output_alone(void **state)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const struct refused *c = &refused[i];
        struct cfg cfg = {.ingest_workers = 77};
        struct err err = {0};
        char name[64];
        int rest = 77;

        (void)clean(state);
        if (c->variable) {
            (void)snprintf(name, sizeof(name), "SPANLEDGER_%s", c->variable);
            setenv(name, "x", 1);
        }
        if (load(&cfg, c->words, c->file, &rest, &err))
            fail_msg("%s: accepted", c->why);
        if (err.kind != ERR_BAD_INPUT || !strstr(err.text, c->text) || strstr(err.text, "hunter2"))
            fail_msg("%s: kind %d \"%s\"", c->why, (int)err.kind, err.text);
        if (cfg.ingest_workers != 77 || cfg.texts.at || rest != 77)
            fail_msg("%s: output was touched", c->why);
    }
}

static void refuses_a_nul_and_a_file_without_end(void **state)
{
    static const char nul[] = "listen = a\0b\n";
    const char *const words[MAX_WORDS] = {"--config", file_path};
    struct cfg cfg;
    struct err err = {0};
    int rest;

    (void)state;
    file_is(nul, sizeof(nul) - 1);
    assert_false(load(&cfg, words, NULL, &rest, &err));
    assert_non_null(strstr(err.text, "NUL"));

    const char *const zero[MAX_WORDS] = {"--config=/dev/zero"};
    assert_false(load(&cfg, zero, NULL, &rest, &err));
    assert_non_null(strstr(err.text, "no settings file"));
}

static void ignores_variables_that_kubernetes_makes_for_a_service(void **state)
{
    const char *const words[MAX_WORDS] = {NULL};
    struct cfg cfg;
    struct err err = {0};
    int rest;

    (void)state;
    setenv("SPANLEDGER_SERVICE_HOST", "10.0.0.1", 1);
    setenv("SPANLEDGER_PORT", "tcp://10.0.0.1:4318", 1);
    setenv("SPANLEDGER_DB_PORT_5432_TCP_ADDR", "10.0.0.2", 1);
    if (!load(&cfg, words, NULL, &rest, &err))
        fail_msg("%s", err.text);
    cfg_done(&cfg);
    /* The same name written by a person is a mistake: there is no setting 'port'. */
    setenv("SPANLEDGER_PORT", "4318", 1);
    assert_false(load(&cfg, words, NULL, &rest, &err));
}

static void sees_the_variables_of_libpq_only_without_db(void **state)
{
    const char *const none[MAX_WORDS] = {NULL};
    const char *const db[MAX_WORDS] = {"--db=host=x"};
    struct cfg cfg;
    struct err err = {0};
    int rest;

    (void)state;
    assert_true(load(&cfg, none, NULL, &rest, &err));
    assert_false(cfg.db_from_environment);
    cfg_done(&cfg);
    setenv("PGHOST", "", 1);
    assert_true(load(&cfg, none, NULL, &rest, &err));
    assert_false(cfg.db_from_environment);
    cfg_done(&cfg);
    setenv("PGSERVICE", "spans", 1);
    assert_true(load(&cfg, none, NULL, &rest, &err));
    assert_true(cfg.db_from_environment);
    cfg_done(&cfg);
    assert_true(load(&cfg, db, NULL, &rest, &err));
    assert_false(cfg.db_from_environment);
    assert_string_equal(cfg.db, "host=x");
    cfg_done(&cfg);
}

static void keeps_texts_when_their_buffer_moves(void **state)
{
    char file[9000];
    const char *const words[MAX_WORDS] = {"--listen=a:1", "--db=b"};
    struct cfg cfg;
    struct err err = {0};
    int rest;

    (void)state;
    (void)snprintf(file, sizeof(file), "data-dir = %08000d\n", 1);
    assert_true(load(&cfg, words, file, &rest, &err));
    assert_string_equal(cfg.listen, "a:1");
    assert_string_equal(cfg.db, "b");
    assert_int_equal(strlen(cfg.data_dir), 8000);
    assert_string_equal(cfg.config, file_path);
    cfg_done(&cfg);
}

/* A default outside its own range could be neither written out nor given. */
static void every_default_is_within_its_range(void **state)
{
    (void)state;
#define CFG_TEXT(id, fallback, help) assert_non_null(help);
#define CFG_NUMBER(id, fallback, min, max, help)                                                   \
    if ((fallback) < (min) || (fallback) > (max) || (min) < 0)                                     \
        fail_msg("default of " #id);
#include "base/cfg.def"
#undef CFG_TEXT
#undef CFG_NUMBER
}

static void help_and_markdown_name_every_setting(void **state)
{
    struct buf help;
    struct buf table;

    (void)state;
    buf_init(&help, 1 << 20);
    buf_init(&table, 1 << 20);
    cfg_help(&help, NULL);
    cfg_markdown(&table);
    buf_add_byte(&help, '\0');
    buf_add_byte(&table, '\0');
    assert_true(buf_ok(&help) && buf_ok(&table));
    assert_non_null(strstr((char *)help.at, "  --ingest-workers N\n"));
    assert_non_null(strstr((char *)help.at, "default 3, from 1 to 20\n"));
    assert_non_null(strstr((char *)help.at, "default 127.0.0.1:4318\n"));
    assert_non_null(strstr((char *)table.at, "| `--ingest-workers` | `3` | 1 to 20 | threads"));
    assert_non_null(strstr((char *)table.at, "| `--db` |  | | libpq"));
    buf_clear(&help);
    cfg_help(&help, (const char *const[]){"data-dir", NULL});
    buf_add_byte(&help, '\0');
    assert_non_null(strstr((char *)help.at, "  --data-dir TEXT\n"));
    assert_null(strstr((char *)help.at, "  --db"));
    assert_null(strstr((char *)help.at, "  --ingest-workers"));
    buf_done(&help);
    buf_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(takes_file_then_environment_then_flags, clean),
        cmocka_unit_test_setup(refuses_with_the_source_and_leaves_output_alone, clean),
        cmocka_unit_test_setup(refuses_a_nul_and_a_file_without_end, clean),
        cmocka_unit_test_setup(ignores_variables_that_kubernetes_makes_for_a_service, clean),
        cmocka_unit_test_setup(sees_the_variables_of_libpq_only_without_db, clean),
        cmocka_unit_test_setup(keeps_texts_when_their_buffer_moves, clean),
        cmocka_unit_test(every_default_is_within_its_range),
        cmocka_unit_test(help_and_markdown_name_every_setting),
    };

    file_fd = memfd_create("cfg", MFD_CLOEXEC);
    (void)snprintf(file_path, sizeof(file_path), "/proc/self/fd/%d", file_fd);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
