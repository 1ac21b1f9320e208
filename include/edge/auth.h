/* Who sends a request: the key in its head. */
#ifndef EDGE_AUTH_H
#define EDGE_AUTH_H

#include "edge/routes.h"
#include "model/key.h"
#include "work/key_feed.h"

#define AUTH_SECRET_BYTES 512 /* longest that is looked at */

/* What a request's head holds. */
struct auth_credentials {
    bool any;
    bool has_public; /* of Basic */
    size_t secret_len;
    size_t public_len;
    uint8_t secret[AUTH_SECRET_BYTES];
    uint8_t public[AUTH_SECRET_BYTES];
};

/*
 * Reads Authorization (Bearer KEY, Basic PUBLIC:SECRET; the scheme in any case), x-api-key and api-key;
 * over gRPC these are metadata. Fails with ERR_UNAUTHENTICATED: none was sent, one cannot be read, or
 * two differ. Pure.
 */
MUST_CHECK bool auth_read(const struct http_request *request, struct auth_credentials *out,
                          struct err *err);

/*
 * Whether a request may take a route, and for whom. keys NULL: nobody is asked for a key, everything
 * is the default tenant's. Health and readiness are for everybody. Fails as auth_read and
 * key_feed_look do, and with ERR_FORBIDDEN: the key lacks the scope.
 */
MUST_CHECK bool auth_check(struct key_feed *keys, const struct http_request *request,
                           enum route route, struct key_grant *out_grant, struct err *err);

#endif
