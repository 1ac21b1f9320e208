/*
 * TLS over OpenSSL: the server's context, and reading and writing of one session. TLS 1.2 and
 * newer, forward secret AEAD suites only, ALPN h2 and http/1.1 (SEC-06).
 */
#ifndef WIRE_TLS_H
#define WIRE_TLS_H

#include "base/bytes.h"

struct tls_context;
struct tls_session;

/* Reads a PEM chain and its key. Fails with ERR_BAD_INPUT that names the file. */
MUST_CHECK bool tls_context_new(const char *cert_path, const char *key_path,
                                struct tls_context **out_context, struct err *err);
void tls_context_free(struct tls_context *context);

struct tls_session *tls_session_new(struct tls_context *context, int fd); /* NULL: no memory */
void tls_session_free(struct tls_session *session);
void tls_close_notify(struct tls_session *session); /* nothing more will be written */

enum tls_result { TLS_DONE, TLS_AGAIN, TLS_EOF, TLS_FAILED };

/* DONE: *out_count > 0 bytes. AGAIN: tls_session_wants_write tells which way the socket must turn
 * ready. */
enum tls_result tls_read(struct tls_session *session, uint8_t *to, size_t len, size_t *out_count);
enum tls_result tls_write(struct tls_session *session, const uint8_t *from, size_t len,
                          size_t *out_count);
bool tls_read_wants_write(const struct tls_session *session);

/* Whether ALPN agreed on h2; false also before the handshake is over. */
bool tls_chose_h2(const struct tls_session *session);

#endif
