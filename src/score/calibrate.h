/* Making the scores of different folds' models comparable. */
#ifndef US_SCORE_CALIBRATE_H
#define US_SCORE_CALIBRATE_H

#include "unseen/score.h"

/* Calibrate scores [n] (finite) in place, each fold by itself; fold NULL: all samples are one fold.
 * ZSCORE: (s - mean) / std with the fold's population standard deviation; 0 where all of a fold are equal.
 * RANK: (r - 0.5) / size, r the mean of the ranks 1..size that equal scores share; in (0,1). */
enum unseen_status us_calibrate(enum unseen_calibration calibration, const uint8_t *fold, int64_t n,
                                double *scores);

#endif
