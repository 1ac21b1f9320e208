/* What a key allows, and who is behind it. */
#ifndef MODEL_KEY_H
#define MODEL_KEY_H

#include "base/bytes.h"

enum key_scope {
    KEY_INGEST = 1, /* send spans and log records */
    KEY_READ = 2,   /* ask the API */
    KEY_ADMIN = 4,  /* see the whole server: /metrics */
};
#define KEY_ALL (KEY_INGEST | KEY_READ | KEY_ADMIN)

#define KEY_PROJECT_BYTES 200 /* longest name of a project */
#define KEY_PUBLIC_BYTES 64   /* longest public part */

/* Whom a request comes from. */
struct key_grant {
    int32_t tenant_id;
    unsigned scopes;                     /* of enum key_scope */
    char project[KEY_PROJECT_BYTES + 1]; /* of spans that name none; "": none */
};

/* "ingest" of one scope. Static. */
const char *key_scope_name(enum key_scope scope);

/* Reads names with commas between them. Fails with ERR_BAD_INPUT: none, or one that is not known. */
MUST_CHECK bool key_scopes_read(struct bytes text, unsigned *out_scopes, struct err *err);

#endif
