#include "config.h"

#include "scoring/folds.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/rng.h"

/* first [classes + 1]: where each class begins once samples are grouped by class. */
static enum unseen_status count_classes(const int32_t *labels, int64_t n, int classes, int64_t *first)
{
    for (int64_t i = 0; i < n; i++) {
        if (labels[i] < 0 || labels[i] >= classes)
            return us_fail(UNSEEN_BAD_DATA, "labels", "%" PRId32 " of sample %" PRId64 " is not in 0..%d",
                           labels[i], i, classes - 1);
        first[labels[i] + 1]++;
    }
    for (int c = 0; c < classes; c++)
        first[c + 1] += first[c];
    return UNSEEN_OK;
}

enum unseen_status us_folds(const int32_t *labels, int64_t n, int classes, int folds, uint64_t seed,
                            int repeat, uint8_t *fold)
{
    if (folds < 2 || folds > 255 || folds > n)
        return us_fail(UNSEEN_USAGE, "--folds", "%d is not in 2..255 or more than the %" PRId64 " samples",
                       folds, n);
    enum unseen_status st = UNSEEN_OK;
    int64_t *first = us_calloc((size_t)classes + 1, sizeof *first);
    int64_t *next = us_calloc((size_t)classes, sizeof *next);
    int64_t *items = us_calloc((size_t)n, sizeof *items);
    US_TRY_ALLOC(first);
    US_TRY_ALLOC(next);
    US_TRY_ALLOC(items);
    US_TRY(count_classes(labels, n, classes, first));
    for (int64_t i = 0; i < n; i++)
        items[first[labels[i]] + next[labels[i]]++] = i;
    for (int c = 0; c < classes; c++)
        US_TRY(us_shuffle(seed, US_STREAM_FOLD, (uint32_t)repeat, (size_t)next[c], items + first[c]));
    for (int64_t i = 0; i < n; i++)
        fold[items[i]] = (uint8_t)(i % folds);
out:
    free(items);
    free(next);
    free(first);
    return st;
}
