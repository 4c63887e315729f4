/* How much the epochs of a trajectory know. */
#ifndef US_SCORE_EPOCH_WEIGHTS_H
#define US_SCORE_EPOCH_WEIGHTS_H

#include "unseen/trajectory.h"

/* weight [epochs], of sum 1, receives what the first epochs of a repeat weigh when their predictions are
 * averaged: exp(-mean loss), the geometric mean of the labels' probabilities. Of models that never saw the
 * samples it falls once they learn their own labels by heart, and at epochs whose batch norm statistics are
 * off; of models that did see them it would rise, so a seen trajectory's epochs weigh alike, as do those of
 * one that lacks losses. */
void us_epoch_weights(const struct unseen_trajectory *t, int repeat, int epochs, double *weight);

#endif
