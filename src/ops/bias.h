/* A bias for each channel of [rows, channels] (rows = n*h*w), with activation in the same pass:
 * y = act(x + bias). */
#ifndef US_OPS_BIAS_H
#define US_OPS_BIAS_H

#include "device/device.h"
#include "ops/activation.h"

struct us_bias; /* prepared for one number of channels */

/* rows: the largest number of rows. */
enum unseen_status us_bias_new(struct unseen_device *device, size_t rows, int channels,
                               enum us_activation act, struct us_bias **bias);
void us_bias_free(struct us_bias *bias);

/* Bytes that `workspace` must have for backward. */
size_t us_bias_workspace(const struct us_bias *bias);

/* y may be x, but then there is no way back through an activation. */
enum unseen_status us_bias_forward(struct us_bias *bias, size_t rows, struct us_buf *x, struct us_buf *values,
                                   struct us_buf *y);

/* From dy and the forward input x: dvalues, sums over the rows in a fixed order, and dx, which is written, or
 * added to with accumulate. dx may be NULL, and without accumulate it may be dy. */
enum unseen_status us_bias_backward(struct us_bias *bias, size_t rows, struct us_buf *dy, struct us_buf *x,
                                    struct us_buf *values, struct us_buf *workspace, struct us_buf *dvalues,
                                    bool accumulate, struct us_buf *dx);

#endif
