#include "config.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/order.h"
#include "prune/noise_rate.h"
#include "score/epoch_weights.h"
#include "score/probability.h"
#include "trajectory/trajectory.h"
#include "unseen/audit.h"

/* What the models think of each sample, as means over the repeats and the last third of their epochs. */
struct beliefs {
    double *label, *other; /* [n] probabilities of the label, and of the likeliest other class */
    int32_t *choice;       /* [n] the last other class that was preferred, else the label; NULL: not known */
};

static void beliefs_free(struct beliefs *b)
{
    free(b->label);
    free(b->other);
    free(b->choice);
}

/* One row [n] of the arrays, as they lie on disk. */
static void add_row(const struct unseen_trajectory *t, int64_t row, double weight, struct beliefs *b)
{
    const float *p = t->value[UNSEEN_P_TRUE] + row * t->n;
    const float *margin = t->value[UNSEEN_MARGIN] + row * t->n;
    const float *loss = t->value[UNSEEN_LOSS] + row * t->n;
    const float *predicted = b->choice ? t->value[UNSEEN_PREDICTED] + row * t->n : NULL;
    for (int64_t i = 0; i < t->n; i++) {
        b->label[i] += weight * p[i];
        b->other[i] += weight * us_p_other(loss[i], margin[i]);
        if (predicted && predicted[i] >= 0 && predicted[i] < (float)t->classes &&
            (int64_t)predicted[i] != t->labels[i])
            b->choice[i] = (int32_t)predicted[i];
    }
    us_trajectory_drop_pages(t);
}

static enum unseen_status beliefs_make(const struct unseen_trajectory *t, int epochs, struct beliefs *b)
{
    enum unseen_status st = UNSEEN_OK;
    const int late = us_late_epoch(epochs);
    US_TRY_ALLOC(b->label = us_calloc((size_t)t->n, sizeof *b->label));
    US_TRY_ALLOC(b->other = us_calloc((size_t)t->n, sizeof *b->other));
    if (t->value[UNSEEN_PREDICTED])
        US_TRY_ALLOC(b->choice = us_calloc((size_t)t->n, sizeof *b->choice));
    for (int64_t i = 0; b->choice && i < t->n; i++)
        b->choice[i] = (int32_t)t->labels[i];
    for (int r = 0; r < t->repeats; r++) {
        for (int e = late; e < epochs; e++)
            add_row(t, (int64_t)r * t->epochs + e, 1.0 / (epochs - late) / t->repeats, b);
    }
    for (int64_t i = 0; b->choice && i < t->n; i++) {
        if (b->label[i] >= b->other[i])
            b->choice[i] = (int32_t)t->labels[i];
    }
out:
    return st;
}

/* Models that believe less, on average, are sure of nothing, and tell nothing. */
#define SURE 0.4

/* Samples of one class, as the models have it. */
struct group {
    int64_t n, seen, rejected;
    double sure;  /* sum over those seen */
    bool known;   /* whether any K counts .. */
    double least; /* .. and the least share rejected of those that do */
};

/* Few K, since the least of many shares is too low. */
static bool is_looked_at(int64_t k, int64_t n)
{
    static const int twentieths[] = {1, 2, 4, 8};
    const int64_t fewest = n < 20 ? n : 20;
    for (size_t j = 0; j < sizeof twentieths / sizeof *twentieths; j++) {
        const int64_t part = n * twentieths[j] / 20;
        if (k == (part > fewest ? part : fewest))
            return true;
    }
    return false;
}

static void see(struct group *g, bool rejected, double sure)
{
    g->seen++;
    g->rejected += rejected;
    g->sure += sure;
    const double share = (double)g->rejected / (double)g->seen;
    if (!is_looked_at(g->seen, g->n) || g->sure < SURE * (double)g->seen || (g->known && g->least <= share))
        return;
    g->known = true;
    g->least = share;
}

/* order [n]: by falling `sure`. */
static double share_rejected(const struct unseen_trajectory *t, const struct beliefs *b, const float *sure,
                             const int64_t *order, struct group *groups)
{
    double rejected = 0;
    int64_t usable = 0;
    for (int64_t i = 0; i < t->n; i++) {
        if (!t->skipped || !t->skipped[i])
            groups[b->choice ? b->choice[i] : 0].n++;
    }
    for (int64_t k = 0; k < t->n; k++) {
        const int64_t i = order[k];
        if (!t->skipped || !t->skipped[i])
            see(&groups[b->choice ? b->choice[i] : 0], b->other[i] > b->label[i], (double)sure[i]);
    }
    const int n_groups = b->choice ? t->classes : 1;
    for (int c = 0; c < n_groups; c++) {
        rejected += groups[c].least * (double)groups[c].n;
        usable += groups[c].n;
    }
    return usable ? rejected / (double)usable : 0;
}

static enum unseen_status estimate(const struct unseen_trajectory *t, const struct beliefs *b, double *share)
{
    enum unseen_status st = UNSEEN_OK;
    float *sure = us_calloc((size_t)t->n, sizeof *sure);
    int64_t *order = us_calloc((size_t)t->n, sizeof *order);
    struct group *groups = us_calloc((size_t)(t->classes > 1 ? t->classes : 1), sizeof *groups);
    US_TRY_ALLOC(sure);
    US_TRY_ALLOC(order);
    US_TRY_ALLOC(groups);
    for (int64_t i = 0; i < t->n; i++)
        sure[i] = (float)fmax(b->label[i], b->other[i]);
    US_TRY(us_order_f32(sure, t->n, true, order));
    *share = share_rejected(t, b, sure, order, groups);
out:
    free(groups);
    free(order);
    free(sure);
    return st;
}

enum unseen_status us_noise_rate(const struct unseen_trajectory *t, int epochs, double *share)
{
    enum unseen_status st = UNSEEN_OK;
    struct beliefs b = {0};
    *share = 0;
    if (!t->value[UNSEEN_P_TRUE] || !t->value[UNSEEN_MARGIN] || !t->value[UNSEEN_LOSS])
        return UNSEEN_OK;
    US_TRY(beliefs_make(t, epochs, &b));
    US_TRY(estimate(t, &b, share));
out:
    beliefs_free(&b);
    return st;
}

enum unseen_status unseen_noise_rate(const struct unseen_trajectory *t, double *share)
{
    return us_noise_rate(t, t->epochs, share);
}
