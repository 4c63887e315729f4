/* The highest scores within each class. */
#include "config.h"

#include <stdlib.h>

#include "prune/order.h"
#include "prune/rule.h"

enum unseen_status us_proportional_quotas(const int64_t *size, int classes, int64_t n, int64_t m,
                                          int64_t *quota)
{
    enum unseen_status st = UNSEEN_OK;
    double *remainder = us_calloc((size_t)classes, sizeof *remainder);
    int64_t *order = us_calloc((size_t)classes, sizeof *order);
    US_TRY_ALLOC(remainder);
    US_TRY_ALLOC(order);
    int64_t left = m;
    for (int c = 0; c < classes; c++) {
        /* Billions of samples would overflow 64 bits. */
        unsigned __int128 share = (unsigned __int128)m * (uint64_t)size[c];
        quota[c] = (int64_t)(share / (uint64_t)n);
        remainder[c] = (double)(uint64_t)(share % (uint64_t)n);
        left -= quota[c];
    }
    US_TRY(us_order(remainder, classes, true, order));
    /* The remainders sum to left * n and each is below n: at least `left` of them are not 0. */
    for (int64_t i = 0; i < left; i++)
        quota[order[i]]++;
out:
    free(order);
    free(remainder);
    return st;
}

enum unseen_status us_rule_class_balanced(const struct us_rule_input *in, uint8_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *size = us_calloc((size_t)in->classes, sizeof *size);
    int64_t *quota = us_calloc((size_t)in->classes, sizeof *quota);
    int64_t *items = us_calloc((size_t)in->n, sizeof *items);
    US_TRY_ALLOC(size);
    US_TRY_ALLOC(quota);
    US_TRY_ALLOC(items);
    for (int64_t i = 0; i < in->n; i++)
        size[in->labels[i]]++;
    US_TRY(us_proportional_quotas(size, in->classes, in->n, in->m, quota));
    US_TRY(us_order_f32(in->scores, in->n, true, items));
    us_keep_by_quota(items, in->labels, in->n, quota, kept);
out:
    free(items);
    free(quota);
    free(size);
    return st;
}
