/* Greedy k-center (Sener and Savarese, ICLR 2018): each next sample is the one farthest from all chosen. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/vectors.h"
#include "select/kept.h"
#include "select/rule.h"

/* Begins with the first sample of the rule's draws; of equally far samples the lower index is next. Only the
 * running minima are kept: O(n m dimension) time, O(n) memory. */
enum unseen_status us_rule_kcenter(const struct us_rule_input *in, uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *items = us_calloc((size_t)in->n, sizeof *items);
    float *nearest = us_calloc((size_t)in->n, sizeof *nearest);
    US_TRY_ALLOC(items);
    US_TRY_ALLOC(nearest);
    US_TRY(us_rule_shuffle(in, items));
    for (int64_t i = 0; i < in->n; i++)
        nearest[i] = INFINITY;
    int64_t chosen = items[0];
    for (int64_t k = 0; k < in->m; k++) {
        const float *center = in->features + chosen * in->dimension;
        int64_t farthest = -1;
        us_keep(kept, chosen);
        for (int64_t i = 0; i < in->n; i++) {
            if (us_is_kept(kept, i))
                continue;
            float d = us_squared_distance(center, in->features + i * in->dimension, in->dimension);
            nearest[i] = d < nearest[i] ? d : nearest[i];
            if (farthest < 0 || nearest[i] > nearest[farthest])
                farthest = i;
        }
        chosen = farthest;
    }
out:
    free(nearest);
    free(items);
    return st;
}
