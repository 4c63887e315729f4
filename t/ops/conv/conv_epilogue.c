#include "config.h"

#include "ops/conv/conv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/matrix.h"
#include "ops/batchnorm.h"
#include "t/support/activation.h"
#include "t/support/cmocka.h"
#include "t/support/device.h"
#include "t/support/emulated.h"

/* Odd channel counts and sizes, both register tiles, several blocks of k, tiles that reach beyond the image,
 * places of many images, no taps at all, and more blocks of moments than are merged at once. */
static const struct us_conv_shape shapes[] = {
    {.n = 2, .h = 5, .w = 7, .cin = 3, .cout = 5, .kernel = 3, .stride = 1, .pad = 1},
    {.n = 3, .h = 6, .w = 6, .cin = 17, .cout = 33, .kernel = 3, .stride = 2, .pad = 1},
    {.n = 2, .h = 13, .w = 12, .cin = 3, .cout = 40, .kernel = 7, .stride = 2, .pad = 3},
    {.n = 3, .h = 7, .w = 9, .cin = 16, .cout = 32, .kernel = 1, .stride = 2, .pad = 0},
    {.n = 5, .h = 9, .w = 11, .cin = 48, .cout = 16, .kernel = 3, .stride = 1, .pad = 1},
    {.n = 12, .h = 3, .w = 3, .cin = 144, .cout = 40, .kernel = 3, .stride = 1, .pad = 1},
    {.n = 36, .h = 2, .w = 2, .cin = 3, .cout = 5, .kernel = 5, .stride = 1, .pad = 3},
    {.n = 9, .h = 33, .w = 31, .cin = 16, .cout = 16, .kernel = 3, .stride = 1, .pad = 0},
};
static const struct us_conv_shape shapes_bf16[] = {
    {3, 7, 9, 16, 48, 3, 1, 1, UNSEEN_BF16},
    {5, 5, 4, 80, 16, 3, 1, 1, UNSEEN_BF16},
    {67, 5, 4, 16, 48, 3, 2, 1, UNSEEN_BF16},
    {33, 9, 11, 32, 32, 3, 1, 1, UNSEEN_BF16},
};

static const struct us_conv_shape shape_f16 = {5, 9, 7, 16, 80, 3, 1, 1, UNSEEN_F16};

/* One convolution whose plain output is known. */
struct fixture {
    struct us_conv *conv;
    int n;
    size_t rows, channels, floats; /* of y */
    struct us_buf *x, *w, *work;
    float *y;
};

/* The inputs' first channel is `level`, and each output's mean with it. */
static void set_up(struct fixture *f, const struct us_conv_shape *s, int n, const char *algorithm,
                   float level)
{
    const char *wish[US_CONV_DIRECTIONS] = {algorithm, "im2col", "im2col"}; /* builds next to nothing */
    const int oh = us_conv_out(s->h, s->kernel, s->stride, s->pad);
    const int ow = us_conv_out(s->w, s->kernel, s->stride, s->pad);
    const size_t n_x = (size_t)(n * s->h * s->w * s->cin);
    const size_t n_w = (size_t)(s->kernel * s->kernel * s->cin * s->cout);
    *f = (struct fixture){.n = n, .rows = (size_t)(n * oh * ow), .channels = (size_t)s->cout};
    f->floats = f->rows * f->channels;
    assert_ok(us_conv_new(test_device(), s, wish, &f->conv));
    float *x = test_random(1, n_x, -1.0f, 1.0f), *w = test_random(2, n_w, -1.0f, 1.0f);
    for (size_t i = 0; level > 0 && i < n_x; i += (size_t)s->cin)
        x[i] = level;
    for (size_t i = 0; level > 0 && i < n_w; i++)
        if (i / f->channels % (size_t)s->cin == 0)
            w[i] = i / f->channels / (size_t)s->cin == (size_t)(s->kernel * s->kernel / 2);
    f->x = test_buf(n_x, x);
    f->w = test_buf(n_w, w);
    f->work = test_buf(us_conv_workspace(f->conv) / sizeof(float), NULL);
    struct us_buf *y = test_buf(f->floats, NULL);
    assert_ok(us_conv_forward(f->conv, n, f->x, f->w, f->work, y));
    f->y = test_buf_read(y);
    test_buf_free(y);
    free(x);
    free(w);
}

static void tear_down(struct fixture *f)
{
    us_conv_free(f->conv);
    test_buf_free(f->x);
    test_buf_free(f->w);
    test_buf_free(f->work);
    free(f->y);
}

