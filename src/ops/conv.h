/* 2-d convolution, forward and both gradients. x [n,h,w,cin], weights [kernel,kernel,cin,cout], y
 * [n,oh,ow,cout], no bias. */
#ifndef US_OPS_CONV_H
#define US_OPS_CONV_H

#include "device/device.h"

struct us_conv_shape {
    int n; /* largest batch */
    int h, w, cin, cout;
    int kernel, stride, pad; /* square; oh = (h + 2 pad - kernel) / stride + 1 */
};

int us_conv_out(int size, int kernel, int stride, int pad);

enum us_conv_algorithm {
    US_CONV_AUTO,   /* what is best known for the device and shape; UNSEEN_CONV=direct|im2col overrides */
    US_CONV_DIRECT, /* implicit GEMM in register tiles, shaped for CPU cores */
    US_CONV_IM2COL, /* im2col + CLBlast, col2im as a gather */
};

struct us_conv; /* prepared for one shape */

enum unseen_status us_conv_new(struct unseen_device *device, const struct us_conv_shape *shape,
                               enum us_conv_algorithm algorithm, struct us_conv **conv);
void us_conv_free(struct us_conv *conv);

/* "direct" or "im2col". */
const char *us_conv_algorithm_name(const struct us_conv *conv);

/* Bytes that `workspace` must have for any of the three calls; contents mean nothing between calls. One
 * workspace can serve all convolutions of a queue. */
size_t us_conv_workspace(const struct us_conv *conv);

/* The calls below enqueue only. n <= shape.n images. */
enum unseen_status us_conv_forward(struct us_conv *conv, int n, struct us_buf *x, struct us_buf *weights,
                                   struct us_buf *workspace, struct us_buf *y);

/* dx = dy * weights^T, or dx += with accumulate. A gather: no atomics. */
enum unseen_status us_conv_backward_data(struct us_conv *conv, int n, struct us_buf *dy,
                                         struct us_buf *weights, struct us_buf *workspace, bool accumulate,
                                         struct us_buf *dx);

/* dweights = x^T * dy, summed over the batch in a fixed order. */
enum unseen_status us_conv_backward_weights(struct us_conv *conv, int n, struct us_buf *x, struct us_buf *dy,
                                            struct us_buf *workspace, struct us_buf *dweights);

/* Multiply-adds times two of one forward pass over n images. */
double us_conv_flops(const struct us_conv_shape *shape, int n);

#endif
