/* Tenants and keys: two real servers on one database, two tenants, every way of sending a key. */
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/db.h"
#include "support/client.h"
#include "support/cluster.h"
#include "support/h2client.h"
#include "support/program.h"
#include "support/server.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define TRACE "5b8efff798038103d269b633813fc60c"
#define JSON_TYPE "content-type: application/json\r\n"

struct key {
    char id[64];
    char public[80];
    char secret[120];
    char header[200]; /* x-api-key: SECRET */
};

static struct cluster *cluster;
static char conninfo[CLUSTER_CONNINFO_BYTES];
static struct server servers[2];
static struct program program;
static struct reply reply;
static struct db db;
static struct key acme, globex, ingest_only, read_only, admin_only;

static int run(const char *command, const char *sub, const char *word, const char *flag,
               const char *value, const char *more)
{
    const char *words[12] = {command, sub, "--db", conninfo, "--json"};
    size_t at = 5;

    if (flag) {
        words[at++] = flag;
        words[at++] = value;
    }
    if (more)
        words[at++] = more;
    if (word)
        words[at++] = word;
    return program_run(&program, words);
}

static void make_key(struct key *key, const char *tenant, const char *more)
{
    if (run("key", "create", NULL, "--tenant", tenant, more) != 0)
        fail_msg("%s", program.errors);
    program_member(&program, "id", key->id, sizeof(key->id));
    program_member(&program, "public", key->public, sizeof(key->public));
    program_member(&program, "secret", key->secret, sizeof(key->secret));
    (void)snprintf(key->header, sizeof(key->header), "x-api-key: %s\r\n", key->secret);
}

static int64_t number(const char *sql)
{
    DB_RESULT result = PQexec(db.conn, sql);
    int64_t value = -1;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(db.conn));
    assert_true(text_int64(bytes_of(PQgetvalue(result, 0, 0)), &value));
    return value;
}

/* A call of a model, with a response id of its caller's choice. */
static int span_json(char *to, size_t to_bytes, const char *trace, const char *name,
                     const char *response)
{
    return snprintf(to, to_bytes,
                    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
                    "\"value\":{\"stringValue\":\"%s\"}}]},\"scopeSpans\":[{\"spans\":[{"
                    "\"traceId\":\"%s\",\"spanId\":\"eee19b7ec3c1b174\",\"name\":\"%s\","
                    "\"startTimeUnixNano\":\"%lld\",\"endTimeUnixNano\":\"%lld\",\"attributes\":["
                    "{\"key\":\"gen_ai.operation.name\",\"value\":{\"stringValue\":\"chat\"}},"
                    "{\"key\":\"gen_ai.request.model\",\"value\":{\"stringValue\":\"gpt-4o\"}},"
                    "{\"key\":\"gen_ai.provider.name\",\"value\":{\"stringValue\":\"openai\"}},"
                    "{\"key\":\"gen_ai.response.id\",\"value\":{\"stringValue\":\"%s\"}},"
                    "{\"key\":\"session.id\",\"value\":{\"stringValue\":\"s-%s\"}},"
                    "{\"key\":\"gen_ai.usage.input_tokens\",\"value\":{\"intValue\":\"10\"}},"
                    "{\"key\":\"gen_ai.usage.output_tokens\",\"value\":{\"intValue\":\"5\"}}]}]}]}]"
                    "}",
                    name, trace, name, (long long)clock_wall_ns(),
                    (long long)clock_wall_ns() + 1000, response, name);
}

static int call(const struct server *server, const char *method, const char *path,
                const char *headers, struct bytes body)
{
    http_call(server->http_port, method, path, headers, body, &reply);
    buf_add_byte(&reply.body, '\0'); /* for strstr */
    reply.body.len--;
    return reply.status;
}

static int get(const struct server *server, const char *path, const struct key *key)
{
    return call(server, "GET", path, key ? key->header : "", (struct bytes){0});
}

static int export(const struct server *server, const char *headers, const char *body)
{
    char all[12000];

    (void)snprintf(all, sizeof(all), JSON_TYPE "%s", headers);
    return call(server, "POST", "/v1/traces", all, bytes_of(body));
}

static bool body_has(const char *part)
{
    return reply.body.len > 0 && strstr((const char *)reply.body.at, part);
}

