/* Philox 4x32-10 (Salmon et al., SC 2011): a counter-based generator, so that every draw is a pure
 * function of (seed, stream, epoch, item) and is the same on every device. cl/common.clh holds the twin. */
#ifndef US_BASE_RNG_H
#define US_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* What a draw is for; each purpose is a stream of its own. The numbers are part of reproducibility. */
enum us_stream {
    US_STREAM_INIT = 1,    /* item = four elements of a parameter, epoch = parameter's number */
    US_STREAM_SHUFFLE = 2, /* item = sample */
    US_STREAM_AUGMENT = 3, /* item = sample */
    US_STREAM_FOLD = 4,    /* item = sample, epoch = repeat */
    US_STREAM_SELECT = 5,  /* item = sample */
    US_STREAM_SYNTH = 6,
    US_STREAM_DATA = 7, /* item = draw or file; epoch 0: files that stand for all, 1: those that are compared,
                            2: the test split */
    US_STREAM_STEPS = 9,   /* of a training run */
    US_STREAM_SAMPLER = 8, /* item = sample; epoch of the training, or number of a permutation of RS2 */
};

/* One block of four words for counter (item_lo, item_hi, epoch, stream) and key (seed_lo, seed_hi). */
void us_philox(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t item, uint32_t out[4]);

/* key [n]: the first two words of items first, first + 1, ... as one number, the place of each in a shuffle.
 */
void us_philox_keys(uint64_t seed, uint32_t stream, uint32_t epoch, uint64_t first, size_t n, uint64_t *key);

/* Uniform in [0,1) with 24 bits, exactly the float that the device computes: (x >> 8) * 2^-24. */
float us_uniform(uint32_t word);

/* Four independent standard normals from a block (Box-Muller, computed in double). */
void us_normals(const uint32_t word[4], float normal[4]);

/* Order items[0..n) by their Philox draws: a shuffle that depends on the items' values and not on their
 * starting order. Ties by value. UNSEEN_FAILED if memory runs out. */
enum unseen_status us_shuffle(uint64_t seed, uint32_t stream, uint32_t epoch, size_t n, int64_t *items);

#endif
