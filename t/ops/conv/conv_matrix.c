/* Convolutions on matrix units, and on other devices' units emulated. Operands are small whole numbers, which
 * every precision holds and whose sums are exact in any order: results must have the reference's bits. */
#include "config.h"

#include "device/matrix.h"
#include "ops/conv/conv.h"

#include <stdlib.h>
#include <string.h>

#include "t/support/cmocka.h"
#include "t/support/device.h"
#include "t/support/emulated.h"

/* Tiles with rows and columns to spare, both steps of the reduction, taps outside the image, strides that
 * leave pixels without a tap, several parts of the weight gradient that images begin and end in. */
static const struct us_conv_shape shapes[] = {
    {.n = 3, .h = 7, .w = 9, .cin = 16, .cout = 48, .kernel = 3, .stride = 1, .pad = 1},
    {.n = 5, .h = 9, .w = 8, .cin = 32, .cout = 16, .kernel = 3, .stride = 2, .pad = 1},
    {.n = 4, .h = 7, .w = 6, .cin = 48, .cout = 32, .kernel = 1, .stride = 2, .pad = 0},
    {.n = 2, .h = 5, .w = 4, .cin = 16, .cout = 80, .kernel = 2, .stride = 3, .pad = 2},
    {.n = 70, .h = 2, .w = 3, .cin = 64, .cout = 16, .kernel = 3, .stride = 1, .pad = 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static float *whole(uint64_t seed, size_t n)
{
    float *values = test_random(seed, n, -4.0f, 5.0f);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)(int)values[i];
    return values;
}

struct operands {
    float *x, *w, *dy; /* given */
    float *y, *dx, *dw;
    size_t nx, nw, ny;
};

/* All three results, a product at a time. */
static void reference(const struct us_conv_shape *s, int n, struct operands *o)
{
    const int oh = us_conv_out(s->h, s->kernel, s->stride, s->pad);
    const int ow = us_conv_out(s->w, s->kernel, s->stride, s->pad);
    for (int i = 0; i < n * oh * ow * s->kernel * s->kernel; i++) {
        const int tap = i % (s->kernel * s->kernel), pixel = i / (s->kernel * s->kernel);
        const int iy = pixel / ow % oh * s->stride - s->pad + tap / s->kernel;
        const int ix = pixel % ow * s->stride - s->pad + tap % s->kernel;
        if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w)
            continue;
        const int at = ((pixel / ow / oh * s->h + iy) * s->w + ix) * s->cin;
        for (int ci = 0; ci < s->cin; ci++)
            for (int co = 0; co < s->cout; co++) {
                const int w = (tap * s->cin + ci) * s->cout + co, y = pixel * s->cout + co;
                o->y[y] += o->x[at + ci] * o->w[w];
                o->dx[at + ci] += o->dy[y] * o->w[w];
                o->dw[w] += o->x[at + ci] * o->dy[y];
            }
    }
}

static void expect(const char *what, struct us_buf *got, const float *want, size_t n)
{
    float *values = test_buf_read(got);
    for (size_t i = 0; i < n; i++)
        if (values[i] != want[i])
            fail_msg("%s[%zu] is %g, not %g", what, i, (double)values[i], (double)want[i]);
    free(values);
    test_buf_free(got);
}

