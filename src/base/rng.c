#include "config.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

/* Multipliers and Weyl constants of Philox 4x32: Salmon et al., SC 2011, section 4. */
#define PHILOX_M0     0xD2511F53u
#define PHILOX_M1     0xCD9E8D57u
#define PHILOX_W0     0x9E3779B9u
#define PHILOX_W1     0xBB67AE85u
#define PHILOX_ROUNDS 10

static inline void philox(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t item, uint32_t out[4])
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    uint32_t c0 = (uint32_t)item, c1 = (uint32_t)(item >> 32), c2 = epoch, c3 = stream;
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0;
        uint64_t p1 = (uint64_t)PHILOX_M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void us_philox(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t item, uint32_t out[4])
{
    philox(seed, stream, epoch, item, out);
}

static inline uint64_t key_of(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t item)
{
    uint32_t words[4];
    philox(seed, stream, epoch, item, words);
    return (uint64_t)words[1] << 32 | words[0];
}

void us_philox_keys(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t first, size_t n, uint64_t *key)
{
    for (size_t i = 0; i < n; i++)
        key[i] = key_of(seed, stream, epoch, first + i);
}

float us_uniform(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

void us_normals(const uint32_t word[4], float normal[4])
{
    const double two_pi = 6.283185307179586476925;
    for (int i = 0; i < 4; i += 2) {
        double radius = sqrt(-2.0 * log(((double)word[i] + 1.0) * 0x1p-32));
        double angle = two_pi * ((double)word[i + 1] * 0x1p-32);
        normal[i] = (float)(radius * cos(angle));
        normal[i + 1] = (float)(radius * sin(angle));
    }
}

struct keyed_item {
    uint64_t key;
    int64_t item;
};

static int compare_keyed(const void *left, const void *right)
{
    const struct keyed_item *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

enum unseen_status us_shuffle(uint64_t seed, uint32_t stream, uint32_t epoch, size_t n, int64_t *items)
{
    struct keyed_item *keyed = us_calloc(n, sizeof *keyed);
    if (!keyed)
        return UNSEEN_FAILED;
    for (size_t i = 0; i < n; i++)
        keyed[i] = (struct keyed_item){key_of(seed, stream, epoch, (uint64_t)items[i]), items[i]};
    qsort(keyed, n, sizeof *keyed, compare_keyed);
    for (size_t i = 0; i < n; i++)
        items[i] = keyed[i].item;
    free(keyed);
    return UNSEEN_OK;
}
