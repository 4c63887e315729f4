/* A fast hash, for noticing that something changed. */
#ifndef US_BASE_HASH_H
#define US_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH3 (64 bits) of `bytes` bytes with `sum`, what came before, as its seed; begin with US_HASH_START. Not
 * cryptographic: it finds accidents. */
#define US_HASH_START UINT64_C(0)
uint64_t us_hash(uint64_t sum, const void *data, size_t bytes);

#endif
