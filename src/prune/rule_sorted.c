/* The highest or lowest scores. */
#include "config.h"

#include <stdlib.h>

#include "prune/order.h"
#include "prune/rule.h"

static enum unseen_status first_of_order(const struct us_rule_input *in, bool descending, uint8_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *items = us_calloc((size_t)in->n, sizeof *items);
    US_TRY_ALLOC(items);
    US_TRY(us_order_f32(in->scores, in->n, descending, items));
    for (int64_t i = 0; i < in->m; i++)
        kept[items[i]] = 1;
out:
    free(items);
    return st;
}

enum unseen_status us_rule_top(const struct us_rule_input *in, uint8_t *kept)
{
    return first_of_order(in, true, kept);
}

enum unseen_status us_rule_bottom(const struct us_rule_input *in, uint8_t *kept)
{
    return first_of_order(in, false, kept);
}
