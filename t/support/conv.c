#include "config.h"

#include "support/conv.h"

struct test_conv_sizes test_conv_sizes(const struct us_conv_shape *s, int n)
{
    struct test_conv_sizes z = {.oh = us_conv_out(s->h, s->kernel, s->stride, s->pad),
                                .ow = us_conv_out(s->w, s->kernel, s->stride, s->pad)};
    z.x = (size_t)n * (size_t)(s->h * s->w * s->cin);
    z.w = (size_t)(s->kernel * s->kernel * s->cin * s->cout);
    z.y = (size_t)n * (size_t)(z.oh * z.ow * s->cout);
    return z;
}

static void taps(const struct us_conv_shape *s, const struct test_conv_pass *p, size_t xi, size_t wi,
                 size_t yi)
{
    for (int ci = 0; ci < s->cin; ci++) {
        for (int co = 0; co < s->cout; co++) {
            const size_t x = xi + (size_t)ci, y = yi + (size_t)co, w = wi + (size_t)(ci * s->cout + co);
            if (p->y)
                p->y[y] += p->x[x] * p->w[w];
            if (p->dx)
                p->dx[x] += p->dy[y] * p->w[w];
            if (p->dw)
                p->dw[w] += p->dy[y] * p->x[x];
        }
    }
}

void test_conv_reference(const struct us_conv_shape *s, int n, const struct test_conv_pass *p)
{
    const struct test_conv_sizes z = test_conv_sizes(s, n);
    for (int i = 0; i < n * z.oh * z.ow * s->kernel * s->kernel; i++) {
        const int tap = i % (s->kernel * s->kernel), pixel = i / (s->kernel * s->kernel);
        const int iy = pixel / z.ow % z.oh * s->stride - s->pad + tap / s->kernel;
        const int ix = pixel % z.ow * s->stride - s->pad + tap % s->kernel;
        if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w)
            continue;
        const size_t image = (size_t)(pixel / (z.ow * z.oh));
        taps(s, p, ((image * (size_t)s->h + (size_t)iy) * (size_t)s->w + (size_t)ix) * (size_t)s->cin,
             (size_t)(tap * s->cin * s->cout), (size_t)(pixel * s->cout));
    }
}
