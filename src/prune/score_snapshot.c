/* Scores that read one quantity at one epoch. */
#include "config.h"

#include "prune/score_function.h"

/* The published use on CIFAR is one model after 20 epochs: index 20, counted from 0. */
#define EL2N_EPOCH 20

static enum unseen_status snapshot(const struct us_score_view *view, enum unseen_quantity quantity,
                                   int default_epoch, double sign, double *scores)
{
    const struct unseen_trajectory *t = view->trajectory;
    int epoch = view->epoch >= 0 ? view->epoch : default_epoch;
    const float *row = us_score_row(view, quantity, epoch < t->epochs ? epoch : t->epochs - 1);
    for (int64_t i = 0; i < t->n; i++)
        scores[i] = sign * row[i];
    return UNSEEN_OK;
}

enum unseen_status us_score_el2n(const struct us_score_view *view, double *scores)
{
    return snapshot(view, UNSEEN_EL2N, EL2N_EPOCH, 1, scores);
}

enum unseen_status us_score_loss(const struct us_score_view *view, double *scores)
{
    return snapshot(view, UNSEEN_LOSS, view->trajectory->epochs - 1, 1, scores);
}

enum unseen_status us_score_entropy(const struct us_score_view *view, double *scores)
{
    return snapshot(view, UNSEEN_ENTROPY, view->trajectory->epochs - 1, 1, scores);
}

/* A large margin means easy. */
enum unseen_status us_score_margin(const struct us_score_view *view, double *scores)
{
    return snapshot(view, UNSEEN_MARGIN, view->trajectory->epochs - 1, -1, scores);
}
