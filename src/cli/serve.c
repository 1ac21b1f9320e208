/* spanledger serve: starts everything in one order and stops it in reverse. */
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/usage.h"
#include "edge/app.h"
#include "ledger/cost.h"
#include "work/key_feed.h"
#include "work/upkeep.h"

struct running {
    struct database database;
    struct wire_server *server;
    struct price_feed *prices;
    struct key_feed *keys;
    struct ingest *ingest;
    struct read_pool *readers;
    struct upkeep *upkeep;
    struct app app;
    struct wire_handlers handlers;
};

/*
 * A signal that comes before the event loop takes them: the start goes on to where everything can be
 * stopped in order, so that no database is left behind. A second one ends the program at once.
 */
static volatile sig_atomic_t early_signal;

static void note_early_signal(int number)
{
    early_signal = number;
}

static void take_early_signals(void)
{
    struct sigaction action = {.sa_handler = note_early_signal,
                               .sa_flags = SA_RESTART | (int)SA_RESETHAND};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

static bool is_loopback(const char *address)
{
    const size_t numeric = strspn(address, "0123456789.");

    return (strncmp(address, "127.", 4) == 0 && address[numeric] == ':') ||
           strncmp(address, "localhost:", 10) == 0 || strncmp(address, "[::1]:", 6) == 0 ||
           strcmp(address, "off") == 0;
}

static bool asks_for_keys(const struct cfg *cfg)
{
    return strcmp(cfg->auth, "on") == 0;
}

/* Without keys everyone who reaches the port may read and write: loopback only, unless told otherwise. */
static bool check_auth(const struct cfg *cfg, struct err *err)
{
    const bool off = strcmp(cfg->auth, "off") == 0;
    const char *open = !is_loopback(cfg->listen)        ? cfg->listen
                       : !is_loopback(cfg->grpc_listen) ? cfg->grpc_listen
                                                        : NULL;

    if (asks_for_keys(cfg) || off)
        return true;
    if (strcmp(cfg->auth, "auto") != 0)
        return err_set(err, ERR_BAD_INPUT, "auth is '%s', want on, off or auto", cfg->auth);
    if (open && !strrchr(open, ':'))
        return err_set(err, ERR_BAD_INPUT, "'%s' is no address:port, such as 127.0.0.1:4318", open);
    if (open)
        return err_set(err, ERR_BAD_INPUT,
                       "'%s' can be reached from other machines: say --auth=on and make a key with "
                       "`spanledger key create --tenant default`, or --auth=off where everyone "
                       "who reaches it may read and write",
                       open);
    return true;
}

static bool start(struct running *r, const struct cfg *cfg, struct err *err)
{
    char engine[16];
    int applied = 0;
    const char *conninfo = r->database.conninfo;
    const char *conninfo_read = cfg->db_read[0] ? cfg->db_read : conninfo;

    r->app.cfg = cfg;
    r->handlers = app_handlers(&r->app);
    if (!database_open(cfg, DATABASE_SERVE, &r->database, err) ||
        !database_migrate(cfg, &r->database, &early_signal, &applied, engine, sizeof(engine),
                          err) ||
        !price_feed_start(conninfo, &r->prices, err) ||
        !ingest_start(cfg, conninfo, price_feed_slot(r->prices), &r->ingest, err) ||
        !read_pool_start(cfg, conninfo_read, &r->readers, err) ||
        !upkeep_start(conninfo, r->database.embedded, r->prices, &r->upkeep, err) ||
        (asks_for_keys(cfg) && !key_feed_start(conninfo, &r->keys, err)))
        return false;
    r->app.keys = r->keys;
    r->app.ingest = r->ingest;
    r->app.readers = r->readers;
    if (!wire_server_new(cfg, &r->handlers, &r->server, err))
        return false;
    log_event(LOG_INFO, "serve", "started",
              "version=" SPANLEDGER_VERSION " http=%s grpc=%s engine=%s database=%s migrations=%d",
              wire_server_address(r->server, 0), wire_server_address(r->server, 1), engine,
              r->database.embedded ? "embedded" : "external", applied);
    return true;
}

static void stop(struct running *r)
{
    /* Workers finish what was accepted while the server can still take their answers. */
    ingest_stop(r->ingest);
    read_pool_stop(r->readers);
    wire_server_free(r->server);
    key_feed_stop(r->keys);
    upkeep_stop(r->upkeep);
    price_feed_stop(r->prices);
    database_close(&r->database);
}

static void print_address(const struct cfg *cfg, const struct wire_server *server)
{
    const char *scheme = cfg->tls_cert[0] ? "https" : "http";

    printf("spanledger " SPANLEDGER_VERSION " is ready: %s://%s\n\n"
           "    export OTEL_EXPORTER_OTLP_ENDPOINT=%s://%s\n\n",
           scheme, wire_server_address(server, 0), scheme, wire_server_address(server, 0));
    if (asks_for_keys(cfg))
        printf("Every request wants a key: spanledger key create --tenant default\n"
               "    export OTEL_EXPORTER_OTLP_HEADERS=x-api-key=SECRET\n\n");
    if (wire_server_address(server, 1)[0])
        printf("OTLP/gRPC: %s\n", wire_server_address(server, 1));
    (void)fflush(stdout);
}

/* Words that are one of some; the numbers were checked when they were read. */
static bool check_words(const struct cfg *cfg, enum log_level *out_level, struct err *err)
{
    enum cost_preference preference;

    if (!log_level_named(cfg->log_level, out_level))
        return err_set(err, ERR_BAD_INPUT, "log-level is '%s', want error, warn, info or debug",
                       cfg->log_level);
    return cost_preference_named(cfg->cost_preference, &preference) ||
           err_set(err, ERR_BAD_INPUT, "cost-preference is '%s', want computed or reported",
                   cfg->cost_preference);
}

int serve_command(int argc, char *const argv[])
{
    struct running running = {0};
    struct cfg cfg;
    struct err err = {0};
    enum log_level level = LOG_INFO;
    bool done;
    const enum usage usage =
        usage_load(&cfg, "serve", "Receives spans, stores them and answers the API, until SIGTERM.",
                   /* settings= */ NULL, argc, argv);

    if (usage != USAGE_GO_ON)
        return usage == USAGE_HELPED ? EXIT_DONE : EXIT_USAGE;
    if (!check_words(&cfg, &level, &err)) {
        (void)fprintf(stderr, "spanledger serve: %s\n", err.text);
        cfg_done(&cfg);
        return EXIT_USAGE;
    }
    log_set_level(level);
    (void)signal(SIGPIPE, SIG_IGN);
    take_early_signals();
    done = check_auth(&cfg, &err) && start(&running, &cfg, &err);
    if (early_signal && (done || err.kind == ERR_UNAVAILABLE)) {
        done = true;
        log_event(LOG_INFO, "serve", "stopped while it started", "signal=%d", (int)early_signal);
    } else if (done) {
        print_address(&cfg, running.server);
        wire_server_run(running.server);
    } else {
        (void)fprintf(stderr, "spanledger serve: %s\n", err.text);
    }
    stop(&running);
    cfg_done(&cfg);
    return done ? EXIT_DONE : EXIT_FAILED;
}
