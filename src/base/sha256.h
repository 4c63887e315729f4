/* SHA-256 in hex: the identity of datasets and of compiled kernels. The hash itself is nettle's. */
#ifndef US_BASE_SHA256_H
#define US_BASE_SHA256_H

#include <nettle/sha2.h>
#include <stddef.h>

/* End `hash` (begun by sha256_init, fed by sha256_update) as 64 lower-case hex digits and a zero byte. */
void us_sha256_hex(struct sha256_ctx *hash, char hex[65]);

/* The hash of bytes in memory, as it is. */
void us_sha256_bytes(const void *bytes, size_t size, uint8_t digest[SHA256_DIGEST_SIZE]);

/* The hash of bytes in memory, in hex. */
void us_sha256_of(const void *bytes, size_t size, char hex[65]);

#endif
