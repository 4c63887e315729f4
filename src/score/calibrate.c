#include "config.h"

#include "score/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "base/status.h"

#define MAX_FOLDS 256 /* what a uint8 fold array can name */

static int fold_of(const uint8_t *fold, int64_t i)
{
    return fold ? fold[i] : 0;
}

static void zscore(const uint8_t *fold, int64_t n, double *scores)
{
    int64_t count[MAX_FOLDS] = {0};
    double mean[MAX_FOLDS] = {0}, square[MAX_FOLDS] = {0}, low[MAX_FOLDS], high[MAX_FOLDS];
    for (int64_t i = 0; i < n; i++) {
        int f = fold_of(fold, i);
        low[f] = count[f] ? fmin(low[f], scores[i]) : scores[i];
        high[f] = count[f] ? fmax(high[f], scores[i]) : scores[i];
        mean[f] += scores[i];
        count[f]++;
    }
    for (int f = 0; f < MAX_FOLDS; f++)
        mean[f] /= (double)(count[f] ? count[f] : 1);
    for (int64_t i = 0; i < n; i++) {
        int f = fold_of(fold, i);
        square[f] += (scores[i] - mean[f]) * (scores[i] - mean[f]);
    }
    for (int64_t i = 0; i < n; i++) {
        int f = fold_of(fold, i);
        /* The mean of equal scores may be off by rounding, which a tiny deviation would blow up to 1. */
        bool flat = low[f] == high[f] || square[f] <= 0;
        scores[i] = flat ? 0 : (scores[i] - mean[f]) / sqrt(square[f] / (double)count[f]);
    }
}

/* members [count] in ascending order of score: replaces their scores. */
static void rank_fold(const int64_t *members, int64_t count, double *scores)
{
    for (int64_t begin = 0, end; begin < count; begin = end) {
        double value = scores[members[begin]];
        for (end = begin + 1; end < count && scores[members[end]] == value; end++)
            ;
        double mean_rank = 0.5 * (double)(begin + 1 + end);
        for (int64_t i = begin; i < end; i++)
            scores[members[i]] = (mean_rank - 0.5) / (double)count;
    }
}

static enum unseen_status rank(const uint8_t *fold, int64_t n, double *scores)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t first[MAX_FOLDS + 1] = {0}, next[MAX_FOLDS];
    int64_t *items = us_calloc((size_t)n, sizeof *items);
    int64_t *grouped = us_calloc((size_t)n, sizeof *grouped);
    US_TRY_ALLOC(items);
    US_TRY_ALLOC(grouped);
    US_TRY(us_order(scores, n, false, items));
    for (int64_t i = 0; i < n; i++)
        first[fold_of(fold, i) + 1]++;
    for (int f = 0; f < MAX_FOLDS; f++)
        first[f + 1] += first[f];
    memcpy(next, first, sizeof next);
    for (int64_t i = 0; i < n; i++)
        grouped[next[fold_of(fold, items[i])]++] = items[i];
    for (int f = 0; f < MAX_FOLDS; f++)
        rank_fold(grouped + first[f], first[f + 1] - first[f], scores);
out:
    free(grouped);
    free(items);
    return st;
}

enum unseen_status us_calibrate(enum unseen_calibration calibration, const uint8_t *fold, int64_t n,
                                double *scores)
{
    if (calibration == UNSEEN_CALIBRATE_ZSCORE)
        zscore(fold, n, scores);
    return calibration == UNSEEN_CALIBRATE_RANK ? rank(fold, n, scores) : UNSEEN_OK;
}

enum unseen_status unseen_calibration_parse(const char *name, enum unseen_calibration *calibration)
{
    static const char *const names[] = {
        [UNSEEN_CALIBRATE_NONE] = "none",
        [UNSEEN_CALIBRATE_ZSCORE] = "zscore",
        [UNSEEN_CALIBRATE_RANK] = "rank",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *calibration = (enum unseen_calibration)i;
            return UNSEEN_OK;
        }
    }
    return us_fail(UNSEEN_USAGE, "--calibrate", "'%s' is not one of none, zscore, rank", name);
}
