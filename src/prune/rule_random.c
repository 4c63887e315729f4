/* The random baseline. */
#include "config.h"

#include <stdlib.h>

#include "prune/rule.h"

enum unseen_status us_rule_random(const struct us_rule_input *in, uint8_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *items = us_calloc((size_t)in->n, sizeof *items);
    US_TRY_ALLOC(items);
    US_TRY(us_rule_shuffle(in, items));
    for (int64_t i = 0; i < in->m; i++)
        kept[items[i]] = 1;
out:
    free(items);
    return st;
}
