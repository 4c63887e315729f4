/* Windows of the samples sorted by score. */
#include "config.h"

#include <stdlib.h>

#include "prune/order.h"
#include "prune/rule.h"

/* The highest scores that are left once the hardest are cut off. */
enum unseen_status us_rule_window(const struct us_rule_input *in, uint8_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t left, wanted = in->m;
    int64_t *items = us_calloc((size_t)in->n, sizeof *items);
    uint8_t *cut = us_calloc((size_t)in->n, sizeof *cut);
    US_TRY_ALLOC(items);
    US_TRY_ALLOC(cut);
    US_TRY(us_cut_hardest(in, items, &left));
    for (int64_t i = left; i < in->n; i++)
        cut[items[i]] = 1;
    US_TRY(us_order_f32(in->scores, in->n, true, items));
    for (int64_t i = 0; i < in->n && wanted > 0; i++) {
        kept[items[i]] = !cut[items[i]];
        wanted -= !cut[items[i]];
    }
out:
    free(cut);
    free(items);
    return st;
}

/* Moderate-DS (Xia et al., ICLR 2023): the quantiles of width m/n around the median. */
enum unseen_status us_rule_moderate(const struct us_rule_input *in, uint8_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *items = us_calloc((size_t)in->n, sizeof *items);
    US_TRY_ALLOC(items);
    US_TRY(us_order_f32(in->scores, in->n, false, items));
    int64_t first = (in->n - in->m) / 2;
    for (int64_t i = 0; i < in->m; i++)
        kept[items[first + i]] = 1;
out:
    free(items);
    return st;
}
