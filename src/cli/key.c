/* spanledger key create|list|revoke */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "cli/commands.h"
#include "cli/sub.h"
#include "cli/usage.h"
#include "store/key_rows.h"

#define LINE_BYTES ((size_t)64 << 10)
#define SPREAD_MS 500 /* servers look for changes every 200 ms */

/* Whoever has the key in hand may use it at once, everywhere. */
static void wait_for_servers(void)
{
    const struct timespec pause = {.tv_nsec = SPREAD_MS * NS_PER_MS};
    (void)nanosleep(&pause, NULL);
}

static bool read_wish(const struct sub_run *run, struct key_wish *wish, struct err *err)
{
    const char *tenant = sub_value(run, "tenant", NULL);
    const char *expires = sub_value(run, "expires", NULL);
    struct err cause = {0};

    *wish = (struct key_wish){.project = bytes_of(sub_value(run, "project", "")),
                              .expires_ns = KEY_ROWS_NEVER};
    if (!tenant)
        return err_set(err, ERR_BAD_INPUT, "--tenant NAME says whose key it is");
    wish->tenant = bytes_of(tenant);
    if (!key_scopes_read(bytes_of(sub_value(run, "scopes", "ingest,read")), &wish->scopes, &cause))
        return err_set(err, cause.kind, "--scopes: %s", cause.text);
    if (!expires)
        return true;
    if (!clock_parse(bytes_of(expires), &wish->expires_ns, &cause))
        return err_set(err, cause.kind, "--expires: %s", cause.text);
    return wish->expires_ns > clock_wall_ns() ||
           err_set(err, ERR_BAD_INPUT, "--expires is not in the future");
}

static void print_made(const struct sub_run *run, const struct key_made *made)
{
    if (run->json) {
        printf("{\"id\":\"%s\",\"public\":\"%s\",\"secret\":\"%s\"}\n", made->id, made->public,
               made->secret);
        return;
    }
    printf("id      %s\npublic  %s\nsecret  %s\n\n"
           "The secret is shown this once. Senders and readers give it as one of\n\n"
           "    Authorization: Bearer SECRET\n"
           "    Authorization: Basic base64(PUBLIC:SECRET)\n"
           "    x-api-key: SECRET\n\n"
           "    export OTEL_EXPORTER_OTLP_HEADERS='x-api-key=%s'\n",
           made->id, made->public, made->secret, made->secret);
}

static bool run_create(struct sub_run *run, struct err *err)
{
    struct key_wish wish;
    struct key_made made;

    if (!read_wish(run, &wish, err) || !key_rows_create(&run->db, &wish, run->actor, &made, err))
        return false;
    wait_for_servers();
    print_made(run, &made);
    explicit_bzero(&made, sizeof(made));
    return true;
}

/* From names with commas between them. */
static void write_scopes_json(struct bytes scopes, struct json *j)
{
    size_t begin = 0;

    json_open(j, '[');
    for (size_t at = 0; at <= scopes.len; at++) {
        if (at < scopes.len && scopes.at[at] != ',')
            continue;
        json_item(j);
        json_text(j, (struct bytes){scopes.at + begin, at - begin});
        begin = at + 1;
    }
    json_close(j, ']');
}

static void write_key_json(const struct key_line *k, struct buf *out)
{
    struct json j = json_into(out);

    json_open(&j, '{');
    json_key(&j, "id");
    json_text(&j, k->id);
    json_key(&j, "public");
    json_text(&j, k->public);
    json_key(&j, "tenant");
    json_text(&j, k->tenant);
    json_key(&j, "scopes");
    write_scopes_json(k->scopes, &j);
    json_key(&j, "project");
    json_text(&j, k->project);
    json_key(&j, "created_time");
    sub_time_json(&j, k->created_ns);
    json_key(&j, "expires_time");
    sub_time_json(&j, k->expires_ns);
    json_key(&j, "revoked_time");
    sub_time_json(&j, k->revoked_ns);
    json_key(&j, "last_used_day");
    if (k->last_used == INT64_MIN) {
        json_null(&j);
    } else {
        char day[CLOCK_RFC3339_BYTES];

        (void)clock_rfc3339((uint64_t)(k->last_used * S_PER_DAY * NS_PER_S), day);
        json_text(&j, (struct bytes){(const uint8_t *)day, 10});
    }
    json_close(&j, '}');
}

