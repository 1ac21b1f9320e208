/* Who sends a request. */
#include "edge/auth.h"

#include "base/text.h"
#include "model/stored.h"

static bool refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_UNAUTHENTICATED, "%s", why);
}

/* Takes a credential beside those that came before, which must be the same. */
static bool take(struct auth_credentials *c, struct bytes secret, const struct bytes *public,
                 struct err *err)
{
    if (secret.len == 0)
        return refuse(err, "the key is empty");
    if (secret.len > sizeof(c->secret) || (public && public->len > sizeof(c->public)))
        return refuse(err, "the key is not valid");
    if (c->any && !bytes_equal(secret, (struct bytes){c->secret, c->secret_len}))
        return refuse(err, "the request has two different keys");
    if (public && c->has_public && !bytes_equal(*public, (struct bytes){c->public, c->public_len}))
        return refuse(err, "the request has two different keys");
    memcpy(c->secret, secret.at, secret.len);
    c->secret_len = secret.len;
    c->any = true;
    if (public && !c->has_public) {
        memcpy(c->public, public->at, public->len);
        c->public_len = public->len;
        c->has_public = true;
    }
    return true;
}

static bool take_basic(struct auth_credentials *c, struct bytes encoded, struct err *err)
{
    uint8_t text[2 * AUTH_SECRET_BYTES];
    size_t len = 0;

    if (encoded.len / 4 * 3 + 3 > sizeof(text))
        return refuse(err, "the key is not valid");
    if (!text_unbase64(encoded, text, &len))
        return refuse(err, "Authorization: Basic wants base64 of PUBLIC:SECRET");
    const uint8_t *colon = len > 0 ? memchr(text, ':', len) : NULL;
    if (!colon)
        return refuse(err, "Authorization: Basic wants base64 of PUBLIC:SECRET");
    const struct bytes public = {text, (size_t)(colon - text)};
    return take(c, (struct bytes){colon + 1, len - public.len - 1}, &public, err);
}

static bool take_authorization(struct auth_credentials *c, struct bytes value, struct err *err)
{
    struct bytes scheme = text_trim(value);
    struct bytes rest = scheme;
    size_t at = 0;

    while (at < scheme.len && scheme.at[at] != ' ' && scheme.at[at] != '\t')
        at++;
    scheme.len = at;
    rest.at += at;
    rest.len -= at;
    rest = text_trim(rest);
    if (bytes_is_nocase(scheme, "bearer"))
        return take(c, rest, NULL, err);
    if (bytes_is_nocase(scheme, "basic"))
        return take_basic(c, rest, err);
    return refuse(err, "Authorization wants Bearer KEY or Basic PUBLIC:SECRET");
}

bool auth_read(const struct http_request *request, struct auth_credentials *out, struct err *err)
{
    out->any = out->has_public = false;
    out->secret_len = out->public_len = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *h = &request->headers[i];

        if (bytes_is(h->name, "authorization")) {
            if (!take_authorization(out, h->value, err))
                return false;
        } else if (bytes_is(h->name, "x-api-key") || bytes_is(h->name, "api-key")) {
            if (!take(out, text_trim(h->value), NULL, err))
                return false;
        }
    }
    return out->any || refuse(err, "a key is wanted: Authorization: Bearer KEY, Authorization: "
                                   "Basic PUBLIC:SECRET, or x-api-key: KEY");
}

/* Any scope does for what is no secret and nobody's own. */
static unsigned scopes_for(enum route route)
{
    if (routes_is_export(route))
        return KEY_INGEST;
    if (route == ROUTE_METRICS)
        return KEY_ADMIN; /* counts of all tenants together */
    if (route == ROUTE_NONE || route == ROUTE_INDEX || route == ROUTE_OPENAPI)
        return KEY_ALL;
    return KEY_READ;
}

bool auth_check(struct key_feed *keys, const struct http_request *request, enum route route,
                struct key_grant *out_grant, struct err *err)
{
    const unsigned wanted = scopes_for(route);
    struct auth_credentials c;
    bool known;

    if (!keys || route == ROUTE_HEALTH || route == ROUTE_READY) {
        *out_grant = (struct key_grant){.tenant_id = TENANT_DEFAULT, .scopes = KEY_ALL};
        return true;
    }
    if (!auth_read(request, &c, err))
        return false;
    known =
        key_feed_look(keys, (struct bytes){c.secret, c.secret_len},
                      (struct bytes){c.has_public ? c.public : NULL, c.public_len}, out_grant, err);
    explicit_bzero(c.secret, c.secret_len);
    if (!known)
        return false;
    return (out_grant->scopes & wanted) != 0 ||
           err_set(err, ERR_FORBIDDEN, "the key lacks the scope '%s'",
                   key_scope_name((enum key_scope)wanted));
}
