#include "config.h"

#include "ops/pool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/device.h"

enum { N = 3 };

struct sizes {
    int oh, ow;
    size_t in, out; /* floats of the batch */
};

static struct sizes sizes_of(const struct us_pool_shape *s)
{
    struct sizes z;
    z.oh = (s->h + 2 * s->pad - s->kernel) / s->stride + 1;
    z.ow = (s->w + 2 * s->pad - s->kernel) / s->stride + 1;
    z.in = (size_t)N * (size_t)s->h * (size_t)s->w * (size_t)s->c;
    z.out = (size_t)N * (size_t)z.oh * (size_t)z.ow * (size_t)s->c;
    return z;
}

/* One window: its value, and dy spread over `dx` if that is given. `at` finds a pixel's channel. */
static double window(const struct us_pool_shape *s, const double *x, int n, int oy, int ox, int c, double dy,
                     double *dx)
{
    double best = -INFINITY, sum = 0;
    size_t winner = 0;
    for (int r = oy * s->stride - s->pad; r < oy * s->stride - s->pad + s->kernel; r++)
        for (int q = ox * s->stride - s->pad; q < ox * s->stride - s->pad + s->kernel; q++) {
            if (r < 0 || r >= s->h || q < 0 || q >= s->w)
                continue;
            size_t at = (size_t)(((n * s->h + r) * s->w + q) * s->c + c);
            sum += x[at];
            if (x[at] > best) {
                best = x[at];
                winner = at;
            }
            if (dx && s->kind == US_POOL_AVERAGE)
                dx[at] += dy / (s->kernel * s->kernel);
        }
    if (dx && s->kind == US_POOL_MAX)
        dx[winner] += dy;
    return s->kind == US_POOL_MAX ? best : sum / (s->kernel * s->kernel);
}

/* y, and dx (added to) from dy where they are given. */
static void reference(const struct us_pool_shape *s, const double *x, double *y, const float *dy, double *dx)
{
    const struct sizes z = sizes_of(s);
    size_t o = 0;
    for (int n = 0; n < N; n++)
        for (int oy = 0; oy < z.oh; oy++)
            for (int ox = 0; ox < z.ow; ox++)
                for (int c = 0; c < s->c; c++, o++)
                    y[o] = window(s, x, n, oy, ox, c, dy ? (double)dy[o] : 0, dx);
}

static double *doubles(const float *from, size_t n)
{
    double *values = calloc(n, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; from && i < n; i++)
        values[i] = (double)from[i];
    return values;
}

struct objective {
    const struct us_pool_shape *shape;
    const float *dy;
};

static double objective(const double *x, size_t n, void *context)
{
    (void)n;
    const struct objective *o = context;
    const struct sizes z = sizes_of(o->shape);
    double *y = doubles(NULL, z.out), total = 0;
    reference(o->shape, x, y, NULL, NULL);
    for (size_t i = 0; i < z.out; i++)
        total += (double)o->dy[i] * y[i];
    free(y);
    return total;
}

static void check_backward(struct us_pool *pool, const struct us_pool_shape *s, const double *x,
                           struct us_buf *bx, struct us_buf *by, bool ties)
{
    const struct sizes z = sizes_of(s);
    float *dy = test_random(2, z.out, -1, 1), *old = test_random(3, z.in, -1, 1);
    struct us_buf *bdy = test_buf(z.out, dy), *bdx = test_buf(z.in, NULL), *bsum = test_buf(z.in, old);
    double *y = doubles(NULL, z.out), *dx = doubles(NULL, z.in);
    reference(s, x, y, dy, dx);
    assert_ok(us_pool_backward(pool, N, bx, by, bdy, false, bdx));
    assert_ok(us_pool_backward(pool, N, bx, by, bdy, true, bsum));
    test_buf_close("dx", bdx, dx, z.in, 1e-6);
    float *gradient = test_buf_read(bdx);
    struct objective o = {s, dy};
    if (!ties)
        test_gradient("dx", objective, &o, x, gradient, z.in, 1e-5);
    for (size_t i = 0; i < z.in; i++)
        dx[i] += (double)old[i];
    test_buf_close("accumulated dx", bsum, dx, z.in, 1e-6);
    free(gradient);
    free(y);
    free(dx);
    free(dy);
    free(old);
    test_buf_free(bdy);
    test_buf_free(bdx);
    test_buf_free(bsum);
}

