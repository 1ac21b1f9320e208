/* Secrets: random bytes, digests, and comparing without telling how far two agree. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/bytes.h"

#define DIGEST_BYTES 32

/* SHA-256. False: the library refuses it (no memory). */
MUST_CHECK bool digest_of(struct bytes text, uint8_t out_digest[DIGEST_BYTES]);

/* Takes the same time wherever two texts of this length differ. */
bool digest_same(const uint8_t *a, const uint8_t *b, size_t len);

/* Bytes that nobody can guess. Fails with ERR_UNAVAILABLE where the system has none. */
MUST_CHECK bool digest_random(uint8_t *to, size_t len, struct err *err);

#endif
