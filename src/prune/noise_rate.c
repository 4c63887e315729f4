#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/order.h"
#include "prune/noise_rate.h"
#include "score/epoch_weights.h"
#include "score/probability.h"
#include "trajectory/trajectory.h"
#include "unseen/audit.h"

/* Two means of the models' probabilities over repeats and epochs: the epochs of the last third weighed alike,
 * and all epochs by us_epoch_weights. */
enum { LATE, ALL, MEANS };

struct means {
    double *label[MEANS], *other[MEANS]; /* [n] of the label, and of the likeliest other class */
};

static void means_free(struct means *m)
{
    for (int k = 0; k < MEANS; k++) {
        free(m->label[k]);
        free(m->other[k]);
    }
}

/* One row [n] of the arrays, as they lie on disk. */
static void add_row(const struct unseen_trajectory *t, int64_t row, const double weight[MEANS],
                    struct means *m)
{
    const float *p = t->value[UNSEEN_P_TRUE] + row * t->n;
    const float *margin = t->value[UNSEEN_MARGIN] + row * t->n;
    const float *loss = t->value[UNSEEN_LOSS] + row * t->n;
    for (int64_t i = 0; i < t->n; i++) {
        const double other = us_p_other(loss[i], margin[i]);
        for (int k = 0; k < MEANS; k++) {
            m->label[k][i] += weight[k] * p[i];
            m->other[k][i] += weight[k] * other;
        }
    }
    us_trajectory_drop_pages(t);
}

/* weight [epochs] is room for us_epoch_weights. */
static void add_repeat(const struct unseen_trajectory *t, int repeat, int epochs, double *weight,
                       struct means *m)
{
    const int late = us_late_epoch(epochs);
    us_epoch_weights(t, repeat, epochs, weight);
    for (int e = 0; e < epochs; e++) {
        const double of_epoch[MEANS] = {
            [LATE] = e < late ? 0 : 1.0 / (epochs - late) / t->repeats, [ALL] = weight[e] / t->repeats};
        add_row(t, (int64_t)repeat * t->epochs + e, of_epoch, m);
    }
}

static int64_t fewest(int64_t n)
{
    int64_t some = n / 10 < 200 ? n / 10 : 200;
    return n / 50 > some ? n / 50 : some;
}

/* sure: the greater of a sample's two probabilities; order [n]: by falling `sure`. */
static double share_rejected(const struct means *m, int mean, const float *sure, const int64_t *order,
                             int64_t n)
{
    double least = INFINITY, doubt = 0, sum = 0;
    int64_t rejected = 0;
    for (int64_t k = 1; k <= n; k++) {
        const int64_t i = order[k - 1];
        rejected += m->other[mean][i] > m->label[mean][i];
        sum += (double)sure[i];
        if (k >= fewest(n) && (double)rejected / (double)k < least) {
            least = (double)rejected / (double)k;
            doubt = 1 - sum / (double)k;
        }
    }
    return fmax(0, least - doubt);
}

/* The order without those that are skipped; returns how many are left. */
static int64_t pass_over(const uint8_t *skipped, int64_t n, int64_t *order)
{
    int64_t left = 0;
    for (int64_t k = 0; k < n; k++) {
        if (!skipped || !skipped[order[k]])
            order[left++] = order[k];
    }
    return left;
}

/* share: the mean of what the two means tell. */
static enum unseen_status estimate(const struct means *m, const uint8_t *skipped, int64_t n, double *share)
{
    enum unseen_status st = UNSEEN_OK;
    float *sure = us_calloc((size_t)n, sizeof *sure);
    int64_t *order = us_calloc((size_t)n, sizeof *order);
    US_TRY_ALLOC(sure);
    US_TRY_ALLOC(order);
    *share = 0;
    for (int k = 0; k < MEANS; k++) {
        for (int64_t i = 0; i < n; i++)
            sure[i] = (float)fmax(m->label[k][i], m->other[k][i]);
        US_TRY(us_order_f32(sure, n, true, order));
        *share += share_rejected(m, k, sure, order, pass_over(skipped, n, order)) / MEANS;
    }
out:
    free(order);
    free(sure);
    return st;
}

enum unseen_status us_noise_rate(const struct unseen_trajectory *t, int epochs, double *share)
{
    enum unseen_status st = UNSEEN_OK;
    struct means m = {0};
    double *weight = NULL;
    *share = 0;
    if (!t->value[UNSEEN_P_TRUE] || !t->value[UNSEEN_MARGIN] || !t->value[UNSEEN_LOSS])
        return UNSEEN_OK;
    US_TRY_ALLOC(weight = us_calloc((size_t)epochs, sizeof *weight));
    for (int k = 0; k < MEANS; k++) {
        US_TRY_ALLOC(m.label[k] = us_calloc((size_t)t->n, sizeof *m.label[k]));
        US_TRY_ALLOC(m.other[k] = us_calloc((size_t)t->n, sizeof *m.other[k]));
    }
    for (int r = 0; r < t->repeats; r++)
        add_repeat(t, r, epochs, weight, &m);
    US_TRY(estimate(&m, t->skipped, t->n, share));
out:
    means_free(&m);
    free(weight);
    return st;
}

enum unseen_status unseen_noise_rate(const struct unseen_trajectory *t, double *share)
{
    return us_noise_rate(t, t->epochs, share);
}
