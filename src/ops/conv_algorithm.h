/* What the algorithms of a convolution share, and what each provides. */
#ifndef US_OPS_CONV_ALGORITHM_H
#define US_OPS_CONV_ALGORITHM_H

#include "ops/conv.h"

struct us_conv {
    struct unseen_device *device;
    struct us_conv_shape shape;
    int oh, ow;
    const struct us_conv_methods *methods;
    void *state; /* of the algorithm */
};

struct us_conv_methods {
    const char *name;
    enum unseen_status (*prepare)(struct us_conv *conv); /* sets conv->state, also where it fails */
    void (*release)(struct us_conv *conv);
    size_t (*workspace)(const struct us_conv *conv);
    enum unseen_status (*forward)(struct us_conv *conv, int n, struct us_buf *x, struct us_buf *weights,
                                  struct us_buf *workspace, struct us_buf *y);
    enum unseen_status (*backward_data)(struct us_conv *conv, int n, struct us_buf *dy,
                                        struct us_buf *weights, struct us_buf *workspace, bool accumulate,
                                        struct us_buf *dx);
    enum unseen_status (*backward_weights)(struct us_conv *conv, int n, struct us_buf *x, struct us_buf *dy,
                                           struct us_buf *workspace, struct us_buf *dweights);
};

extern const struct us_conv_methods us_conv_direct, us_conv_im2col;

/* Rows of the weight matrix: kernel * kernel * cin. */
static inline int us_conv_depth(const struct us_conv *conv)
{
    return conv->shape.kernel * conv->shape.kernel * conv->shape.cin;
}

#endif