static int start(void **state)
{
    static const char *const more[] = {"--auth", "on"};
    struct err err = {0};

    (void)state;
    reply_init(&reply);
    cluster = cluster_start(NULL);
    if (!cluster)
        return -1;
    cluster_new_database(cluster, conninfo);
    for (size_t i = 0; i < 2; i++) {
        static const char *flags[2][12];

        flags[i][0] = "--db";
        flags[i][1] = conninfo;
        flags[i][2] = more[0];
        flags[i][3] = more[1];
        /* The second one gathers batches: one worker, slow commits. */
        flags[i][4] = i == 1 ? "--ingest-workers=1" : NULL;
        flags[i][5] = i == 1 ? "--test-commit-delay-ms=400" : NULL;
        if (!server_up(&servers[i], flags[i]))
            return -1;
    }
    if (!db_open(&db, conninfo, DB_ADMIN, 0, &err) ||
        run("tenant", "create", "acme", NULL, NULL, NULL) != 0 ||
        run("tenant", "create", "globex", NULL, NULL, NULL) != 0)
        return -1;
    make_key(&acme, "acme", "--project=shop");
    make_key(&globex, "globex", NULL);
    make_key(&ingest_only, "acme", "--scopes=ingest");
    make_key(&read_only, "acme", "--scopes=read");
    make_key(&admin_only, "default", "--scopes=admin");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    db_close(&db);
    for (size_t i = 0; i < 2; i++)
        server_remove(&servers[i]);
    cluster_stop(cluster);
    reply_done(&reply);
    return 0;
}

