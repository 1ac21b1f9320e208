/* spanledger tenant create|list|set|delete */
#include <inttypes.h>
#include <stdio.h>

#include "base/json_write.h"
#include "cli/commands.h"
#include "cli/sub.h"
#include "store/tenant_rows.h"

#define LINE_BYTES ((size_t)64 << 10)

static bool run_create(struct sub_run *run, struct err *err)
{
    int32_t tenant_id;

    if (!tenant_rows_create(&run->db, bytes_of(run->name), run->actor, &tenant_id, err))
        return false;
    /* Names have no signs that JSON would escape. */
    if (run->json)
        printf("{\"id\":%" PRId32 ",\"name\":\"%s\"}\n", tenant_id, run->name);
    else
        printf("tenant %s was made\n\n    spanledger key create --tenant %s --scopes ingest,read\n",
               run->name, run->name);
    return true;
}

static void print_tenant_json(const struct tenant *t, struct buf *out)
{
    struct json j = json_into(out);

    json_open(&j, '{');
    json_key(&j, "id");
    json_int(&j, t->tenant_id);
    json_key(&j, "name");
    json_text(&j, t->name);
    json_key(&j, "created_time");
    sub_time_json(&j, t->created_ns);
    json_key(&j, "deleted_time");
    sub_time_json(&j, t->deleted_ns);
    json_key(&j, "keys");
    json_int(&j, t->keys);
    json_close(&j, '}');
}

static bool run_list(struct sub_run *run, struct err *err)
{
    struct tenant *tenants;
    struct buf out;
    size_t count;

    if (!tenant_rows_list(&run->db, &run->arena, &tenants, &count, err))
        return false;
    buf_init(&out, LINE_BYTES);
    if (!run->json)
        printf("%-6s %-32s %6s  %-20s %s\n", "id", "name", "keys", "created", "deleted");
    for (size_t i = 0; i < count; i++) {
        const struct tenant *t = &tenants[i];
        char created[SUB_TIME_BYTES];
        char deleted[SUB_TIME_BYTES];

        buf_clear(&out);
        print_tenant_json(t, &out);
        if (run->json)
            printf("%s%.*s", i > 0 ? ",\n" : "[", (int)out.len, (const char *)out.at);
        else
            printf("%-6" PRId32 " %-32.*s %6" PRId64 "  %-20s %s\n", t->tenant_id, (int)t->name.len,
                   (const char *)t->name.at, t->keys, sub_time(t->created_ns, created),
                   sub_time(t->deleted_ns, deleted));
    }
    buf_done(&out);
    if (run->json)
        puts(count > 0 ? "]" : "[]");
    return true;
}

static bool run_set(struct sub_run *run, struct err *err)
{
    const char *name = sub_value(run, "name", NULL);

    if (!name)
        return err_set(err, ERR_BAD_INPUT, "nothing is to be set: --name NEW is what there is");
    if (!tenant_rows_rename(&run->db, bytes_of(run->name), bytes_of(name), run->actor, err))
        return false;
    if (run->json)
        printf("{\"name\":\"%s\"}\n", name);
    else
        printf("tenant %s is called %s now\n", run->name, name);
    return true;
}

static bool run_delete(struct sub_run *run, struct err *err)
{
    int64_t keys;

    if (!tenant_rows_delete(&run->db, bytes_of(run->name), run->actor, &keys, err))
        return false;
    if (run->json)
        printf("{\"name\":\"%s\",\"revoked_keys\":%" PRId64 "}\n", run->name, keys);
    else
        printf("tenant %s is deleted, %" PRId64 " keys are revoked; its spans stay\n", run->name,
               keys);
    return true;
}

static const struct sub subs[] = {
    {"create",
     "tenant create NAME",
     true,
     run_create,
     "Makes a tenant: a wall around spans, prices and keys.",
     {"json!", NULL},
     "  --json           the result as JSON\n\n"
     "NAME: 1 to 64 letters, digits, '.', '_' and '-'.\n\n"},
    {"list",
     "tenant list",
     false,
     run_list,
     "Shows all tenants, those that were deleted too.",
     {"json!", NULL},
     "  --json           as JSON\n\n"},
    {"set",
     "tenant set NAME",
     true,
     run_set,
     "Gives a tenant another name.",
     {"name", "json!", NULL},
     "  --name NEW       the name from now on; keys and spans stay its own\n"
     "  --json           the result as JSON\n\n"},
    {"delete",
     "tenant delete NAME",
     true,
     run_delete,
     "Deletes a tenant: its keys stop within 5 s, its name is free again.",
     {"json!", NULL},
     "  --json           the result as JSON\n\n"
     "Its spans stay in the database, and nobody can read them through the API any more.\n\n"},
};

int tenant_command(int argc, char *const argv[])
{
    return sub_command("tenant", subs, sizeof(subs) / sizeof(subs[0]), argc, argv);
}
