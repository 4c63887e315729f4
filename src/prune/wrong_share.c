#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/order.h"
#include "score/probability.h"
#include "score/skill.h"
#include "trajectory/trajectory.h"
#include "unseen/audit.h"

/* Means over passes, each with its weight. */
struct belief {
    double *label, *other; /* [n] probability of the label, and of the likeliest other class */
    float *sure;           /* [n] the greater of both */
    int64_t *order;        /* [n] by falling `sure` */
};

static void belief_free(struct belief *b)
{
    free(b->order);
    free(b->sure);
    free(b->other);
    free(b->label);
}

/* Row by row, as they lie on disk. */
static void add_pass(const struct unseen_trajectory *t, int64_t row, double weight, struct belief *b)
{
    const float *p = t->value[UNSEEN_P_TRUE] + row * t->n;
    const float *margin = t->value[UNSEEN_MARGIN] + row * t->n;
    const float *loss = t->value[UNSEEN_LOSS] + row * t->n;
    for (int64_t i = 0; i < t->n; i++) {
        b->label[i] += weight * p[i];
        b->other[i] += weight * us_p_other(loss[i], margin[i]);
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

/* weight [epochs] of a repeat, of sum 1 */
static void weigh(const struct unseen_trajectory *t, int repeat, bool late, double *weight)
{
    const int first = us_late_epoch(t->epochs);
    if (!late)
        us_epoch_weights(t, repeat, t->epochs, weight);
    for (int e = 0; late && e < t->epochs; e++)
        weight[e] = e < first ? 0 : 1.0 / (t->epochs - first);
}

static enum unseen_status judge(const struct unseen_trajectory *t, bool late, double *share)
{
    enum unseen_status st = UNSEEN_OK;
    size_t n = (size_t)t->n;
    struct belief b = {0};
    double *weight = us_calloc((size_t)t->epochs, sizeof *weight);
    US_TRY_ALLOC(weight);
    US_TRY_ALLOC(b.label = us_calloc(n, sizeof *b.label));
    US_TRY_ALLOC(b.other = us_calloc(n, sizeof *b.other));
    US_TRY_ALLOC(b.sure = us_calloc(n, sizeof *b.sure));
    US_TRY_ALLOC(b.order = us_calloc(n, sizeof *b.order));
    for (int r = 0; r < t->repeats; r++) {
        weigh(t, r, late, weight);
        for (int e = 0; e < t->epochs; e++) {
            if (weight[e] > 0)
                add_pass(t, (int64_t)r * t->epochs + e, weight[e] / t->repeats, &b);
        }
    }
    for (int64_t i = 0; i < t->n; i++)
        b.sure[i] = (float)fmax(b.label[i], b.other[i]);
    US_TRY(us_order_f32(b.sure, t->n, true, b.order));
    *share = share_rejected(&b, t->n);
out:
    free(weight);
    belief_free(&b);
    return st;
}

enum unseen_status unseen_wrong_share(const struct unseen_trajectory *t, double *share)
{
    enum unseen_status st = UNSEEN_OK;
    double high = 0, low = 0;
    if (t->value[UNSEEN_P_TRUE] && t->value[UNSEEN_MARGIN] && t->value[UNSEEN_LOSS]) {
        US_TRY(judge(t, true, &high));
        US_TRY(judge(t, false, &low));
    }
    *share = (high + low) / 2;
out:
    return st;
}
