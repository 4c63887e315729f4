/* Probabilities that follow from what is always recorded: the label's is exp(-loss), and the largest other
 * one is that times exp(-margin), the margin being a difference of logits. Taken from logarithms they keep
 * their digits where the label's probability itself is too small for a float. */
#ifndef US_SCORE_PROBABILITY_H
#define US_SCORE_PROBABILITY_H

#include <math.h>

static inline double us_p_true(double loss)
{
    return exp(-loss);
}

/* Loss and margin are rounded each by itself: never above 1. */
static inline double us_p_other(double loss, double margin)
{
    return fmin(exp(-loss - margin), 1);
}

static inline double us_p_largest(double loss, double margin)
{
    return margin < 0 ? us_p_other(loss, margin) : us_p_true(loss);
}

#endif
