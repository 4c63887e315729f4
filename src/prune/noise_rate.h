/* unseen_noise_rate (unseen/audit.h) of a part of the epochs. */
#ifndef US_PRUNE_NOISE_RATE_H
#define US_PRUNE_NOISE_RATE_H

#include "unseen/audit.h"

/* The quantities that it is made of; without the last one it is not judged by class. */
#define US_WRONG_SHARE_READS                                                                                 \
    (1u << UNSEEN_P_TRUE | 1u << UNSEEN_MARGIN | 1u << UNSEEN_LOSS | 1u << UNSEEN_PREDICTED)

/* Judged by the first `epochs` of the trajectory's epochs. Memory: 32 bytes a sample, 24 more to sort. */
enum unseen_status us_noise_rate(const struct unseen_trajectory *trajectory, int epochs, double *share);

#endif
