/* 2-d convolution, forward and both gradients. x [n,h,w,cin], weights [kernel,kernel,cin,cout], y
 * [n,oh,ow,cout], no bias. */
#ifndef US_OPS_CONV_CONV_H
#define US_OPS_CONV_CONV_H

#include "device/device.h"
#include "ops/activation.h"

struct us_conv_shape {
    int n; /* largest batch */
    int h, w, cin, cout;
    int kernel, stride, pad;         /* square; oh = (h + 2 pad - kernel) / stride + 1 */
    enum unseen_precision precision; /* the least; algorithms that are more precise serve as well */
};

int us_conv_out(int size, int kernel, int stride, int pad);

enum us_conv_direction { US_CONV_FORWARD, US_CONV_BWD_DATA, US_CONV_BWD_WEIGHTS, US_CONV_DIRECTIONS };

/* The i-th algorithm's name in the registry conv_algorithms.def; NULL behind the last. */
const char *us_conv_algorithm_at(int i);

/* An algorithm's name below is "NAME" or "NAME:VALUES", with values of its tunables. */
enum { US_CONV_NAME = 48 };

/* The i-th way of that algorithm worth timing on the device: its name, with values of its tunables if it has
 * any. False behind the last. */
bool us_conv_way_at(const struct unseen_device *device, const char *algorithm,
                    const struct us_conv_shape *shape, enum us_conv_direction direction, int i,
                    char name[US_CONV_NAME]);

/* Whether the algorithm of that name can do the shape in that direction on the device, with the values of its
 * tunables that the name gives, if it gives any. */
bool us_conv_suits(struct unseen_device *device, const char *algorithm, const struct us_conv_shape *shape,
                   enum us_conv_direction direction);

/* Whether it is worth timing there: it suits, and is made for that kind of device or named by UNSEEN_CONV. */
bool us_conv_competes(struct unseen_device *device, const char *algorithm, const struct us_conv_shape *shape,
                      enum us_conv_direction direction);

struct us_conv; /* prepared for one shape */

/* `wish` names the algorithm of each direction, or is NULL: what is best known for the device and the shape;
 * so is an entry that is NULL. Without a wish UNSEEN_CONV names one for all directions and shapes that it
 * suits; then the winner of `unseen tune` is taken, what conv_shipped.def knows, the kind of device's usual.
 */
enum unseen_status us_conv_new(struct unseen_device *device, const struct us_conv_shape *shape,
                               const char *const wish[US_CONV_DIRECTIONS], struct us_conv **conv);
void us_conv_free(struct us_conv *conv);

/* What was chosen, with its tunables, and why. The name lives as long as the convolution. */
enum us_conv_why {
    US_CONV_WISHED,  /* by the caller */
    US_CONV_FORCED,  /* by UNSEEN_CONV */
    US_CONV_TUNED,   /* measured on this device by unseen tune */
    US_CONV_SHIPPED, /* measured on this kind of device, see conv_shipped.def */
    US_CONV_USUAL    /* not measured */
};
const char *us_conv_algorithm_name(const struct us_conv *conv, enum us_conv_direction direction);
enum us_conv_why us_conv_why(const struct us_conv *conv, enum us_conv_direction direction);

/* "forward", "data", "weights"; "wished", "forced", "tuned", "shipped", "usual". */
const char *us_conv_direction_name(enum us_conv_direction direction);
const char *us_conv_why_name(enum us_conv_why why);

/* The tuning database's key of a shape, shared by batches up to the next power of two. */
enum { US_CONV_KEY = 128 };
void us_conv_key(const struct us_conv_shape *shape, enum us_conv_direction direction, char key[US_CONV_KEY]);

/* Bytes that `workspace` must have for any of the three calls; contents mean nothing between calls. One
 * workspace can serve all convolutions of a queue. */
size_t us_conv_workspace(const struct us_conv *conv);

/* The calls below enqueue only. n <= shape.n images. */
enum unseen_status us_conv_forward(struct us_conv *conv, int n, struct us_buf *x, struct us_buf *weights,
                                   struct us_buf *workspace, struct us_buf *y);

/* What a forward pass does to its outputs before they leave for memory: the batch norm behind it. Zeroed:
 * nothing. Either affine or moments, not both. */
struct us_conv_epilogue {
    struct us_buf *affine;   /* [2][cout]: y becomes act(y * affine[0] + affine[1] + residual), */
    struct us_buf *residual; /* like y; NULL: none; */
    enum us_activation act;
    struct us_buf *moments; /* receives the partial moments of y as ops/batchnorm.h has them */
};

/* In how many blocks a forward pass over n images leaves moments; 0 where its algorithm can do no epilogue.
 */
int us_conv_moment_blocks(const struct us_conv *conv, int n);

/* us_conv_forward with an epilogue, which an algorithm that can do none refuses (UNSEEN_USAGE). */
enum unseen_status us_conv_forward_fused(struct us_conv *conv, int n, struct us_buf *x,
                                         struct us_buf *weights, struct us_buf *workspace,
                                         const struct us_conv_epilogue *epilogue, struct us_buf *y);

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
