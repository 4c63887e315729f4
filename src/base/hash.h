/* A fast hash, for noticing that something changed. */
#ifndef US_BASE_HASH_H
#define US_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a over `bytes` bytes taken as 32-bit words (a rest of fewer than four is filled with zeros), going on
 * from `sum`; begin with US_HASH_START. Not cryptographic: it finds accidents. */
#define US_HASH_START UINT64_C(14695981039346656037)
uint64_t us_hash(uint64_t sum, const void *data, size_t bytes);

#endif
