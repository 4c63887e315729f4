/* Stratified, seeded splits of a training set into K folds. */
#ifndef US_SCORING_FOLDS_H
#define US_SCORING_FOLDS_H

#include <stdint.h>

#include "base/status.h"

/* fold[i] in 0..folds-1 for each sample. Within each class samples are ordered by a Philox draw keyed by
 * (seed, repeat, index) and dealt in turn, classes starting where the one before stopped, so that fold sizes
 * differ by at most one in all and per class. `duplicate_of` [n], NULL for none, names for each sample the
 * first one with the same content, as in struct unseen_images: samples of one content share a fold, which
 * sizes follow as far as they can; without duplicates the folds are those of NULL. UNSEEN_USAGE if folds < 2,
 * > 255 or more than there are samples that differ. */
enum unseen_status us_folds(const int32_t *labels, const int64_t *duplicate_of, int64_t n, int classes,
                            int folds, uint64_t seed, int repeat, uint8_t *fold);

#endif