/* `n` images with a convolution that is prepared for shape->n. */
static void check(const struct us_conv_shape *shape, int n, bool accumulate)
{
    const char *names[UNSEEN_PRECISIONS] = {
        [UNSEEN_BF16] = "matrix-bf16", [UNSEEN_F16] = "matrix-f16", [UNSEEN_TF32] = "matrix-tf32"};
    const char *name = names[shape->precision];
    const char *const wish[US_CONV_DIRECTIONS] = {name, name, name};
    struct us_conv *conv;
    struct operands o = {.nx = (size_t)(n * shape->h * shape->w * shape->cin),
                         .nw = (size_t)(shape->kernel * shape->kernel * shape->cin * shape->cout)};
    o.ny = (size_t)(n * us_conv_out(shape->h, shape->kernel, shape->stride, shape->pad) *
                    us_conv_out(shape->w, shape->kernel, shape->stride, shape->pad) * shape->cout);
    o.x = whole(1, o.nx), o.w = whole(2, o.nw), o.dy = whole(3, o.ny), o.dx = whole(4, o.nx);
    struct us_buf *dx = test_buf(o.nx, accumulate ? o.dx : NULL);
    if (!accumulate)
        memset(o.dx, 0, o.nx * sizeof *o.dx);
    assert_non_null(o.y = calloc(o.ny, sizeof *o.y));
    assert_non_null(o.dw = calloc(o.nw, sizeof *o.dw));
    reference(shape, n, &o);
    assert_ok(us_conv_new(test_device(), shape, wish, &conv));
    struct us_buf *x = test_buf(o.nx, o.x), *w = test_buf(o.nw, o.w), *dy = test_buf(o.ny, o.dy);
    struct us_buf *y = test_buf(o.ny, NULL), *dw = test_buf(o.nw, NULL);
    struct us_buf *work = test_buf(us_conv_workspace(conv) / sizeof(float), NULL);
    assert_ok(us_conv_forward(conv, n, x, w, work, y));
    assert_ok(us_conv_backward_data(conv, n, dy, w, work, accumulate, dx));
    assert_ok(us_conv_backward_weights(conv, n, x, dy, work, dw));
    expect("y", y, o.y, o.ny);
    expect("dx", dx, o.dx, o.nx);
    expect("dw", dw, o.dw, o.nw);
    struct us_buf *bufs[] = {x, w, dy, work};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        test_buf_free(bufs[i]);
    us_conv_free(conv);
    float *all[] = {o.x, o.w, o.dy, o.y, o.dx, o.dw};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void unit_matches(void **state)
{
    const struct us_matrix_unit *unit = *state;
    int tried = 0;
    test_take_unit(unit);
    for (int p = UNSEEN_BF16; p < UNSEEN_PRECISIONS; p++) {
        const enum unseen_precision precision = (enum unseen_precision)p;
        const char *why_not = us_matrix_try(test_device(), precision, unit);
        /* One that is meant for any device has to work here. */
        if (why_not && (unit->precisions & 1u << p) && unit->made_for == US_MATRIX_FOR_ALL)
            fail_msg("%s in %s: %s", unit->name, unseen_precision_name(precision), why_not);
        for (int i = 0; i < SHAPES && !why_not; i++, tried++) {
            struct us_conv_shape shape = shapes[i];
            shape.precision = precision;
            /* PoCL takes half a second for each program: of emulated units the self-test does for bf16. */
            if (unit->by_name && (p == UNSEEN_BF16 || shape.cin != 16))
                continue;
            check(&shape, i == 4 ? 67 : shape.n, i % 2);
        }
    }
    test_leave_unit();
    if (!tried)
        skip();
}

static void unknown_units_are_refused(void **state)
{
    (void)state;
    struct us_conv_shape shape = shapes[0];
    struct us_conv *conv = NULL;
    shape.precision = UNSEEN_F16;
    assert_int_equal(setenv("UNSEEN_MATRIX", "abacus", 1), 0);
    assert_int_equal(us_conv_new(test_device(), &shape, NULL, &conv), UNSEEN_USAGE);
    assert_non_null(strstr(unseen_last_error(), "abacus"));
    unsetenv("UNSEEN_MATRIX");
}

/* Who asks for f16 gets it, but for channels that it has no kernel for. */
static void f16_is_taken(void **state)
{
    (void)state;
    struct us_conv_shape shape = shapes[0];
    struct us_conv *conv;
    shape.precision = UNSEEN_F16;
    assert_ok(us_conv_new(test_device(), &shape, NULL, &conv));
    assert_string_equal(us_conv_algorithm_name(conv, US_CONV_BWD_DATA), "matrix-f16");
    us_conv_free(conv);
    shape.cin = 3;
    assert_ok(us_conv_new(test_device(), &shape, NULL, &conv));
    assert_string_not_equal(us_conv_algorithm_name(conv, US_CONV_FORWARD), "matrix-f16");
    us_conv_free(conv);
}

int main(void)
{
    cmocka_set_message_output(CM_OUTPUT_TAP);
    test_device();
    test_add_emulated();
    struct CMUnitTest tests[US_MATRIX_UNITS + 2] = {cmocka_unit_test(unknown_units_are_refused),
                                                    cmocka_unit_test(f16_is_taken)};
    const struct us_matrix_unit *unit;
    size_t n = 2;
    for (int i = 0; (unit = us_matrix_unit_at(i)); i++)
        tests[n++] = (struct CMUnitTest){unit->name, unit_matches, NULL, NULL, (void *)(uintptr_t)unit};
    return _cmocka_run_group_tests("conv_matrix", tests, n, NULL, NULL);
}