static const char *state_of(const struct key_line *k)
{
    return k->revoked_ns > 0                                       ? "revoked"
           : k->expires_ns > 0 && k->expires_ns <= clock_wall_ns() ? "expired"
                                                                   : "in force";
}

static void print_key(const struct key_line *k)
{
    char created[SUB_TIME_BYTES];
    char expires[SUB_TIME_BYTES];
    char used[SUB_TIME_BYTES];
    const int64_t used_ns = k->last_used == INT64_MIN ? 0 : k->last_used * S_PER_DAY * NS_PER_S;

    printf("%-30.*s %-20.*s %-18.*s %-9s %-20s %-20s %-10.10s %.*s\n", (int)k->public.len,
           (const char *)k->public.at, (int)k->tenant.len, (const char *)k->tenant.at,
           (int)k->scopes.len, (const char *)k->scopes.at, state_of(k),
           sub_time(k->created_ns, created), sub_time(k->expires_ns, expires),
           sub_time(used_ns, used), (int)k->project.len, (const char *)k->project.at);
}

static bool run_list(struct sub_run *run, struct err *err)
{
    struct key_line *keys;
    struct buf out;
    size_t count;

    if (!key_rows_list(&run->db, bytes_of(sub_value(run, "tenant", "")), &run->arena, &keys, &count,
                       err))
        return false;
    buf_init(&out, LINE_BYTES);
    if (!run->json)
        printf("%-30s %-20s %-18s %-9s %-20s %-20s %-10s %s\n", "public", "tenant", "scopes",
               "state", "created", "expires", "last used", "project");
    for (size_t i = 0; i < count; i++) {
        buf_clear(&out);
        write_key_json(&keys[i], &out);
        if (run->json)
            printf("%s%.*s", i > 0 ? ",\n" : "[", (int)out.len, (const char *)out.at);
        else
            print_key(&keys[i]);
    }
    buf_done(&out);
    if (run->json)
        puts(count > 0 ? "]" : "[]");
    return true;
}

static bool run_revoke(struct sub_run *run, struct err *err)
{
    bool already;

    if (!key_rows_revoke(&run->db, bytes_of(run->name), run->actor, &already, err))
        return false;
    if (run->json)
        printf("{\"revoked\":true,\"already\":%s}\n", already ? "true" : "false");
    else
        printf("%s\n", already ? "the key was revoked already"
                               : "the key is revoked; every server refuses it within 5 s");
    return true;
}

static const struct sub subs[] = {
    {"create",
     "key create",
     false,
     run_create,
     "Makes a key of a tenant and shows its secret, once.",
     {"tenant", "scopes", "project", "expires", "json!", NULL},
     "  --tenant NAME    whose key it is\n"
     "  --scopes LIST    some of ingest,read,admin; default: ingest,read\n"
     "  --project NAME   project of the spans that are sent with it and name none\n"
     "  --expires TIME   from then on it is refused; default: never\n"
     "  --json           {\"id\",\"public\",\"secret\"}\n\n"
     "ingest sends spans and log records, read asks the API, admin sees the whole server "
     "(/metrics).\n\n" USAGE_TIME},
    {"list",
     "key list",
     false,
     run_list,
     "Shows keys, revoked and expired ones too; never a secret.",
     {"tenant", "json!", NULL},
     "  --tenant NAME    only of this tenant\n"
     "  --json           as JSON\n\n"},
    {"revoke",
     "key revoke KEY",
     true,
     run_revoke,
     "Revokes a key, named by its public part or its id; servers refuse it within 5 s.",
     {"json!", NULL},
     "  --json           the result as JSON\n\n"},
};

int key_command(int argc, char *const argv[])
{
    return sub_command("key", subs, sizeof(subs) / sizeof(subs[0]), argc, argv);
}
