/* All that computes a convolution, against each other. */
#ifndef US_BENCH_RACE_H
#define US_BENCH_RACE_H

#include "ops/conv/conv.h"
#include "unseen/tune.h"

/* Time every algorithm that competes for the shape in that direction. UNSEEN_FAILED if none computes it. */
enum unseen_status us_race(struct unseen_device *device, const struct us_conv_shape *shape,
                           enum us_conv_direction direction, int rounds, struct unseen_tune_row *row);

#endif
