#include "config.h"

#include "select/quotas.h"

#include <math.h>
#include <stdlib.h>

#include "base/order.h"

enum unseen_status us_proportional_quotas(const int64_t *size, int groups, int64_t n, int64_t m,
                                          int64_t *quota)
{
    enum unseen_status st = UNSEEN_OK;
    double *remainder = us_calloc((size_t)groups, sizeof *remainder);
    int64_t *order = us_calloc((size_t)groups, sizeof *order);
    US_TRY_ALLOC(remainder);
    US_TRY_ALLOC(order);
    int64_t left = m;
    for (int c = 0; c < groups; c++) {
        /* Billions of samples would overflow 64 bits. */
        unsigned __int128 share = (unsigned __int128)m * (uint64_t)size[c];
        quota[c] = (int64_t)(share / (uint64_t)n);
        remainder[c] = (double)(uint64_t)(share % (uint64_t)n);
        left -= quota[c];
    }
    US_TRY(us_order(remainder, groups, true, order));
    /* The remainders sum to left * n and each is below n: at least `left` of them are not 0. */
    for (int64_t i = 0; i < left; i++)
        quota[order[i]]++;
out:
    free(order);
    free(remainder);
    return st;
}

/* Fill up the groups that their share of m exceeds, until none is: those of the least size for their weight
 * first. Returns by `left` what the others share, and by `weights` the sum of their weights. */
static enum unseen_status fill_small_groups(const int64_t *size, const double *weight, int groups, int64_t m,
                                            int64_t *quota, int64_t *left, double *weights)
{
    enum unseen_status st = UNSEEN_OK;
    double *ratio = us_calloc((size_t)groups, sizeof *ratio);
    int64_t *order = us_calloc((size_t)groups, sizeof *order);
    US_TRY_ALLOC(ratio);
    US_TRY_ALLOC(order);
    *left = m;
    *weights = 0;
    for (int c = 0; c < groups; c++) {
        ratio[c] = weight[c] > 0 && size[c] > 0 ? (double)size[c] / weight[c] : INFINITY;
        *weights += size[c] > 0 ? weight[c] : 0;
    }
    US_TRY(us_order(ratio, groups, false, order));
    for (int i = 0; i < groups && isfinite(ratio[order[i]]); i++) {
        const int64_t c = order[i];
        if ((double)*left * (weight[c] / *weights) < (double)size[c])
            break;
        quota[c] = size[c];
        *left -= size[c];
        *weights -= weight[c];
    }
    /* Again from those that are left: differences have rounded. */
    *weights = 0;
    for (int c = 0; c < groups; c++)
        *weights += quota[c] == size[c] ? 0 : weight[c];
out:
    free(order);
    free(ratio);
    return st;
}

/* Share out `left` by weight among the groups that are not full, by the largest remainder. */
static enum unseen_status share_out(const int64_t *size, const double *weight, int groups, int64_t left,
                                    double weights, int64_t *quota)
{
    enum unseen_status st = UNSEEN_OK;
    double *remainder = us_calloc((size_t)groups, sizeof *remainder);
    int64_t *order = us_calloc((size_t)groups, sizeof *order);
    US_TRY_ALLOC(remainder);
    US_TRY_ALLOC(order);
    int64_t rest = left;
    for (int c = 0; c < groups; c++) {
        remainder[c] = -1;
        if (quota[c] == size[c] || weight[c] <= 0)
            continue;
        double share = (double)left * (weight[c] / weights);
        quota[c] = (int64_t)share;
        remainder[c] = share - (double)quota[c];
        rest -= quota[c];
    }
    US_TRY(us_order(remainder, groups, true, order));
    /* Rounding may leave a unit more than there are groups with remainders: then round again. */
    while (rest > 0) {
        int64_t before = rest;
        for (int i = 0; i < groups && rest > 0; i++) {
            int64_t c = order[i];
            if (weight[c] > 0 && quota[c] < size[c]) {
                quota[c]++;
                rest--;
            }
        }
        if (rest == before)
            break;
    }
out:
    free(order);
    free(remainder);
    return st;
}

enum unseen_status us_weighted_quotas(const int64_t *size, const double *weight, int groups, int64_t m,
                                      int64_t *quota)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t n = 0, given = 0;
    int64_t *free_size = us_calloc((size_t)groups, sizeof *free_size);
    int64_t *more = us_calloc((size_t)groups, sizeof *more);
    US_TRY_ALLOC(free_size);
    US_TRY_ALLOC(more);
    int64_t left;
    double weights;
    for (int c = 0; c < groups; c++)
        quota[c] = 0;
    US_TRY(fill_small_groups(size, weight, groups, m, quota, &left, &weights));
    if (weights > 0)
        US_TRY(share_out(size, weight, groups, left, weights, quota));
    for (int c = 0; c < groups; c++) {
        given += quota[c];
        free_size[c] = size[c] - quota[c];
        n += free_size[c];
    }
    if (given < m) {
        US_TRY(us_proportional_quotas(free_size, groups, n, m - given, more));
        for (int c = 0; c < groups; c++)
            quota[c] += more[c];
    }
out:
    free(more);
    free(free_size);
    return st;
}

enum unseen_status us_class_weights(const int64_t *size, int classes,
                                    const struct unseen_select_options *options, double *weight)
{
    double f = options->class_focus, sum = 0, errors = 0;
    if (f > 0 && !options->class_error) {
        us_fail(UNSEEN_USAGE, "--class-focus", "needs the classes' unseen errors");
        us_hint("give the --trajectory that the scores come from");
        return UNSEEN_USAGE;
    }
    for (int c = 0; c < classes; c++) {
        weight[c] = options->quota == UNSEEN_QUOTA_EQUAL ? size[c] > 0 : (double)size[c];
        sum += weight[c];
        errors += f > 0 ? options->class_error[c] * (double)size[c] : 0;
    }
    for (int c = 0; c < classes; c++) {
        double by_error = errors > 0 ? options->class_error[c] * (double)size[c] / errors : 0;
        /* Classes without any error at all give the focus nothing to lean to. */
        weight[c] = errors > 0 ? (1 - f) * weight[c] / sum + f * by_error : weight[c] / sum;
    }
    return UNSEEN_OK;
}
