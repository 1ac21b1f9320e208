/* Scopes of keys. */
#include "model/key.h"

#include "base/text.h"

static const struct {
    enum key_scope scope;
    const char *name;
} names[] = {{KEY_INGEST, "ingest"}, {KEY_READ, "read"}, {KEY_ADMIN, "admin"}};

#define NAMES (sizeof(names) / sizeof(names[0]))

const char *key_scope_name(enum key_scope scope)
{
    for (size_t i = 0; i < NAMES; i++)
        if (names[i].scope == scope)
            return names[i].name;
    return "";
}

static unsigned scope_named(struct bytes name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (bytes_is(name, names[i].name))
            return (unsigned)names[i].scope;
    return 0;
}

bool key_scopes_read(struct bytes text, unsigned *out_scopes, struct err *err)
{
    unsigned scopes = 0;
    size_t begin = 0;

    for (size_t at = 0; at <= text.len; at++) {
        const struct bytes name = {text.at + begin, at - begin};
        char quoted[64];

        if (at < text.len && text.at[at] != ',')
            continue;
        if (!scope_named(name))
            return err_set(err, ERR_BAD_INPUT, "'%s' is no scope, want some of ingest,read,admin",
                           text_quote(name, quoted, sizeof(quoted)));
        scopes |= scope_named(name);
        begin = at + 1;
    }
    *out_scopes = scopes;
    return true;
}
