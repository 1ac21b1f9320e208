/* TLS sessions over OpenSSL, non-blocking. */
#include "wire/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct tls_context {
    SSL_CTX *ctx;
};

struct tls_session {
    SSL *ssl;
    bool read_wants_write;
    bool failed; /* OpenSSL forbids any further call but free */
};

/* RFC 7301: no overlap ends the handshake (no_application_protocol, against ALPACA). A client
 * without ALPN never gets here. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool context_fail(struct tls_context *context, const char *what, const char *path,
                         struct err *err)
{
    const unsigned long code = ERR_get_error();
    const char *reason = ERR_reason_error_string(code);

    ERR_clear_error();
    tls_context_free(context);
    return err_set(err, ERR_BAD_INPUT, "%s '%s': %s", what, path,
                   reason ? reason : "cannot be used");
}

bool tls_context_new(const char *cert_path, const char *key_path, struct tls_context **out_context,
                     struct err *err)
{
    struct tls_context *context = calloc(1, sizeof(*context));

    if (!context)
        return err_set(err, ERR_UNAVAILABLE, "no memory for TLS");
    context->ctx = SSL_CTX_new(TLS_server_method());
    if (!context->ctx)
        return context_fail(context, "TLS", "", err);
    (void)SSL_CTX_set_min_proto_version(context->ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(context->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                                SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_mode(context->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                             SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                             SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_set_cipher_list(context->ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
        return context_fail(context, "TLS", "cipher list", err);
    SSL_CTX_set_alpn_select_cb(context->ctx, choose_protocol, NULL);
    if (SSL_CTX_use_certificate_chain_file(context->ctx, cert_path) != 1)
        return context_fail(context, "tls-cert", cert_path, err);
    if (SSL_CTX_use_PrivateKey_file(context->ctx, key_path, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context->ctx) != 1)
        return context_fail(context, "tls-key", key_path, err);
    *out_context = context;
    return true;
}

void tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->ctx);
    free(context);
}

struct tls_session *tls_session_new(struct tls_context *context, int fd)
{
    struct tls_session *session = calloc(1, sizeof(*session));

    if (!session)
        return NULL;
    session->ssl = SSL_new(context->ctx);
    if (!session->ssl || SSL_set_fd(session->ssl, fd) != 1) {
        tls_session_free(session);
        return NULL;
    }
    SSL_set_accept_state(session->ssl);
    return session;
}

void tls_session_free(struct tls_session *session)
{
    if (!session)
        return;
    SSL_free(session->ssl);
    free(session);
}

void tls_close_notify(struct tls_session *session)
{
    ERR_clear_error();
    if (SSL_is_init_finished(session->ssl) && !session->failed)
        (void)SSL_shutdown(session->ssl);
}

static enum tls_result result_of(struct tls_session *session, int rc, int *out_error)
{
    *out_error = SSL_get_error(session->ssl, rc);
    switch (*out_error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return TLS_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_EOF;
    default:
        ERR_clear_error();
        session->failed = true;
        return TLS_FAILED;
    }
}

enum tls_result tls_read(struct tls_session *session, uint8_t *to, size_t len, size_t *out_count)
{
    int error = 0;

    ERR_clear_error();
    session->read_wants_write = false;
    const int rc = SSL_read(session->ssl, to, len > INT_MAX ? INT_MAX : (int)len);
    if (rc > 0) {
        *out_count = (size_t)rc;
        return TLS_DONE;
    }
    const enum tls_result result = result_of(session, rc, &error);
    session->read_wants_write = error == SSL_ERROR_WANT_WRITE;
    return result;
}

enum tls_result tls_write(struct tls_session *session, const uint8_t *from, size_t len,
                          size_t *out_count)
{
    int error = 0;

    ERR_clear_error();
    const int rc = SSL_write(session->ssl, from, len > INT_MAX ? INT_MAX : (int)len);
    if (rc > 0) {
        *out_count = (size_t)rc;
        return TLS_DONE;
    }
    return result_of(session, rc, &error);
}

bool tls_read_wants_write(const struct tls_session *session)
{
    return session->read_wants_write;
}

bool tls_chose_h2(const struct tls_session *session)
{
    const unsigned char *name = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(session->ssl, &name, &len);
    return len == 2 && memcmp(name, "h2", 2) == 0;
}
