/* TLS on the listeners (SEC-06): protocols by ALPN, what is refused, large bodies, bad files. */
#include "test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "support/rig.h"
#include "wire/http2.h"

static char folder[] = "/tmp/spanledger-tls-XXXXXX";
static char cert_path[64];
static char key_path[64];

static void write_files(EVP_PKEY *key, X509 *cert)
{
    FILE *file = fopen(cert_path, "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, cert), 1);
    assert_int_equal(fclose(file), 0);
    file = fopen(key_path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
}

static int make_certificate(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    (void)state;

    assert_non_null(mkdtemp(folder));
    (void)snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
    (void)snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    assert_true(key && cert);
    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                                     (const unsigned char *)"localhost", -1, -1, 0);
    (void)X509_set_issuer_name(cert, X509_get_subject_name(cert));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    write_files(key, cert);
    X509_free(cert);
    EVP_PKEY_free(key);
    return 0;
}

static int remove_certificate(void **state)
{
    (void)state;
    (void)unlink(cert_path);
    (void)unlink(key_path);
    return rmdir(folder);
}

static struct rig *tls_rig(void)
{
    struct cfg cfg = rig_defaults();

    cfg.tls_cert = cert_path;
    cfg.tls_key = key_path;
    cfg.header_timeout_ms = 500;
    return rig_start_with(cfg);
}

struct session {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

/* alpn: its wire form, NULL for none. Returns whether the handshake was done. */
static bool hands_shake(const struct rig *rig, const char *alpn, int max_version,
                        struct session *session)
{
    session->fd = dial(rig);
    session->ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(session->ctx);
    (void)SSL_CTX_set_security_level(session->ctx, 0);
    (void)SSL_CTX_set_min_proto_version(session->ctx, 0);
    (void)SSL_CTX_set_max_proto_version(session->ctx, max_version);
    session->ssl = SSL_new(session->ctx);
    assert_non_null(session->ssl);
    if (alpn)
        (void)SSL_set_alpn_protos(session->ssl, (const unsigned char *)alpn,
                                  (unsigned)strlen(alpn));
    (void)SSL_set_fd(session->ssl, session->fd);
    return SSL_connect(session->ssl) == 1;
}

static void end(struct session *session)
{
    SSL_free(session->ssl);
    SSL_CTX_free(session->ctx);
    (void)close(session->fd);
}

static void say(struct session *session, const void *text, size_t len)
{
    assert_int_equal(SSL_write(session->ssl, text, (int)len), (int)len);
}

/* Reads until the text was seen; then how many bytes came. */
static size_t hear(struct session *session, const char *text, char *to, size_t to_bytes)
{
    size_t len = 0;

    while (len + 1 < to_bytes) {
        const int n = SSL_read(session->ssl, to + len, (int)(to_bytes - 1 - len));
        if (n <= 0)
            break;
        len += (size_t)n;
        to[len] = '\0';
        if (text && strstr(to, text))
            return len;
    }
    if (text)
        fail_msg("wanted \"%s\"", text);
    return len;
}

static void serves_http_1_with_and_without_alpn(void **state)
{
    static const char request[] = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";
    static const struct {
        const char *alpn;
        int version;
    } cases[] = {
        {NULL, TLS1_3_VERSION}, {"\x08http/1.1", TLS1_3_VERSION}, {"\x08http/1.1", TLS1_2_VERSION}};
    struct rig *rig = tls_rig();
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct session session;
        char seen[4096];
        assert_true(hands_shake(rig, cases[i].alpn, cases[i].version, &session));
        say(&session, request, sizeof(request) - 1);
        (void)hear(&session, "GET /a ", seen, sizeof(seen));
        say(&session, request, sizeof(request) - 1);
        (void)hear(&session, "GET /a ", seen, sizeof(seen));
        end(&session);
    }
    rig_stop(rig);
}

static void chooses_h2_before_http_1(void **state)
{
    struct rig *rig = tls_rig();
    struct session session;
    const unsigned char *chosen = NULL;
    unsigned chosen_len = 0;
    uint8_t seen[64];
    (void)state;

    assert_true(hands_shake(rig, "\x08http/1.1\x02h2", TLS1_3_VERSION, &session));
    SSL_get0_alpn_selected(session.ssl, &chosen, &chosen_len);
    assert_int_equal(chosen_len, 2);
    say(&session, HTTP2_PREFACE "\0\0\0\4\0\0\0\0\0", HTTP2_PREFACE_BYTES + 9);
    assert_true(SSL_read(session.ssl, seen, sizeof(seen)) >= 9);
    assert_int_equal(seen[3], 4); /* its SETTINGS come first */
    end(&session);
    rig_stop(rig);
}

static void refuses_old_versions_unknown_protocols_and_plain_text(void **state)
{
    struct rig *rig = tls_rig();
    struct session session;
    (void)state;

    assert_false(hands_shake(rig, NULL, TLS1_1_VERSION, &session));
    end(&session);
    assert_false(hands_shake(rig, "\x03smb", TLS1_3_VERSION, &session)); /* ALPACA */
    end(&session);
    const int plain = dial(rig);
    send_text(plain, "GET /a HTTP/1.1\r\nhost: x\r\n\r\n");
    expect_end(plain);
    (void)close(plain);
    const int quiet = dial(rig); /* no handshake: the head's deadline counts */
    expect_end(quiet);
    (void)close(quiet);
    rig_stop(rig);
}

static void moves_large_bodies(void **state)
{
    static const char post[] =
        "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000\r\n\r\n";
    static const char get[] = "GET /large?5000000 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    const size_t body_bytes = 5000000;
    struct rig *rig = tls_rig();
    char *body = calloc(1, body_bytes + 4096);
    struct session session;
    (void)state;

    assert_non_null(body);
    assert_true(hands_shake(rig, NULL, TLS1_3_VERSION, &session));
    say(&session, post, sizeof(post) - 1);
    say(&session, body, body_bytes);
    (void)hear(&session, "POST /length 5000000", body, 4096);
    say(&session, get, sizeof(get) - 1);
    const size_t came = hear(&session, NULL, body, body_bytes + 4096);
    const char *text = strstr(body, "\r\n\r\n");
    assert_non_null(text);
    assert_int_equal(came - (size_t)(text + 4 - body), body_bytes);
    end(&session);
    free(body);
    rig_stop(rig);
}

static void names_files_that_cannot_be_used(void **state)
{
    const struct wire_handlers none = {0};
    struct wire_server *server = NULL;
    struct cfg cfg = rig_defaults();
    struct err err = {0};
    (void)state;

    cfg.tls_cert = "/nonexistent/cert";
    assert_false(wire_server_new(&cfg, &none, &server, &err)); /* without key */
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    cfg.tls_key = key_path;
    assert_false(wire_server_new(&cfg, &none, &server, &err));
    assert_int_equal(err.kind, ERR_BAD_INPUT);
    assert_non_null(strstr(err.text, "/nonexistent/cert"));
    cfg.tls_cert = cert_path;
    cfg.tls_key = cert_path; /* holds no key */
    assert_false(wire_server_new(&cfg, &none, &server, &err));
    assert_non_null(strstr(err.text, "tls-key"));
    assert_null(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_http_1_with_and_without_alpn),
        cmocka_unit_test(chooses_h2_before_http_1),
        cmocka_unit_test(refuses_old_versions_unknown_protocols_and_plain_text),
        cmocka_unit_test(moves_large_bodies),
        cmocka_unit_test(names_files_that_cannot_be_used),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests_name("tls", tests, make_certificate, remove_certificate);
}
