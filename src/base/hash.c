#include "config.h"

#include "base/hash.h"

#include <xxhash.h>

uint64_t us_hash(uint64_t sum, const void *data, size_t bytes)
{
    return XXH3_64bits_withSeed(data, bytes, sum);
}