/* SEC-23 */
static void only_health_and_readiness_are_open_without_a_key(void **state)
{
    static const struct {
        const char *method;
        const char *path;
        int status;
        const char *part;
    } cases[] = {
        {"GET", "/healthz", 200, "ok"},
        {"GET", "/readyz", 200, "ready"},
        {"GET", "/", 401, "{\"error\":{\"code\":\"unauthenticated\""},
        {"GET", "/metrics", 401, "{\"error\""},
        {"GET", "/api/v1/openapi.yaml", 401, "{\"error\""},
        {"GET", "/api/v1/traces", 401, "{\"error\""},
        {"GET", "/api/v1/traces/" TRACE, 401, "{\"error\""},
        {"GET", "/api/v1/spans/" TRACE "/eee19b7ec3c1b174", 401, "{\"error\""},
        {"GET", "/api/v1/services", 401, "{\"error\""},
        {"GET", "/api/v1/sessions", 401, "{\"error\""},
        {"GET", "/api/v1/sessions/s", 401, "{\"error\""},
        {"GET", "/api/v1/users", 401, "{\"error\""},
        {"GET", "/api/v1/models", 401, "{\"error\""},
        {"GET", "/api/v1/nothing", 401, "{\"error\""},
        {"GET", "/v1/nothing", 401, "{\"code\":16,"},
        {"POST", "/v1/traces", 401, "{\"code\":16,"},
        {"POST", "/v1/logs", 401, "{\"code\":16,"},
        {"POST", "/api/public/otel/v1/traces", 401, "{\"code\":16,"},
        {"POST", "/otel", 401, "{\"code\":16,"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const bool post = cases[i].method[0] == 'P';

        (void)call(&servers[0], cases[i].method, cases[i].path, post ? JSON_TYPE : "",
                   post ? BYTES_LITERAL("{}") : (struct bytes){0});
        if (reply.status != cases[i].status || !body_has(cases[i].part) ||
            (reply.status == 401) !=
                reply_header_is(&reply, "www-authenticate", "Bearer realm=\"spanledger\""))
            fail_msg("%s %s: %d %s", cases[i].method, cases[i].path, reply.status,
                     (const char *)reply.body.at);
    }
}

/* SEC-01: S, P, B stand for the secret, the public part, and base64 of both. */
static const struct {
    const char *why;
    const char *name;
    const char *value;
    const char *second; /* of x-api-key, or NULL */
    bool taken;
} ways[] = {
    {"Bearer", "authorization", "Bearer S", NULL, true},
    {"the scheme in any case", "authorization", "bEARER S", NULL, true},
    {"more spaces", "authorization", "Bearer   S", NULL, true},
    {"Basic, as Langfuse's SDKs send it", "authorization", "Basic B", NULL, true},
    {"x-api-key, as LangSmith's do", "x-api-key", "S", NULL, true},
    {"api-key", "api-key", "S", NULL, true},
    {"the same key twice", "authorization", "Bearer S", "S", true},
    {"Basic and its secret", "authorization", "Basic B", "S", true},
    {"two keys", "authorization", "Bearer S", "sk-sl-other", false},
    {"the public part alone", "x-api-key", "P", NULL, false},
    {"the public part is not the secret's", "authorization", "Basic cGstc2wtMTpz", NULL, false},
    {"no base64", "authorization", "Basic !!!", NULL, false},
    {"no colon", "authorization", "Basic YWJj", NULL, false},
    {"another scheme", "authorization", "Digest S", NULL, false},
    {"a scheme alone", "authorization", "Bearer", NULL, false},
    {"empty", "x-api-key", "", NULL, false},
    {"unknown", "x-api-key", "sk-sl-0000", NULL, false},
    {"one character more", "x-api-key", "SS", NULL, false},
};

static void fill_in(const char *pattern, const struct key *key, char *to, size_t to_bytes)
{
    struct buf base64;
    char both[300];

    buf_init(&base64, 1000);
    (void)snprintf(both, sizeof(both), "%s:%s", key->public, key->secret);
    text_base64(&base64, bytes_of(both));
    buf_add_byte(&base64, '\0');
    to[0] = '\0';
    for (const char *at = pattern; *at; at++) {
        const size_t len = strlen(to);
        const bool last = at[1] == '\0' || (at[0] == 'S' && at[1] == 'S');

        if (last && (*at == 'S' || *at == 'P' || *at == 'B'))
            (void)snprintf(to + len, to_bytes - len, "%s",
                           *at == 'S'   ? key->secret
                           : *at == 'P' ? key->public
                                        : (const char *)base64.at);
        else
            (void)snprintf(to + len, to_bytes - len, "%c", *at);
    }
    buf_done(&base64);
}

/* Over HTTP/2, or over gRPC: whether it was taken. */
static bool h2_takes(bool grpc, const char *name, const char *value, const char *second)
{
    const struct h2_field fields[] = {
        {":method", "POST"},
        {":scheme", "http"},
        {":path", grpc ? GRPC_EXPORT_PATH : "/v1/traces"},
        {":authority", "127.0.0.1"},
        {"content-type", grpc ? "application/grpc" : "application/json"},
        {"te", "trailers"},
        {name, value},
        {second ? "x-api-key" : NULL, second},
        {NULL, NULL}};
    const uint16_t port = grpc ? servers[0].grpc_port : servers[0].http_port;
    struct h2_reply answer;
    bool taken;

    h2_reply_init(&answer);
    h2_call(port, fields, grpc ? BYTES_LITERAL("\0\0\0\0\0") : BYTES_LITERAL("{}"), &answer);
    taken = grpc ? answer.grpc_status == 0 : answer.status == 200;
    if (!taken && (grpc ? answer.grpc_status != 16 : answer.status != 401))
        fail_msg("'%s': %d %d", value, answer.status, answer.grpc_status);
    h2_reply_done(&answer);
    return taken;
}

static void every_way_of_sending_a_key_works_on_every_transport(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        const char *pattern = ways[i].second;
        char value[600];
        char lines[900];
        char given[200];
        const char *second = pattern ? given : NULL;

        fill_in(ways[i].value, &acme, value, sizeof(value));
        fill_in(pattern ? pattern : "", &acme, given, sizeof(given));
        (void)snprintf(lines, sizeof(lines), "%s: %s\r\n%s%s%s", ways[i].name, value,
                       second ? "x-api-key: " : "", given, second ? "\r\n" : "");
        if (export(&servers[0], lines, "{}") != (ways[i].taken ? 200 : 401))
            fail_msg("%s: HTTP/1.1 %d", ways[i].why, reply.status);
        if (h2_takes(false, ways[i].name, value, second) != ways[i].taken)
            fail_msg("%s: HTTP/2", ways[i].why);
        if (h2_takes(true, ways[i].name, value, second) != ways[i].taken)
            fail_msg("%s: gRPC", ways[i].why);
    }
}

static void a_long_key_is_refused_as_any_other(void **state)
{
    char line[10300] = "x-api-key: ";

    (void)state;
    memset(line + 11, 'k', 10000);
    memcpy(line + 10011, "\r\n", 3);
    assert_int_equal(export(&servers[0], line, "{}"), 401);
}