static void check_affine(struct fixture *f, bool add, enum us_activation act)
{
    float *affine = test_random(3, 2 * f->channels, -1.0f, 1.0f);
    float *residual = test_random(4, f->floats, -1.0f, 1.0f);
    double *want = calloc(f->floats, sizeof *want);
    assert_non_null(want);
    for (size_t i = 0; i < f->floats; i++) {
        const size_t c = i % f->channels;
        want[i] = (double)f->y[i] * (double)affine[c] + (double)affine[f->channels + c];
        want[i] += add ? (double)residual[i] : 0.0;
        want[i] = test_activated(act, want[i]);
    }
    const struct us_conv_epilogue epilogue = {.affine = test_buf(2 * f->channels, affine),
                                              .residual = add ? test_buf(f->floats, residual) : NULL,
                                              .act = act};
    struct us_buf *y = test_buf(f->floats, NULL);
    assert_ok(us_conv_forward_fused(f->conv, f->n, f->x, f->w, f->work, &epilogue, y));
    test_buf_close("y", y, want, f->floats, 1e-6);
    test_buf_free(y);
    test_buf_free(epilogue.affine);
    test_buf_free(epilogue.residual);
    free(affine);
    free(residual);
    free(want);
}

/* The mean and the variance of channel c of y, plainly. */
static void moments_of(const struct fixture *f, size_t c, double *mean, double *var)
{
    *mean = *var = 0.0;
    for (size_t r = 0; r < f->rows; r++)
        *mean += (double)f->y[r * f->channels + c] / (double)f->rows;
    for (size_t r = 0; r < f->rows; r++)
        *var += pow((double)f->y[r * f->channels + c] - *mean, 2.0) / (double)f->rows;
}

/* What batch norm makes of the moments, and that the outputs are those of the plain call. */
static void check_moments(struct fixture *f)
{
    enum { PARAMS = 6 };
    const size_t blocks = (size_t)us_conv_moment_blocks(f->conv, f->n), c = f->channels;
    struct us_batchnorm *bn = NULL;
    const struct us_batchnorm_spec spec = {(int)c, US_ACT_NONE, 1e-5, 0.1};
    assert_ok(us_batchnorm_new(test_device(), f->rows, &spec, &bn));
    struct us_buf *y = test_buf(f->floats, NULL), *out = test_buf(f->floats, NULL);
    struct us_buf *moments = test_buf(us_batchnorm_moments(bn, blocks) / sizeof(float), NULL);
    struct us_buf *param[PARAMS];
    float *init = test_random(5, c, 0.5f, 1.5f);
    for (int i = 0; i < PARAMS; i++)
        param[i] = test_buf(c, init);
    const struct us_batchnorm_params params = {.gamma = param[0],
                                               .beta = param[1],
                                               .running_mean = param[2],
                                               .running_var = param[3],
                                               .mean = param[4],
                                               .invstd = param[5]};
    const struct us_conv_epilogue epilogue = {.moments = moments};
    assert_ok(us_conv_forward_fused(f->conv, f->n, f->x, f->w, f->work, &epilogue, y));
    float *same = test_buf_read(y);
    assert_memory_equal(same, f->y, f->floats * sizeof(float));
    assert_ok(us_batchnorm_forward_moments(bn, f->rows, blocks, moments, y, NULL, &params, out));
    float *mean = test_buf_read(params.mean), *invstd = test_buf_read(params.invstd);
    for (size_t k = 0; k < c; k++) {
        double want, var;
        moments_of(f, k, &want, &var);
        assert_true(fabs((double)mean[k] - want) <= 1e-5 * sqrt(var) + 1e-6 * fabs(want));
        assert_true(fabs((double)invstd[k] * sqrt(var + 1e-5) - 1.0) <= 1e-5);
    }
    us_batchnorm_free(bn);
    test_buf_free(y);
    test_buf_free(out);
    test_buf_free(moments);
    for (int i = 0; i < PARAMS; i++)
        test_buf_free(param[i]);
    free(init);
    free(same);
    free(mean);
    free(invstd);
}

static void check(const struct us_conv_shape *s, int n, const char *algorithm)
{
    struct fixture f;
    set_up(&f, s, n, algorithm, 0.0f);
    printf("# %s: %d images of %dx%dx%d to %d\n", algorithm, n, s->h, s->w, s->cin, s->cout);
    check_affine(&f, false, US_ACT_NONE);
    check_affine(&f, true, US_ACT_RELU);
    check_affine(&f, false, US_ACT_GELU);
    check_moments(&f);
    tear_down(&f);
}

