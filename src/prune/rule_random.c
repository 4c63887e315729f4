/* The random baseline. */
#include "config.h"

#include <stdlib.h>

#include "base/rng.h"
#include "prune/rule.h"

enum unseen_status us_rule_random(const struct us_rule_input *in, uint8_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *items = us_calloc((size_t)in->n, sizeof *items);
    US_TRY_ALLOC(items);
    for (int64_t i = 0; i < in->n; i++)
        items[i] = i;
    US_TRY(us_shuffle(in->options->seed, US_STREAM_SELECT, 0, (size_t)in->n, items));
    for (int64_t i = 0; i < in->m; i++)
        kept[items[i]] = 1;
out:
    free(items);
    return st;
}
