#include "config.h"

#include "ops/linear.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/device.h"

/* A layer, its host arrays and their sizes. */
struct layer {
    int n, in, out;
    float scale;
    struct us_linear *linear;
    struct us_buf *work;
    size_t x_floats, w_floats, y_floats;
    float *x, *w, *b, *dy, *old_dx;
};

static void make_layer(struct layer *l, int n, int in, int out, float scale)
{
    *l = (struct layer){.n = n,
                        .in = in,
                        .out = out,
                        .scale = scale,
                        .x_floats = (size_t)n * (size_t)in,
                        .w_floats = (size_t)out * (size_t)in,
                        .y_floats = (size_t)n * (size_t)out};
    l->x = test_random(1, l->x_floats, -1, 1);
    l->w = test_random(2, l->w_floats, -1, 1);
    l->b = test_random(3, (size_t)out, -1, 1);
    l->dy = test_random(4, l->y_floats, -1, 1);
    l->old_dx = test_random(5, l->x_floats, -1, 1);
    assert_ok(us_linear_new(test_device(), n, in, out, scale, &l->linear));
    l->work = test_buf(us_linear_workspace(l->linear) / sizeof(float), NULL);
}

static void free_layer(struct layer *l)
{
    free(l->x);
    free(l->w);
    free(l->b);
    free(l->dy);
    free(l->old_dx);
    us_linear_free(l->linear);
    test_buf_free(l->work);
}

static double *doubles(size_t n)
{
    double *values = calloc(n, sizeof *values);
    assert_non_null(values);
    return values;
}

static void check_forward(const struct layer *l, struct us_buf *x, struct us_buf *w, bool bias)
{
    struct us_buf *b = bias ? test_buf((size_t)l->out, l->b) : NULL, *y = test_buf(l->y_floats, NULL);
    double *want = doubles(l->y_floats);
    for (int r = 0; r < l->n; r++)
        for (int o = 0; o < l->out; o++) {
            double sum = bias ? (double)l->b[o] : 0;
            for (int i = 0; i < l->in; i++)
                sum += (double)l->x[r * l->in + i] * (double)l->w[o * l->in + i];
            want[r * l->out + o] = (double)l->scale * sum;
        }
    assert_ok(us_linear_forward(l->linear, l->n, x, w, b, l->work, y));
    test_buf_close("y", y, want, l->y_floats, 1e-5);
    free(want);
    test_buf_free(b);
    test_buf_free(y);
}

static void check_backward(const struct layer *l, struct us_buf *x, struct us_buf *w, bool accumulate)
{
    struct us_buf *dy = test_buf(l->y_floats, l->dy), *dw = test_buf(l->w_floats, NULL);
    struct us_buf *db = test_buf((size_t)l->out, NULL);
    struct us_buf *dx = test_buf(l->x_floats, accumulate ? l->old_dx : NULL);
    double *want_dw = doubles(l->w_floats), *want_db = doubles((size_t)l->out),
           *want_dx = doubles(l->x_floats);
    for (size_t i = 0; accumulate && i < l->x_floats; i++)
        want_dx[i] = (double)l->old_dx[i];
    for (int r = 0; r < l->n; r++)
        for (int o = 0; o < l->out; o++) {
            double g = (double)l->scale * (double)l->dy[r * l->out + o];
            want_db[o] += g;
            for (int i = 0; i < l->in; i++) {
                want_dw[o * l->in + i] += g * (double)l->x[r * l->in + i];
                want_dx[r * l->in + i] += g * (double)l->w[o * l->in + i];
            }
        }
    assert_ok(us_linear_backward(l->linear, l->n, x, dy, w, l->work, dw, db, accumulate, dx));
    test_buf_close("dweights", dw, want_dw, l->w_floats, 1e-5);
    test_buf_close("dbias", db, want_db, (size_t)l->out, 1e-5);
    test_buf_close("dx", dx, want_dx, l->x_floats, 1e-5);
    test_buf_free(dy);
    dy = test_buf(l->y_floats, l->dy);
    assert_ok(us_linear_backward(l->linear, l->n, x, dy, w, l->work, dw, NULL, false, NULL));
    test_buf_close("dweights alone", dw, want_dw, l->w_floats, 1e-5);
    free(want_dw);
    free(want_db);
    free(want_dx);
    test_buf_free(dy);
    test_buf_free(dw);
    test_buf_free(db);
    test_buf_free(dx);
}

