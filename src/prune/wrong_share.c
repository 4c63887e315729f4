#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "prune/order.h"
#include "prune/probability.h"
#include "prune/trajectory.h"
#include "unseen/audit.h"

/* Means over the passes that count. */
struct belief {
    double weight;         /* of a pass */
    double *label, *other; /* [n] probability of the label, and of the likeliest other class */
    float *sure;           /* [n] the greater of both */
    int64_t *order;        /* [n] by falling `sure` */
};

/* Row by row, as they lie on disk. */
static void add_pass(const struct unseen_trajectory *t, int64_t row, struct belief *b)
{
    const float *p = t->value[UNSEEN_P_TRUE] + row * t->n;
    const float *margin = t->value[UNSEEN_MARGIN] + row * t->n;
    const float *loss = t->value[UNSEEN_LOSS] + row * t->n;
    for (int64_t i = 0; i < t->n; i++) {
        b->label[i] += b->weight * p[i];
        b->other[i] += b->weight * us_p_other(loss[i], margin[i]);
    }
    us_trajectory_rest(t);
}

static int64_t fewest(int64_t n)
{
    int64_t some = n / 10 < 200 ? n / 10 : 200;
    return n / 50 > some ? n / 50 : some;
}

static double share_rejected(const struct belief *b, int64_t n)
{
    double least = INFINITY, doubt = 0, sure = 0;
    int64_t rejected = 0;
    for (int64_t k = 1; k <= n; k++) {
        int64_t i = b->order[k - 1];
        rejected += b->other[i] > b->label[i];
        sure += (double)b->sure[i];
        if (k >= fewest(n) && (double)rejected / (double)k < least) {
            least = (double)rejected / (double)k;
            doubt = 1 - sure / (double)k;
        }
    }
    return fmax(0, least - doubt);
}

enum unseen_status unseen_wrong_share(const struct unseen_trajectory *t, double *share)
{
    enum unseen_status st = UNSEEN_OK;
    size_t n = (size_t)t->n;
    const int late = us_late_epoch(t->epochs);
    struct belief b = {.weight = 1.0 / ((double)t->repeats * (t->epochs - late))};
    *share = 0;
    if (!t->value[UNSEEN_P_TRUE] || !t->value[UNSEEN_MARGIN] || !t->value[UNSEEN_LOSS])
        goto out;
    US_TRY_ALLOC(b.label = us_calloc(n, sizeof *b.label));
    US_TRY_ALLOC(b.other = us_calloc(n, sizeof *b.other));
    US_TRY_ALLOC(b.sure = us_calloc(n, sizeof *b.sure));
    US_TRY_ALLOC(b.order = us_calloc(n, sizeof *b.order));
    for (int r = 0; r < t->repeats; r++) {
        for (int e = late; e < t->epochs; e++)
            add_pass(t, (int64_t)r * t->epochs + e, &b);
    }
    for (int64_t i = 0; i < t->n; i++)
        b.sure[i] = (float)fmax(b.label[i], b.other[i]);
    US_TRY(us_order_f32(b.sure, t->n, true, b.order));
    *share = share_rejected(&b, t->n);
out:
    free(b.order);
    free(b.sure);
    free(b.other);
    free(b.label);
    return st;
}
