/* Secrets. */
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

bool digest_of(struct bytes text, uint8_t out_digest[DIGEST_BYTES])
{
    unsigned len = 0;

    return EVP_Digest(text.at, text.len, out_digest, &len, EVP_sha256(), NULL) == 1 &&
           len == DIGEST_BYTES;
}

bool digest_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

bool digest_random(uint8_t *to, size_t len, struct err *err)
{
    /* Up to 256 bytes come whole. */
    return (len <= 256 && getrandom(to, len, 0) == (ssize_t)len) ||
           err_set(err, ERR_UNAVAILABLE, "the system gives no random bytes");
}
