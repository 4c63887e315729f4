/* Scores that read one epoch. */
#include "config.h"

#include <math.h>

#include "score/probability.h"
#include "score/score_function.h"

/* The published use on CIFAR is one model after 20 epochs: index 20, counted from 0. */
#define EL2N_EPOCH 20

static enum unseen_status snapshot(const struct us_score_view *view, enum unseen_quantity quantity,
                                   int own_epoch, double sign, double *scores)
{
    const float *row = us_score_row(view, quantity, us_score_epoch(view, own_epoch));
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = sign * row[i];
    return UNSEEN_OK;
}

enum unseen_status us_score_el2n(const struct us_score_view *view, double *scores)
{
    return snapshot(view, UNSEEN_EL2N, EL2N_EPOCH, 1, scores);
}

enum unseen_status us_score_loss(const struct us_score_view *view, double *scores)
{
    return snapshot(view, UNSEEN_LOSS, US_LAST_EPOCH, 1, scores);
}

enum unseen_status us_score_entropy(const struct us_score_view *view, double *scores)
{
    return snapshot(view, UNSEEN_ENTROPY, US_LAST_EPOCH, 1, scores);
}

/* A large margin means easy. */
enum unseen_status us_score_margin(const struct us_score_view *view, double *scores)
{
    return snapshot(view, UNSEEN_MARGIN, US_LAST_EPOCH, -1, scores);
}

/* The gradient by the last layer's weights and bias is the outer product of p - onehot and (h, 1), whose norm
 * is the product of theirs: no backward pass is needed. */
enum unseen_status us_score_grand(const struct us_score_view *view, double *scores)
{
    int epoch = us_score_epoch(view, US_LAST_EPOCH);
    const float *error = us_score_row(view, UNSEEN_EL2N, epoch);
    const float *norm = us_score_row(view, UNSEEN_FEATURE_NORM, epoch);
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = error[i] * sqrt(1 + (double)norm[i] * norm[i]);
    return UNSEEN_OK;
}

enum unseen_status us_score_grand_full(const struct us_score_view *view, double *scores)
{
    const struct unseen_trajectory *t = view->trajectory;
    const float *norm = t->gradient_norm + (size_t)view->repeat * (size_t)t->n + view->first;
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = norm[i];
    return UNSEEN_OK;
}

/* ---- of probabilities ---- */

enum unseen_status us_score_least_confidence(const struct us_score_view *view, double *scores)
{
    int epoch = us_score_epoch(view, US_LAST_EPOCH);
    const float *loss = us_score_row(view, UNSEEN_LOSS, epoch);
    const float *margin = us_score_row(view, UNSEEN_MARGIN, epoch);
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = 1 - us_p_largest(loss[i], margin[i]);
    return UNSEEN_OK;
}

enum unseen_status us_score_margin_prob(const struct us_score_view *view, double *scores)
{
    int epoch = us_score_epoch(view, US_LAST_EPOCH);
    const float *loss = us_score_row(view, UNSEEN_LOSS, epoch);
    const float *margin = us_score_row(view, UNSEEN_MARGIN, epoch);
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = us_p_other(loss[i], margin[i]) - us_p_true(loss[i]);
    return UNSEEN_OK;
}

enum unseen_status us_score_margin_top2(const struct us_score_view *view, double *scores)
{
    int epoch = us_score_epoch(view, US_LAST_EPOCH);
    const float *loss = us_score_row(view, UNSEEN_LOSS, epoch);
    const float *margin = us_score_row(view, UNSEEN_MARGIN, epoch);
    const float *second = us_score_row(view, UNSEEN_RUNNER_UP, epoch);
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = second[i] - us_p_largest(loss[i], margin[i]);
    return UNSEEN_OK;
}
