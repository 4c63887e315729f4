/* Scores: pure functions of a trajectory. A higher score always means "keep first": harder, less certain or
 * more informative, whatever the paper's own sign (AUM and margin are negated). */
#ifndef UNSEEN_SCORE_H
#define UNSEEN_SCORE_H

#include "unseen/trajectory.h"

#ifdef __cplusplus
extern "C" {
#endif

enum unseen_calibration {
    UNSEEN_CALIBRATE_NONE,
    UNSEEN_CALIBRATE_ZSCORE, /* standardised within each fold */
    UNSEEN_CALIBRATE_RANK,   /* mean rank within the fold, scaled to (0,1) */
};

UNSEEN_API enum unseen_status unseen_calibration_parse(const char *name,
                                                       enum unseen_calibration *calibration);

struct unseen_score_options {
    enum unseen_calibration calibration;
    int window;    /* J of DUAL and Dyn-Unc, at least 2; 0: 10; all epochs if there are fewer */
    int epoch;     /* the epoch that snapshot scores (el2n, loss, entropy, margin) read, from 0; -1: each
                      score's own default, said in its description */
    uint64_t seed; /* of "random" */
};

/* The i-th registered score's name and one-line description; NULL past the last. */
UNSEEN_API const char *unseen_score_name(int i);
UNSEEN_API const char *unseen_score_help(int i);

/* Score every sample: each repeat scored, calibrated across folds, then averaged over repeats, in double.
 * `scores` [n] is the caller's. `options` NULL: not calibrated, default window and epochs, seed 0.
 * UNSEEN_USAGE for an unknown metric (the hint lists them) or one that needs a quantity or more epochs than
 * the trajectory holds. */
UNSEEN_API enum unseen_status unseen_score(const struct unseen_trajectory *trajectory, const char *metric,
                                           const struct unseen_score_options *options, float *scores);

/* How far scores spread: the paper's motivation in two numbers, on scores scaled to [0,1] by min and max. */
struct unseen_spread {
    double iqr;       /* interquartile range */
    double entropy;   /* of a 50-bin histogram, divided by ln 50: 0 one bin .. 1 uniform */
    int64_t bins[50]; /* counts */
    double min, max;  /* of the raw scores */
};

/* Quartiles interpolate linearly; the last bin holds the maximum. Equal scores have iqr 0 and lie in the
 * first bin. UNSEEN_USAGE if n < 1, UNSEEN_BAD_DATA if a score is not finite. */
UNSEEN_API enum unseen_status unseen_spread(const float *scores, int64_t n, struct unseen_spread *spread);

#ifdef __cplusplus
}
#endif
#endif
