/* The highest scores within each class. */
#include "config.h"

#include <stdlib.h>

#include "prune/order.h"
#include "prune/quotas.h"
#include "prune/rule.h"

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
