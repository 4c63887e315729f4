/* What follows from a convolution's shape alone. */
#include "config.h"

#include "ops/conv/conv_algorithm.h"

int us_conv_out(int size, int kernel, int stride, int pad)
{
    return (size + 2 * pad - kernel) / stride + 1;
}

struct us_conv_residue us_conv_residue_of(const struct us_conv_shape *s, int a, int size)
{
    const int first = (a + s->pad) % s->stride;
    struct us_conv_residue r = {.count = a < size ? (size - a + s->stride - 1) / s->stride : 0};
    if (first < s->kernel) {
        r.taps = (s->kernel - first + s->stride - 1) / s->stride;
        r.last = first + s->stride * (r.taps - 1);
        r.offset = (a + s->pad - r.last) / s->stride;
    }
    return r;
}

double us_conv_flops(const struct us_conv_shape *s, int n)
{
    const double oh = us_conv_out(s->h, s->kernel, s->stride, s->pad);
    const double ow = us_conv_out(s->w, s->kernel, s->stride, s->pad);
    return 2.0 * n * oh * ow * s->cout * s->cin * s->kernel * s->kernel;
}
