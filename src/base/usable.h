/* Samples of a split that are not skipped (unseen/dataset.h): what models train and are tested on, and what
 * selections choose from. */
#ifndef US_BASE_USABLE_H
#define US_BASE_USABLE_H

#include "unseen/dataset.h"

static inline int us_is_usable(const struct unseen_images *images, int64_t i)
{
    return !images->skipped || !images->skipped[i];
}

static inline int64_t us_usable(const struct unseen_images *images)
{
    return images->n - images->n_skipped;
}

/* The first `most` of them, ascending, into `list`. */
static inline void us_list_usable(const struct unseen_images *images, int64_t most, int64_t *list)
{
    int64_t at = 0;
    for (int64_t i = 0; i < images->n && at < most; i++) {
        if (us_is_usable(images, i))
            list[at++] = i;
    }
}

#endif
