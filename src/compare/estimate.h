/* Means over seeds and how sure they are. */
#ifndef US_COMPARE_ESTIMATE_H
#define US_COMPARE_ESTIMATE_H

#include "unseen/compare.h"

/* Of value [n], n > 0. One that is NaN makes all of it NaN. */
struct unseen_estimate us_estimate(const double *value, int n);

#endif
