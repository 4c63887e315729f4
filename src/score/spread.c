#include "config.h"

#include "unseen/score.h"

#include <math.h>
#include <stdlib.h>

#include "base/order.h"
#include "base/vectors.h"

#define BINS ((int)(sizeof((struct unseen_spread *)0)->bins / sizeof(int64_t)))

/* The q-quantile by linear interpolation between the order statistics. */
static double quantile(const float *scores, const int64_t *ascending, int64_t n, double q)
{
    double at = q * (double)(n - 1);
    int64_t below = (int64_t)at;
    int64_t above = below + 1 < n ? below + 1 : below;
    double low = scores[ascending[below]], high = scores[ascending[above]];
    return low + (at - (double)below) * (high - low);
}

static void fill_bins(const float *scores, int64_t n, struct unseen_spread *spread)
{
    double range = spread->max - spread->min;
    for (int64_t i = 0; i < n; i++) {
        int bin = range > 0 ? (int)((scores[i] - spread->min) / range * BINS) : 0;
        spread->bins[bin < BINS ? bin : BINS - 1]++;
    }
    for (int b = 0; b < BINS; b++) {
        double p = (double)spread->bins[b] / (double)n;
        spread->entropy -= p > 0 ? p * log(p) : 0;
    }
    /* Adding 0 turns the -0 of a single bin into 0. */
    spread->entropy = spread->entropy / log(BINS) + 0.0;
}

enum unseen_status unseen_spread(const float *scores, int64_t n, struct unseen_spread *spread)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *ascending = NULL;
    if (n < 1)
        return us_fail(UNSEEN_USAGE, "scores", "there are none");
    US_TRY(us_check_finite("scores", scores, n));
    US_TRY_ALLOC(ascending = us_calloc((size_t)n, sizeof *ascending));
    US_TRY(us_order_f32(scores, n, false, ascending));
    struct unseen_spread s = {.min = scores[ascending[0]], .max = scores[ascending[n - 1]]};
    double range = s.max - s.min;
    if (range > 0)
        s.iqr = (quantile(scores, ascending, n, 0.75) - quantile(scores, ascending, n, 0.25)) / range;
    fill_bins(scores, n, &s);
    *spread = s;
out:
    free(ascending);
    return st;
}
