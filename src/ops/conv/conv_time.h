/* Times convolutions alone, on made-up data. */
#ifndef US_OPS_CONV_CONV_TIME_H
#define US_OPS_CONV_CONV_TIME_H

#include "ops/conv/conv.h"

struct us_conv_timing {
    char algorithm[US_CONV_NAME]; /* in: a name, or "" for what is chosen; out: its name */
    enum us_conv_why why;         /* out */
    double seconds; /* out: median of one call; NaN for one that failed or computed something else */
};

/* Time each of timing[0..n) in one direction of a shape, in rounds that take all in turn, so that what else
 * the machine does meets all alike. Short calls are repeated within a round. With n > 1 the results must be
 * those of im2col (CLBlast's matrix product), if it is among them, up to 1e-3 of the largest (5e-2 for less
 * precision than float32); one that differs, or that cannot be built here, gets a warning and NaN.
 * UNSEEN_FAILED if memory or the device fails.
 */
enum unseen_status us_conv_time(struct unseen_device *device, const struct us_conv_shape *shape,
                                enum us_conv_direction direction, int rounds, struct us_conv_timing *timing,
                                int n);

#endif