static void check(int n, int in, int out, float scale)
{
    struct layer l;
    printf("# %d rows, %d to %d\n", n, in, out);
    make_layer(&l, n, in, out, scale);
    struct us_buf *x = test_buf(l.x_floats, l.x), *w = test_buf(l.w_floats, l.w);
    check_forward(&l, x, w, true);
    check_forward(&l, x, w, false);
    check_backward(&l, x, w, false);
    check_backward(&l, x, w, true);
    test_buf_free(x);
    test_buf_free(w);
    free_layer(&l);
}

static void agrees_with_reference(void **state)
{
    (void)state;
    check(128, 64, 10, 1);
    check(33, 17, 100, 1);
    check(1, 512, 10, 1);
    check(3, 5, 1, 1);
    check(16, 128, 37, 1);
    check(17, 256, 10, 1.0f / 9.0f);
}

/* y is linear in x, weights and bias, so differences in double are exact but for rounding. */
static double objective(const double *w, size_t n, void *context)
{
    const struct layer *l = context;
    double total = 0;
    (void)n;
    for (int r = 0; r < l->n; r++)
        for (int o = 0; o < l->out; o++)
            for (int i = 0; i < l->in; i++)
                total += (double)l->dy[r * l->out + o] * (double)l->x[r * l->in + i] * w[o * l->in + i];
    return total;
}

static void gradient_of_differences(void **state)
{
    (void)state;
    struct layer l;
    make_layer(&l, 9, 12, 10, 1);
    struct us_buf *x = test_buf(l.x_floats, l.x), *w = test_buf(l.w_floats, l.w),
                  *dy = test_buf(l.y_floats, l.dy);
    struct us_buf *dw = test_buf(l.w_floats, NULL), *db = test_buf(10, NULL);
    double *wide = doubles(l.w_floats);
    for (size_t i = 0; i < l.w_floats; i++)
        wide[i] = (double)l.w[i];
    assert_ok(us_linear_backward(l.linear, 9, x, dy, w, l.work, dw, db, false, NULL));
    float *gradient = test_buf_read(dw);
    test_gradient("dweights", objective, &l, wide, gradient, l.w_floats, 1e-5);
    free(gradient);
    free(wide);
    test_buf_free(x);
    test_buf_free(w);
    test_buf_free(dy);
    test_buf_free(dw);
    test_buf_free(db);
    free_layer(&l);
}

static void repeats_bit_for_bit(void **state)
{
    (void)state;
    struct layer l;
    make_layer(&l, 128, 64, 10, 1);
    struct us_buf *x = test_buf(l.x_floats, l.x), *w = test_buf(l.w_floats, l.w), *b = test_buf(10, l.b);
    struct us_buf *first = test_buf(l.y_floats, NULL), *second = test_buf(l.y_floats, NULL);
    assert_ok(us_linear_forward(l.linear, 128, x, w, b, l.work, first));
    assert_ok(us_linear_forward(l.linear, 128, x, w, b, l.work, second));
    float *a = test_buf_read(first), *c = test_buf_read(second);
    assert_memory_equal(a, c, l.y_floats * sizeof *a);
    free(a);
    free(c);
    test_buf_free(x);
    test_buf_free(w);
    test_buf_free(b);
    test_buf_free(first);
    test_buf_free(second);
    free_layer(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_reference),
        cmocka_unit_test(gradient_of_differences),
        cmocka_unit_test(repeats_bit_for_bit),
    };
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