static void a_scope_opens_its_routes_only(void **state)
{
    static const struct {
        const char *why;
        const struct key *key;
        int ingest, read, metrics;
    } cases[] = {
        {"ingest", &ingest_only, 200, 403, 403},
        {"read", &read_only, 403, 200, 403},
        {"admin", &admin_only, 403, 403, 200},
        {"ingest and read", &acme, 200, 200, 403},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (export(&servers[0], cases[i].key->header, "{}") != cases[i].ingest ||
            (reply.status == 403 && !body_has("{\"code\":7,\"message\":\"the key lacks the scope "
                                              "'ingest'\"")))
            fail_msg("%s: ingest %d %s", cases[i].why, reply.status, (char *)reply.body.at);
        if (get(&servers[0], "/api/v1/traces", cases[i].key) != cases[i].read ||
            (reply.status == 403 && !body_has("{\"error\":{\"code\":\"forbidden\"")))
            fail_msg("%s: read %d %s", cases[i].why, reply.status, (char *)reply.body.at);
        if (get(&servers[0], "/metrics", cases[i].key) != cases[i].metrics)
            fail_msg("%s: metrics %d", cases[i].why, reply.status);
    }
    /* Over gRPC: PERMISSION_DENIED. */
    const struct h2_field fields[] = {{":method", "POST"},
                                      {":scheme", "http"},
                                      {":path", GRPC_EXPORT_PATH},
                                      {":authority", "127.0.0.1"},
                                      {"te", "trailers"},
                                      {"content-type", "application/grpc"},
                                      {"x-api-key", read_only.secret},
                                      {NULL, NULL}};
    struct h2_reply answer;

    h2_reply_init(&answer);
    h2_call(servers[0].grpc_port, fields, BYTES_LITERAL("\0\0\0\0\0"), &answer);
    assert_int_equal(answer.grpc_status, 7);
    h2_reply_done(&answer);
}

/* SEC-12: the same trace id, span id and response id in both: a wall stands between them. */
static void tenants_see_only_their_own(void **state)
{
    static const char *const paths[] = {"/api/v1/traces/" TRACE, "/api/v1/traces",
                                        "/api/v1/spans/" TRACE "/eee19b7ec3c1b174",
                                        "/api/v1/services", "/api/v1/sessions"};
    char body[2000];
    char unknown[400];

    (void)state;
    (void)span_json(body, sizeof(body), TRACE, "of-acme", "resp-1");
    assert_int_equal(export(&servers[0], acme.header, body), 200);
    assert_int_equal(get(&servers[0], "/api/v1/traces/" TRACE, &globex), 404);
    (void)snprintf(unknown, sizeof(unknown), "%s", (const char *)reply.body.at);
    assert_int_equal(get(&servers[0], "/api/v1/traces/ffffffffffffffffffffffffffffff01", &globex),
                     404);
    assert_string_equal(reply.body.at, unknown);
    assert_int_equal(get(&servers[0], "/api/v1/sessions/s-of-acme", &globex), 404);
    (void)span_json(body, sizeof(body), TRACE, "of-globex", "resp-1");
    assert_int_equal(export(&servers[0], globex.header, body), 200);
    for (size_t i = 0; i < COUNT(paths); i++) {
        if (get(&servers[0], paths[i], &acme) != 200 || !body_has("of-acme") ||
            body_has("of-globex"))
            fail_msg("%s of acme: %d %s", paths[i], reply.status, (char *)reply.body.at);
        if (get(&servers[1], paths[i], &globex) != 200 || !body_has("of-globex") ||
            body_has("of-acme"))
            fail_msg("%s of globex: %d %s", paths[i], reply.status, (char *)reply.body.at);
    }
    /* The key's project is the span's; each tenant is billed its own call. */
    assert_int_equal(get(&servers[0], "/api/v1/traces/" TRACE, &acme), 200);
    assert_true(body_has("\"project\":\"shop\""));
    assert_int_equal(number("SELECT count(*) FROM spanledger.span s JOIN spanledger.tenant t USING "
                            "(tenant_id) WHERE s.billable AND (t.name, coalesce(s.project, '')) IN "
                            "(('acme', 'shop'), ('globex', ''))"),
                     2);
}

