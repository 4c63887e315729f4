/* Herding (Welling, ICML 2009): each next sample brings the mean of those chosen closest to the mean of all.
 */
#include "config.h"

#include <stdlib.h>

#include "base/vectors.h"
#include "select/kept.h"
#include "select/rule.h"

static void add(double *sum, const float *x, int64_t dimension, double sign)
{
    for (int64_t d = 0; d < dimension; d++)
        sum[d] += sign * (double)x[d];
}

/* Step k takes the x that is nearest to (k+1) mean - sum of those chosen; ties go to the lower index.
 * O(n m dimension). */
enum unseen_status us_rule_herding(const struct us_rule_input *in, uint64_t *kept)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t dimension = in->dimension;
    double *mean = us_calloc((size_t)dimension, sizeof *mean);
    double *target = us_calloc((size_t)dimension, sizeof *target);
    float *narrow = us_calloc((size_t)dimension, sizeof *narrow);
    US_TRY_ALLOC(mean);
    US_TRY_ALLOC(target);
    US_TRY_ALLOC(narrow);
    for (int64_t i = 0; i < in->n; i++)
        add(mean, in->features + i * dimension, dimension, 1 / (double)in->n);
    for (int64_t k = 0; k < in->m; k++) {
        int64_t best = -1;
        float least = 0;
        for (int64_t d = 0; d < dimension; d++) {
            target[d] += mean[d];
            narrow[d] = (float)target[d];
        }
        for (int64_t i = 0; i < in->n; i++) {
            if (us_is_kept(kept, i))
                continue;
            float distance = us_squared_distance(narrow, in->features + i * dimension, dimension);
            if (best < 0 || distance < least) {
                best = i;
                least = distance;
            }
        }
        us_keep(kept, best);
        add(target, in->features + best * dimension, dimension, -1);
    }
out:
    free(narrow);
    free(target);
    free(mean);
    return st;
}
