#include "config.h"

#include "score/epoch_weights.h"

#include <math.h>

#include "trajectory/trajectory.h"

static double mean_loss(const struct unseen_trajectory *t, int repeat, int epoch)
{
    const float *loss = t->value[UNSEEN_LOSS] + ((int64_t)repeat * t->epochs + epoch) * t->n;
    double sum = 0;
    for (int64_t i = 0; i < t->n; i++)
        sum += loss[i];
    us_trajectory_drop_pages(t);
    return sum / (double)t->n;
}

void us_epoch_weights(const struct unseen_trajectory *t, int repeat, int epochs, double *weight)
{
    const bool alike = t->protocol == UNSEEN_SEEN || !t->value[UNSEEN_LOSS];
    double least = INFINITY, sum = 0;
    for (int e = 0; e < epochs; e++) {
        weight[e] = alike ? 0 : mean_loss(t, repeat, e);
        least = fmin(least, weight[e]);
    }
    for (int e = 0; e < epochs; e++) {
        weight[e] = exp(least - weight[e]); /* one at least is not zero */
        sum += weight[e];
    }
    for (int e = 0; e < epochs; e++)
        weight[e] /= sum;
}
