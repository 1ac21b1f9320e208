/* Credentials in a request's head. */
#include "test.h"

#include "edge/auth.h"

static struct http_request request_with(const char *const fields[][2])
{
    struct http_request request = {.method = BYTES_LITERAL("POST")};

    for (; fields[request.header_count][0]; request.header_count++)
        request.headers[request.header_count] = (struct http_header){
            bytes_of(fields[request.header_count][0]), bytes_of(fields[request.header_count][1])};
    return request;
}

static const struct read_case {
    const char *why;
    const char *fields[4][2];
    const char *secret; /* NULL: refused */
    const char *public;
} cases[] = {
    {"Bearer", {{"authorization", "Bearer k"}}, "k", NULL},
    {"any case, any space", {{"authorization", " \tbearer \t k \t"}}, "k", NULL},
    {"Basic", {{"authorization", "Basic cDpr"}}, "k", "p"},
    {"a colon in the secret is the secret's", {{"authorization", "Basic cDprOng="}}, "k:x", "p"},
    {"without padding", {{"authorization", "Basic cDprOng"}}, "k:x", "p"},
    {"no public part is one too", {{"authorization", "Basic Oms="}}, "k", ""},
    {"x-api-key", {{"x-api-key", " k "}}, "k", NULL},
    {"the same in three fields",
     {{"x-api-key", "k"}, {"api-key", "k"}, {"authorization", "Basic cDpr"}},
     "k",
     "p"},
    {"other fields are nobody's business", {{"cookie", "a"}, {"x-api-key", "k"}}, "k", NULL},
    {"none", {{"cookie", "a"}}, NULL, NULL},
    {"empty", {{"x-api-key", " "}}, NULL, NULL},
    {"a good one and an empty one", {{"authorization", "Bearer k"}, {"x-api-key", ""}}, NULL, NULL},
    {"two", {{"authorization", "Bearer k"}, {"x-api-key", "l"}}, NULL, NULL},
    {"two in one name", {{"x-api-key", "k"}, {"x-api-key", "l"}}, NULL, NULL},
    {"two public parts",
     {{"authorization", "Basic cDpr"}, {"authorization", "Basic cTpr"}},
     NULL,
     NULL},
    {"no colon", {{"authorization", "Basic cGs="}}, NULL, NULL},
    {"no base64", {{"authorization", "Basic c*"}}, NULL, NULL},
    {"Basic alone", {{"authorization", "Basic"}}, NULL, NULL},
    {"Bearer alone", {{"authorization", "Bearer "}}, NULL, NULL},
    {"glued to the scheme", {{"authorization", "Bearerk"}}, NULL, NULL},
    {"another scheme", {{"authorization", "Digest k"}}, NULL, NULL},
    {"nothing", {{"authorization", ""}}, NULL, NULL},
};

static void reads_every_style_and_refuses_what_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct read_case *c = &cases[i];
        const struct http_request request = request_with(c->fields);
        struct auth_credentials got;
        struct err err = {0};
        const bool taken = auth_read(&request, &got, &err);

        if (taken != (c->secret != NULL) || (!taken && err.kind != ERR_UNAUTHENTICATED))
            fail_msg("%s: %s", c->why, taken ? "taken" : err.text);
        else if (taken &&
                 (!bytes_is((struct bytes){got.secret, got.secret_len}, c->secret) ||
                  got.has_public != (c->public != NULL) ||
                  (c->public && !bytes_is((struct bytes){got.public, got.public_len}, c->public))))
            fail_msg("%s: '%.*s'", c->why, (int)got.secret_len, (const char *)got.secret);
    }
}

static void takes_keys_up_to_a_length(void **state)
{
    char longest[AUTH_SECRET_BYTES + 2] = "";
    const char *const fields[2][2] = {{"x-api-key", longest}};
    struct auth_credentials got;
    struct err err = {0};

    (void)state;
    memset(longest, 'k', AUTH_SECRET_BYTES);
    struct http_request request = request_with(fields);
    assert_true(auth_read(&request, &got, &err));
    assert_int_equal(got.secret_len, AUTH_SECRET_BYTES);
    longest[AUTH_SECRET_BYTES] = 'k';
    request = request_with(fields);
    assert_false(auth_read(&request, &got, &err));
    /* Basic: a text that would not fit where it is decoded. */
    char basic[4100] = "Basic ";
    const char *const coded[2][2] = {{"authorization", basic}};

    memset(basic + 6, 'A', 4000);
    request = request_with(coded);
    assert_false(auth_read(&request, &got, &err));
}

static void everything_is_the_default_tenants_where_nobody_is_asked(void **state)
{
    static const struct http_request request;
    struct key_grant grant = {0};
    struct err err = {0};

    (void)state;
    assert_true(auth_check(NULL, &request, ROUTE_EXPORT, &grant, &err));
    assert_int_equal(grant.tenant_id, 1);
    assert_int_equal(grant.scopes, KEY_ALL);
    assert_string_equal(grant.project, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_style_and_refuses_what_is_none),
        cmocka_unit_test(takes_keys_up_to_a_length),
        cmocka_unit_test(everything_is_the_default_tenants_where_nobody_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
