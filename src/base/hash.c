#include "config.h"

#include "base/hash.h"

#include <string.h>

uint64_t us_hash(uint64_t sum, const void *data, size_t bytes)
{
    const unsigned char *from = data;
    for (size_t at = 0; at < bytes; at += 4) {
        uint32_t word = 0;
        memcpy(&word, from + at, bytes - at < 4 ? bytes - at : 4);
        sum = (sum ^ word) * UINT64_C(1099511628211);
    }
    return sum;
}
