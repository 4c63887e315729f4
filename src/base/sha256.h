/* SHA-256 (FIPS 180-4): the identity of datasets and of compiled kernels. */
#ifndef US_BASE_SHA256_H
#define US_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct us_sha256 {
    uint32_t state[8];
    uint64_t bytes;    /* taken so far */
    uint8_t block[64]; /* the last bytes % 64 of them */
};

void us_sha256_init(struct us_sha256 *hash);

/* `size` 0 with NULL `bytes` is fine. */
void us_sha256_update(struct us_sha256 *hash, const void *bytes, size_t size);

/* Ends the hash; `hash` must be initialised again before its next use. */
void us_sha256_final(struct us_sha256 *hash, uint8_t digest[32]);

/* us_sha256_final as 64 lower-case hex digits and a zero byte. */
void us_sha256_final_hex(struct us_sha256 *hash, char hex[65]);

/* All of the above for bytes in memory. */
void us_sha256_hex(const void *bytes, size_t size, char hex[65]);

#endif