/* Own prices of one tenant are in force for its calls only. */
static void a_call_costs_what_its_tenant_pays(void **state)
{
    static const char path[] = "/api/v1/traces/00000000000000000000000000007777";
    const char *words[] = {"prices", "import", "-", "--db", conninfo, NULL};
    char file[80] = "/tmp/spanledger-it-keys-XXXXXX";
    char body[2000];
    const int fd = mkstemp(file);
    static const char text[] = "tenant,model,provider,input,output\nacme,gpt-4o,openai,100,200\n";

    (void)state;
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    (void)close(fd);
    words[2] = file;
    assert_int_equal(program_run(&program, words), 0);
    (void)unlink(file);
    (void)sleep(5); /* servers take prices over within five seconds */
    (void)span_json(body, sizeof(body), path + 15, "priced", "resp-priced");
    assert_int_equal(export(&servers[0], acme.header, body), 200);
    assert_int_equal(export(&servers[0], globex.header, body), 200);
    assert_int_equal(get(&servers[0], path, &acme), 200);
    assert_true(body_has("\"total_usd\":\"0.002\"")); /* 10 for 100, 5 for 200 a million */
    assert_int_equal(get(&servers[0], path, &globex), 200);
    assert_true(body_has("\"total_usd\":\"0.000075\""));
}

/* One worker that sleeps in COMMIT: what comes meanwhile is one batch. */
static void spans_of_several_tenants_go_in_one_transaction(void **state)
{
    enum { SENDERS = 8 };
    struct client clients[SENDERS];

    (void)state;
    for (int i = 0; i < SENDERS; i++) {
        char body[2000];
        char all[2600];
        char trace[40];
        /* Pairs of tenants share a trace id; each tenant has one response id in two traces. */
        (void)snprintf(trace, sizeof(trace), "%032x", 0x7000 + i / 2 % 2);
        const int len = span_json(body, sizeof(body), trace, i % 2 ? "mixed-g" : "mixed-a",
                                  i < 4 ? "resp-shared" : "resp-again");

        (void)snprintf(all, sizeof(all),
                       "POST /v1/traces HTTP/1.1\r\nhost: t\r\n" JSON_TYPE
                       "%scontent-length: %d\r\n\r\n%s",
                       i % 2 ? globex.header : acme.header, len, body);
        assert_true(client_open(&clients[i], servers[1].http_port));
        assert_true(client_send_text(&clients[i], all));
        (void)usleep(i == 0 ? 100000 : 1000); /* the first one alone */
    }
    for (int i = 0; i < SENDERS; i++) {
        assert_true(client_read(&clients[i], &reply, CLIENT_WAIT_MS, false));
        assert_int_equal(reply.status, 200);
        client_close(&clients[i]);
    }
    assert_int_equal(
        number("SELECT max(n) FROM (SELECT count(DISTINCT tenant_id) AS n FROM spanledger.span "
               "WHERE name LIKE 'mixed-%' GROUP BY ingest_seq) AS b"),
        2);
    assert_int_equal(number("SELECT count(*) FROM spanledger.span WHERE name LIKE 'mixed-%'"), 8);
    /* One call of each response id is billed in each tenant, and repeats name traces of their own. */
    assert_int_equal(number("SELECT count(*) FROM spanledger.span WHERE name = 'mixed-a' AND "
                            "billable"),
                     2);
    assert_int_equal(number("SELECT count(*) FROM spanledger.span WHERE name = 'mixed-g' AND "
                            "billable"),
                     2);
    assert_int_equal(number("SELECT count(*) FROM spanledger.trace t WHERE t.trace_id::text LIKE "
                            "'%-00000000700_' AND span_count <> 2"),
                     0);
}

/* Milliseconds until both servers refuse it. */
static int64_t until_refused(const struct key *key)
{
    const int64_t begin = mono_ms();

    for (;;) {
        bool refused = true;

        for (size_t i = 0; i < 2; i++)
            refused &= export(&servers[i], key->header, "{}") == 401;
        if (refused || mono_ms() - begin > 10000)
            return mono_ms() - begin;
        (void)usleep(50000);
    }
}

/* SEC-05 */
static void a_revoked_key_stops_within_five_seconds_everywhere(void **state)
{
    struct key key;

    (void)state;
    make_key(&key, "acme", NULL);
    for (size_t i = 0; i < 2; i++) /* at once: the command has waited for the servers */
        assert_int_equal(export(&servers[i], key.header, "{}"), 200);
    assert_int_equal(run("key", "revoke", key.public, NULL, NULL, NULL), 0);
    assert_true(until_refused(&key) < 5000);
    assert_true(body_has("the key is not valid"));
    assert_int_equal(export(&servers[0], acme.header, "{}"), 200);
    assert_int_equal(run("key", "revoke", key.id, NULL, NULL, NULL), 0);
    assert_non_null(strstr(program.out, "\"already\":true"));
    assert_int_equal(run("key", "revoke", "pk-sl-none", NULL, NULL, NULL), 1);
}

