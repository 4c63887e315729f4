/* Counting wrong labels where the true ones are known. */
#ifndef US_BASE_TRUE_LABELS_H
#define US_BASE_TRUE_LABELS_H

#include <math.h>

#include "base/usable.h"

/* Of the samples `keep` [n], or of the first n where that is NULL, those whose label is not the true one; no
 * skipped one. `train` has true labels. */
static inline int64_t us_count_wrong(const struct unseen_images *train, const int64_t *keep, int64_t n)
{
    int64_t wrong = 0;
    for (int64_t k = 0; k < n; k++) {
        const int64_t i = keep ? keep[k] : k;
        wrong += us_is_usable(train, i) && train->labels[i] != train->true_labels[i];
    }
    return wrong;
}

/* Their share of the samples that are not skipped; NaN if there is none, or no true labels. */
static inline double us_share_wrong(const struct unseen_images *train, const int64_t *keep, int64_t n)
{
    int64_t usable = 0;
    for (int64_t k = 0; k < n; k++)
        usable += us_is_usable(train, keep ? keep[k] : k);
    return train->true_labels && usable > 0 ? (double)us_count_wrong(train, keep, n) / (double)usable : NAN;
}

#endif