/* ties: inputs are small integers, so that windows have several maxima. */
static void check(struct us_pool_shape s, bool ties)
{
    const struct sizes z = sizes_of(&s);
    float *x = test_random(1, z.in, -3, 3);
    for (size_t i = 0; ties && i < z.in; i++)
        x[i] = rintf(x[i]);
    double *wide = doubles(x, z.in), *y = doubles(NULL, z.out);
    struct us_buf *bx = test_buf(z.in, x), *by = test_buf(z.out, NULL);
    struct us_pool *pool = NULL;
    printf("# %s %dx%dx%d kernel %d stride %d pad %d\n", s.kind == US_POOL_MAX ? "max" : "average", s.h, s.w,
           s.c, s.kernel, s.stride, s.pad);
    reference(&s, wide, y, NULL, NULL);
    assert_ok(us_pool_new(test_device(), &s, &pool));
    assert_ok(us_pool_forward(pool, N, bx, by));
    test_buf_close("y", by, y, z.out, 1e-6);
    check_backward(pool, &s, wide, bx, by, ties);
    us_pool_free(pool);
    test_buf_free(bx);
    test_buf_free(by);
    free(x);
    free(wide);
    free(y);
}

static void max_agrees(void **state)
{
    (void)state;
    check((struct us_pool_shape){US_POOL_MAX, 8, 8, 32, 2, 2, 0}, false);
    check((struct us_pool_shape){US_POOL_MAX, 9, 7, 16, 3, 2, 1}, false);
    check((struct us_pool_shape){US_POOL_MAX, 9, 7, 16, 3, 2, 1}, true);
    check((struct us_pool_shape){US_POOL_MAX, 5, 6, 3, 3, 1, 1}, true);
    check((struct us_pool_shape){US_POOL_MAX, 7, 7, 17, 2, 3, 0}, false);
    /* Side by side, with pixels left over along one edge or both, and with ties. */
    check((struct us_pool_shape){US_POOL_MAX, 31, 31, 16, 2, 2, 0}, false);
    check((struct us_pool_shape){US_POOL_MAX, 15, 8, 48, 2, 2, 0}, true);
    check((struct us_pool_shape){US_POOL_MAX, 8, 11, 17, 3, 3, 0}, true);
}

static void global_max_agrees(void **state)
{
    (void)state;
    check((struct us_pool_shape){US_POOL_MAX, 3, 3, 256, 3, 1, 0}, false);
    check((struct us_pool_shape){US_POOL_MAX, 7, 7, 17, 7, 1, 0}, true);
    check((struct us_pool_shape){US_POOL_MAX, 5, 4, 16, 4, 2, 0}, false); /* one window, not over all */
}

static void average_agrees(void **state)
{
    (void)state;
    check((struct us_pool_shape){US_POOL_AVERAGE, 8, 8, 32, 2, 2, 0}, false);
    check((struct us_pool_shape){US_POOL_AVERAGE, 9, 7, 24, 3, 2, 1}, false);
    check((struct us_pool_shape){US_POOL_AVERAGE, 7, 7, 17, 2, 3, 0}, false);
    check((struct us_pool_shape){US_POOL_AVERAGE, 9, 7, 16, 2, 2, 0}, false);
}

static void global_average_agrees(void **state)
{
    (void)state;
    check((struct us_pool_shape){US_POOL_AVERAGE, 8, 8, 64, 8, 1, 0}, false);
    check((struct us_pool_shape){US_POOL_AVERAGE, 7, 7, 512, 7, 1, 0}, false);
    check((struct us_pool_shape){US_POOL_AVERAGE, 1, 1, 17, 1, 1, 0}, false);
}

static void max_keeps_nan(void **state)
{
    (void)state;
    const struct us_pool_shape s = {US_POOL_MAX, 2, 2, 16, 2, 2, 0};
    struct us_pool *pool = NULL;
    float x[N * 64] = {0};
    x[5] = x[3 * 16 + 6] = NAN; /* first pixel, last pixel */
    struct us_buf *bx = test_buf(N * 64, x), *by = test_buf(N * 16, NULL);
    assert_ok(us_pool_new(test_device(), &s, &pool));
    assert_ok(us_pool_forward(pool, N, bx, by));
    float *y = test_buf_read(by);
    assert_true(isnan(y[5]) && isnan(y[6]) && y[7] == 0);
    free(y);
    us_pool_free(pool);
    test_buf_free(bx);
    test_buf_free(by);
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    const struct us_pool_shape bad[] = {
        {US_POOL_MAX, 8, 8, 16, 3, 2, 2},
        {US_POOL_MAX, 2, 8, 16, 3, 2, 0},
        {US_POOL_MAX, 8, 8, 0, 3, 2, 1},
    };
    struct us_pool *pool = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(UNSEEN_USAGE, "pool", us_pool_new(test_device(), &bad[i], &pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_agrees),     cmocka_unit_test(global_max_agrees),
        cmocka_unit_test(average_agrees), cmocka_unit_test(global_average_agrees),
        cmocka_unit_test(max_keeps_nan),  cmocka_unit_test(refuses_what_does_not_fit),
    };
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