static void float32_matches(void **state)
{
    (void)state;
    static const char *const names[] = {
        "direct", "stem", "tiled", "winograd2", "winograd4", "winograd2-tiled", "winograd4-tiled"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t a = 0; a < sizeof names / sizeof *names; a++)
            if (us_conv_suits(test_device(), names[a], &shapes[i], US_CONV_FORWARD))
                check(&shapes[i], shapes[i].n, names[a]);
}

static void bf16_matches(void **state)
{
    (void)state;
    if (us_device_precision(test_device(), UNSEEN_BF16))
        skip();
    static const char *const names[] = {"amx-bf16", "direct-bf16", "matrix-bf16", "winograd4-bf16"};
    for (size_t i = 0; i < sizeof shapes_bf16 / sizeof *shapes_bf16; i++)
        for (size_t a = 0; a < sizeof names / sizeof *names; a++)
            if (us_conv_suits(test_device(), names[a], &shapes_bf16[i], US_CONV_FORWARD))
                check(&shapes_bf16[i], shapes_bf16[i].n, names[a]);
}

static void fewer_images_than_prepared(void **state)
{
    (void)state;
    check(&shapes[4], 2, "direct");
    check(&shapes[5], 7, "direct");
    check(&shapes[7], 1, "winograd4");
    check(&shapes[2], 1, "stem");
    check(&shapes[4], 1, "tiled");
    check(&shapes[4], 3, "winograd2-tiled");
    check(&shapes[5], 7, "winograd4-tiled");
    check(&shape_f16, 2, "matrix-f16");
}

/* A mean thousands of deviations off must not cost the variance its digits. */
static void far_from_zero(void **state)
{
    (void)state;
    static const char *const names[] = {"direct",          "winograd2",       "winograd4", "tiled",
                                        "winograd2-tiled", "winograd4-tiled", "stem",      "matrix-f16"};
    static const struct us_conv_shape shape = {
        .n = 9, .h = 33, .w = 31, .cin = 8, .cout = 24, .kernel = 3, .stride = 1, .pad = 1};
    for (size_t a = 0; a < sizeof names / sizeof *names; a++) {
        struct fixture f;
        struct us_conv_shape s = shape;
        if (!strcmp(names[a], "matrix-f16")) {
            s.cin = s.cout = 16;
            s.precision = UNSEEN_F16;
        }
        printf("# %s\n", names[a]);
        set_up(&f, &s, s.n, names[a], 3000.0f);
        check_moments(&f);
        tear_down(&f);
    }
}

/* What is transformed at a time is not all: two chunks of 150 tiles, or one and a few tiles. */
static void winograd_goes_in_chunks(void **state)
{
    (void)state;
    static const struct us_conv_shape shape = {
        .n = 300, .h = 1, .w = 1, .cin = 4, .cout = 2048, .kernel = 3, .stride = 1, .pad = 1};
    check(&shape, 300, "winograd4-tiled");
    check(&shape, 160, "winograd4-tiled");
}

/* Every layout of sums, those of other devices emulated; several tiles, the last ones not full. */
static void matrix_units_match(void **state)
{
    (void)state;
    const struct us_matrix_unit *unit;
    for (int i = 0; (unit = us_matrix_unit_at(i)); i++) {
        /* Emulation is the same in any shape, and takes PoCL seconds to compile. */
        if (unit->by_name && !us_device_is_cpu(test_device()))
            continue;
        test_take_unit(unit);
        if (!us_matrix_try(test_device(), UNSEEN_F16, unit)) {
            printf("# %s\n", unit->name);
            check(&shape_f16, shape_f16.n, "matrix-f16");
        }
        test_leave_unit();
    }
}

static void refuses_what_it_cannot(void **state)
{
    (void)state;
    const char *wish[US_CONV_DIRECTIONS] = {"im2col", NULL, NULL};
    const struct us_conv_epilogue epilogue = {.act = US_ACT_RELU};
    struct us_conv *conv = NULL;
    assert_ok(us_conv_new(test_device(), &shapes[0], wish, &conv));
    assert_int_equal(us_conv_moment_blocks(conv, 1), 0);
    assert_fails(UNSEEN_USAGE, "im2col", us_conv_forward_fused(conv, 1, NULL, NULL, NULL, &epilogue, NULL));
    us_conv_free(conv);
}

int main(void)
{
    test_device();
    test_add_emulated();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float32_matches),
        cmocka_unit_test(bf16_matches),
        cmocka_unit_test(fewer_images_than_prepared),
        cmocka_unit_test(far_from_zero),
        cmocka_unit_test(winograd_goes_in_chunks),
        cmocka_unit_test(matrix_units_match),
        cmocka_unit_test(refuses_what_it_cannot),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
