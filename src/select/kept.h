/* A set of samples as one bit each: what selection rules fill. */
#ifndef US_SELECT_KEPT_H
#define US_SELECT_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Words of a set of n samples. */
static inline size_t us_kept_words(int64_t n)
{
    return (size_t)(n / 64 + (n % 64 != 0));
}

static inline void us_keep(uint64_t *kept, int64_t sample)
{
    kept[sample / 64] |= UINT64_C(1) << (sample % 64);
}

static inline bool us_is_kept(const uint64_t *kept, int64_t sample)
{
    return kept[sample / 64] >> (sample % 64) & 1;
}

/* Those among n samples from `first` (a multiple of 64) on, ascending, into `list`; returns how many. What
 * lies behind the last sample in its word is not kept. */
static inline int64_t us_list_kept(const uint64_t *kept, int64_t first, int64_t n, int64_t *list)
{
    int64_t count = 0;
    for (int64_t at = first; at < first + n; at += 64) {
        for (uint64_t word = kept[at / 64]; word; word &= word - 1)
            list[count++] = at + __builtin_ctzll(word);
    }
    return count;
}

#endif