/* SEC-05 */
static void an_expired_key_stops(void **state)
{
    char flag[80];
    char time[CLOCK_RFC3339_BYTES];
    struct key key;

    (void)state;
    (void)clock_rfc3339((uint64_t)(clock_wall_ns() + 7 * NS_PER_S), time);
    (void)snprintf(flag, sizeof(flag), "--expires=%s", time);
    make_key(&key, "acme", flag);
    assert_int_equal(export(&servers[0], key.header, "{}"), 200);
    assert_true(until_refused(&key) < 10000); /* by itself, seconds after it was made */
    assert_int_equal(run("key", "create", NULL, "--tenant", "acme", "--expires=2020-01-01"), 1);
    assert_non_null(strstr(program.errors, "--expires is not in the future"));
}

static void the_keys_of_a_deleted_tenant_stop_and_its_name_is_free(void **state)
{
    struct key key;
    char body[2000];

    (void)state;
    assert_int_equal(run("tenant", "create", "initech", NULL, NULL, NULL), 0);
    make_key(&key, "initech", NULL);
    (void)span_json(body, sizeof(body), TRACE, "of-initech", "resp-1");
    assert_int_equal(export(&servers[0], key.header, body), 200);
    assert_int_equal(run("tenant", "delete", "initech", NULL, NULL, NULL), 0);
    assert_non_null(strstr(program.out, "\"revoked_keys\":1"));
    assert_true(until_refused(&key) < 5000);
    assert_int_equal(run("key", "create", NULL, "--tenant", "initech", NULL), 1);
    assert_int_equal(run("tenant", "create", "initech", NULL, NULL, NULL), 0);
    make_key(&key, "initech", NULL);
    assert_int_equal(get(&servers[0], "/api/v1/traces/" TRACE, &key), 404);
}

/* SEC-04: whoever guesses loads the server, never the database. */
static void unknown_keys_never_reach_the_database(void **state)
{
    static const char count[] = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE "
                                "datname = current_database()";
    const int64_t before = number(count);
    const int64_t begin = mono_ms();
    struct client client;

    (void)state;
    assert_true(client_open(&client, servers[0].http_port));
    for (int i = 0; i < 5000; i++) {
        char line[120];

        (void)snprintf(line, sizeof(line), "x-api-key: sk-sl-%08x\r\n", i);
        assert_true(client_call(&client, "GET", "/api/v1/traces", line, (struct bytes){0}, &reply));
        assert_int_equal(reply.status, 401);
    }
    client_close(&client);
    (void)usleep(1200000); /* statistics of the database come once a second */
    /* Two servers look five times a second each whether keys changed. */
    assert_true(number(count) - before < 200 + (mono_ms() - begin) / 1000 * 40);
}

/* SEC-02 too: nowhere is a secret. */
static void what_was_done_stays_written(void **state)
{
    static const char *const changes[] = {"UPDATE spanledger.admin_audit SET actor = 'nobody'",
                                          "DELETE FROM spanledger.admin_audit",
                                          "TRUNCATE spanledger.admin_audit"};
    static const char *const actions[] = {"tenant created", "tenant renamed", "tenant deleted",
                                          "key created", "key revoked"};
    char sql[1000];

    (void)state;
    assert_int_equal(run("tenant", "set", "initech", "--name", "initrode", NULL), 0);
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct err err = {0};

        assert_false(db_exec(&db, changes[i], &err));
    }
    for (size_t i = 0; i < COUNT(actions); i++) {
        (void)snprintf(sql, sizeof(sql),
                       "SELECT count(*) FROM spanledger.admin_audit WHERE action = '%s' AND actor "
                       "LIKE 'command line%%'",
                       actions[i]);
        if (number(sql) < 1)
            fail_msg("no row says '%s'", actions[i]);
    }
    /* Nowhere is a secret. */
    (void)snprintf(sql, sizeof(sql),
                   "SELECT (SELECT count(*) FROM spanledger.api_key k WHERE k::text LIKE '%%%s%%') "
                   "+ (SELECT count(*) FROM spanledger.admin_audit a WHERE a::text LIKE '%%%s%%')",
                   acme.secret + 6, acme.secret + 6);
    assert_int_equal(number(sql), 0);
    /* The day of the last use is noted by itself. */
    assert_int_equal(number("SELECT count(*) FROM spanledger.api_key WHERE last_used >= "
                            "current_date - 1 AND revoked_at IS NULL") > 2,
                     1);
}

