/* Convolutions by their definition, in double. */
#ifndef US_T_SUPPORT_CONV_H
#define US_T_SUPPORT_CONV_H

#include "ops/conv/conv.h"

/* Elements of x, of the weights and of y for n images, and y's height and width. */
struct test_conv_sizes {
    size_t x, w, y;
    int oh, ow;
};
struct test_conv_sizes test_conv_sizes(const struct us_conv_shape *shape, int n);

struct test_conv_pass {
    const double *x, *w, *dy;
    double *y, *dx, *dw; /* what is added to; each may be NULL */
};

/* Adds what the definition says: y from x and w, dx from dy and w, dw from dy and x. */
void test_conv_reference(const struct us_conv_shape *shape, int n, const struct test_conv_pass *pass);

#endif
