/* y[n,out] = x[n,in] W^T + b, W [out,in] (PyTorch's layout). Products by CLBlast. */
#ifndef US_OPS_LINEAR_H
#define US_OPS_LINEAR_H

#include "device/device.h"

enum unseen_status us_linear_forward(struct unseen_device *device, int n, int in, int out, struct us_buf *x,
                                     struct us_buf *weights, struct us_buf *bias, struct us_buf *y);

/* dweights = dy^T x, dbias = column sums of dy in fixed order, dx = dy W (or += with accumulate; dx may be
 * NULL). */
enum unseen_status us_linear_backward(struct unseen_device *device, int n, int in, int out, struct us_buf *x,
                                      struct us_buf *dy, struct us_buf *weights, struct us_buf *dweights,
                                      struct us_buf *dbias, bool accumulate, struct us_buf *dx);

#endif
