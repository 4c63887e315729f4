/* y[n,out] = scale (x[n,in] W^T + b), W [out,in] (PyTorch's layout). The products are those of a 1x1
 * convolution over images of one pixel: W is the weight matrix of one from `out` to `in` channels, whose data
 * gradient is this layer's forward pass. */
#ifndef US_OPS_LINEAR_H
#define US_OPS_LINEAR_H

#include "ops/conv/conv.h"

struct us_linear; /* prepared for one size */

/* n: the largest number of rows. scale: usually 1. */
enum unseen_status us_linear_new(struct unseen_device *device, int n, int in, int out, float scale,
                                 struct us_linear **linear);
void us_linear_free(struct us_linear *linear);

/* The shape of the convolution behind a linear layer, and that convolution: what algorithms it uses. */
struct us_conv_shape us_linear_shape(int n, int in, int out);
const struct us_conv *us_linear_conv(const struct us_linear *linear);

/* Bytes that `workspace` must have for either call. */
size_t us_linear_workspace(const struct us_linear *linear);

/* bias may be NULL: none. */
enum unseen_status us_linear_forward(struct us_linear *linear, int n, struct us_buf *x,
                                     struct us_buf *weights, struct us_buf *bias, struct us_buf *workspace,
                                     struct us_buf *y);

/* Multiplies dy by `scale`, then dweights = dy^T x, dbias = column sums of dy in fixed order, dx = dy W (or
 * += with accumulate). dweights, dbias and dx may be NULL. */
enum unseen_status us_linear_backward(struct us_linear *linear, int n, struct us_buf *x, struct us_buf *dy,
                                      struct us_buf *weights, struct us_buf *workspace,
                                      struct us_buf *dweights, struct us_buf *dbias, bool accumulate,
                                      struct us_buf *dx);

#endif