static void refuses_wrong_words_and_says_what_is_wanted(void **state)
{
    static const struct {
        const char *command, *sub, *word, *flag, *value, *more;
        int code;
        const char *reason;
    } cases[] = {
        {"tenant", "create", "acme", NULL, NULL, NULL, 1, "a tenant is called 'acme' already"},
        {"tenant", "create", "a b", NULL, NULL, NULL, 1, "'a b' is no name of a tenant"},
        {"tenant", "create", NULL, NULL, NULL, NULL, 2, "usage: spanledger tenant create NAME"},
        {"tenant", "make", "x", NULL, NULL, NULL, 2, "'make' is no command"},
        {"tenant", "delete", "default", NULL, NULL, NULL, 1, "it stays"},
        {"tenant", "delete", "nobody", NULL, NULL, NULL, 1, "no tenant is called 'nobody'"},
        {"tenant", "set", "acme", NULL, NULL, NULL, 1, "--name NEW"},
        {"tenant", "set", "acme", "--name", "globex", NULL, 1, "called 'globex' already"},
        {"key", "create", NULL, NULL, NULL, NULL, 1, "--tenant NAME"},
        {"key", "create", NULL, "--tenant", "nobody", NULL, 1, "no tenant is called 'nobody'"},
        {"key", "create", NULL, "--tenant", "acme", "--scopes=write", 1, "want some of"},
        {"key", "create", NULL, "--tenant", "acme", "--scopes=", 1, "want some of"},
        {"key", "create", NULL, "--tenant", "acme", "--project=a\nb", 1, "a project is named"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const int code = run(cases[i].command, cases[i].sub, cases[i].word, cases[i].flag,
                             cases[i].value, cases[i].more);

        if (code != cases[i].code || !strstr(program.errors, cases[i].reason))
            fail_msg("%zu: %d %s", i, code, program.errors);
    }
    assert_int_equal(run("key", "list", NULL, "--tenant", "acme", NULL), 0);
    assert_non_null(strstr(program.out, acme.public));
    assert_null(strstr(program.out, globex.public));
    assert_null(strstr(program.out, acme.secret));
    assert_int_equal(run("tenant", "list", NULL, NULL, NULL, NULL), 0);
    assert_non_null(strstr(program.out, "\"name\":\"acme\""));
}

/* A key may have been revoked while nobody can say so. */
static void nobody_is_let_in_while_the_keys_cannot_be_read(void **state)
{
    int64_t begin;

    (void)state;
    if (!cluster_is_ours(cluster))
        skip();
    db_close(&db);
    cluster_halt(cluster, SIGINT);
    (void)usleep(5500000);
    assert_int_equal(get(&servers[0], "/", &acme), 503);
    assert_true(reply_header(&reply, "retry-after", (char[20]){0}, 20));
    assert_int_equal(get(&servers[0], "/healthz", NULL), 200);
    cluster_resume(cluster);
    begin = mono_ms();
    while (get(&servers[0], "/", &acme) != 200 && mono_ms() - begin < 20000)
        (void)usleep(100000);
    assert_int_equal(reply.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_health_and_readiness_are_open_without_a_key),
        cmocka_unit_test(every_way_of_sending_a_key_works_on_every_transport),
        cmocka_unit_test(a_long_key_is_refused_as_any_other),
        cmocka_unit_test(a_scope_opens_its_routes_only),
        cmocka_unit_test(tenants_see_only_their_own),
        cmocka_unit_test(a_call_costs_what_its_tenant_pays),
        cmocka_unit_test(spans_of_several_tenants_go_in_one_transaction),
        cmocka_unit_test(a_revoked_key_stops_within_five_seconds_everywhere),
        cmocka_unit_test(an_expired_key_stops),
        cmocka_unit_test(the_keys_of_a_deleted_tenant_stop_and_its_name_is_free),
        cmocka_unit_test(unknown_keys_never_reach_the_database),
        cmocka_unit_test(what_was_done_stays_written),
        cmocka_unit_test(refuses_wrong_words_and_says_what_is_wanted),
        cmocka_unit_test(nobody_is_let_in_while_the_keys_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
