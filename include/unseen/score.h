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
    UNSEEN_CALIBRATE_RANK    /* mean rank within the fold, scaled to (0,1) */
};

UNSEEN_API enum unseen_status unseen_calibration_parse(const char *name,
                                                       enum unseen_calibration *calibration);

/* Of window, decay and clusters 0 stands for the default. */
struct unseen_score_options {
    enum unseen_calibration calibration;
    int length;    /* T: how many of the trajectory's epochs count, from the first on; 0: all */
    int window;    /* J of DUAL, Dyn-Unc and TDDS, at least 2; 0: 10; all epochs if there are fewer */
    int epoch;     /* the epoch that scores of one epoch read, from 0; -1: each score's own default, said in
                      its description */
    double decay;  /* TDDS: what the last window weighs, in (0,1]; 0: 0.9 */
    int clusters;  /* prototype: how many; 0: as many as classes */
    uint64_t seed; /* of "random", and of where the clustering of "prototype" begins */
};

/* Not calibrated, all epochs, default window, seed 0. */
UNSEEN_API void unseen_score_defaults(struct unseen_score_options *options);

/* The i-th registered score's name and one-line description; NULL past the last. */
UNSEEN_API const char *unseen_score_name(int i);
UNSEEN_API const char *unseen_score_help(int i);

/* A metric, in what follows and wherever one is named, is a score's name or a formula: scores with weights of
 * any sign, "0.5*el2n+0.5*dual", "aum-ccs - 2*dual". In a formula each score, calibrated and averaged as
 * below, is replaced by its rank among all samples, scaled to (0,1), ties sharing their mean rank; a name
 * alone, with neither sign nor weight, is the score itself. Names may hold "-": the longest that is known
 * counts. */

/* What has to be recorded on demand for a metric: bits of unseen_record_parse. UNSEEN_USAGE if it is none. */
UNSEEN_API enum unseen_status unseen_score_needs(const char *metric, unsigned *record_also);

/* UNSEEN_USAGE with the reason if it is no metric, or none that makes sense for trajectories of the protocol:
 * what can be told before anything is recorded. */
UNSEEN_API enum unseen_status unseen_score_check(const char *metric, enum unseen_protocol protocol);

/* Score every sample: each repeat scored, calibrated across folds, then averaged over repeats, in double.
 * `scores` [n] is the caller's. `options` NULL: the defaults.
 * UNSEEN_USAGE as above, or if it needs a quantity or more epochs than the trajectory holds.
 *
 * A trajectory that was opened from a folder is read in pieces that leave memory again: scoring takes 80
 * bytes a sample (0.1 GB for ImageNet-1K's 1,281,167), and for each quantity that the score reads 1 MB an
 * epoch, however large the files. Measured there with 90 epochs: dual 125 MB, tdds 130 MB, aum-ccs 222 MB,
 * moderate of 512 features 67 MB, where each quantity's file is of 461 MB and the features' of 2.6 GB. */
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

/* Write `path`, float32 [n, classes], what cleanlab calls pred_probs: the probabilities of all classes at an
 * epoch, from 0 on (-1: the last), averaged over repeats. Rows sum to 1; those of skipped samples, which no
 * model knows, are 1/classes throughout. Any n: it streams. UNSEEN_USAGE if the trajectory lacks probs or the
 * epoch; a warning if its models were trained on the samples. */
UNSEEN_API enum unseen_status unseen_pred_probs_write(const struct unseen_trajectory *trajectory, int epoch,
                                                      const char *path);

#ifdef __cplusplus
}
#endif
#endif
