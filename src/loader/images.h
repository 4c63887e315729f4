/* The images of a dataset as models take them: cut out, resized, and kept in memory where they fit. */
#ifndef US_LOADER_IMAGES_H
#define US_LOADER_IMAGES_H

#include "loader/crop.h"
#include "unseen/dataset.h"

struct us_images;

enum us_image_cache {
    US_CACHE_AUTO,  /* keep what is the same in every epoch if it takes no more than a quarter of the free
                       memory */
    US_CACHE_OFF,   /* keep nothing */
    US_CACHE_MEMORY /* keep it */
};

/* For `data`, which must outlive it. Those that are open with equal arguments share one. Closed with
 * us_images_close. */
enum unseen_status us_images_open(const struct unseen_dataset *data, const struct us_image_input *input,
                                  enum us_image_cache cache, struct us_images **images);
void us_images_close(struct us_images *images);

int64_t us_images_count(const struct us_images *images, enum unseen_split split);
size_t us_image_bytes(const struct us_images *images); /* of one, size * size * channels */

/* A split as evaluation takes it, [n, size, size, channels], if the dataset holds it like that; else NULL. */
const uint8_t *us_images_held(const struct us_images *images, enum unseen_split split);

/* Samples in the order in which they are to be had. */
struct us_image_order {
    enum unseen_split split;
    bool random; /* us_crop_random, drawn for the seed and the epoch; else the centre */
    uint64_t seed;
    uint32_t epoch;
    const int64_t *sample; /* [n] */
    int64_t n;
};

/* How many images are decoded ahead of the hindmost reader at most: what US_RING_BYTES hold, or less where
 * memory is short. And set that, 0: let it be chosen again; for tests. */
enum { US_RING_BYTES = 128 << 20 };
int64_t us_images_ahead(const struct us_images *images);
void us_images_ahead_limit(int64_t images);

/* ---- for reading.c ---- */

enum { US_IMAGE_EMPTY, US_IMAGE_BUSY, US_IMAGE_READY, US_IMAGE_FAILED, US_IMAGE_SKIPPED };

/* What is kept of a split as evaluation takes it. */
struct us_image_kept {
    uint8_t *pixels; /* [n, size, size, channels]; NULL: nothing is kept */
    uint8_t *state;  /* [n] of US_IMAGE_*, under the decoders' lock */
};
struct us_image_kept *us_images_kept(struct us_images *images, enum unseen_split split);

/* Decode a sample of `order` to `pixels` [size, size, channels], by the decoders' thread of that number or
 * (-1) by one that is none of them. */
enum unseen_status us_images_decode(struct us_images *images, int thread, const struct us_image_order *order,
                                    int64_t sample, uint8_t *pixels);

#endif
