#include "config.h"

#include "ops/conv/conv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/support/cmocka.h"
#include "t/support/conv.h"
#include "t/support/device.h"

/* Odd channel counts and sizes, both register tiles, taps that fall outside, strides that leave pixels
 * without a tap, several blocks of k, several parts of the weight gradient, several tiles a work-item. */
static const struct us_conv_shape shapes[] = {
    {.n = 2, .h = 5, .w = 7, .cin = 3, .cout = 5, .kernel = 3, .stride = 1, .pad = 1},
    {.n = 3, .h = 6, .w = 6, .cin = 17, .cout = 33, .kernel = 3, .stride = 2, .pad = 1},
    {.n = 2, .h = 13, .w = 12, .cin = 3, .cout = 16, .kernel = 7, .stride = 2, .pad = 3},
    {.n = 9, .h = 8, .w = 8, .cin = 32, .cout = 48, .kernel = 1, .stride = 1, .pad = 0},
    {.n = 3, .h = 7, .w = 9, .cin = 16, .cout = 32, .kernel = 1, .stride = 2, .pad = 0},
    {.n = 5, .h = 4, .w = 4, .cin = 64, .cout = 16, .kernel = 3, .stride = 1, .pad = 1},
    {.n = 2, .h = 9, .w = 11, .cin = 16, .cout = 48, .kernel = 3, .stride = 2, .pad = 1},
    {.n = 1, .h = 8, .w = 6, .cin = 4, .cout = 4, .kernel = 2, .stride = 3, .pad = 0},
    {.n = 7, .h = 16, .w = 16, .cin = 4, .cout = 40, .kernel = 3, .stride = 1, .pad = 1},
    /* From here on enough images, small enough, to go through them a place at a time. */
    {.n = 32, .h = 4, .w = 4, .cin = 16, .cout = 40, .kernel = 3, .stride = 1, .pad = 1},
    {.n = 64, .h = 5, .w = 4, .cin = 16, .cout = 48, .kernel = 3, .stride = 2, .pad = 1},
    {.n = 12, .h = 3, .w = 3, .cin = 144, .cout = 40, .kernel = 3, .stride = 1, .pad = 1},
    {.n = 36, .h = 2, .w = 2, .cin = 3, .cout = 5, .kernel = 5, .stride = 1, .pad = 3},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* For bf16: odd numbers of pixels, odd rows, columns that fill half a register tile, several blocks of k. */
static const struct us_conv_shape shapes_bf16[] = {
    {3, 7, 9, 16, 48, 3, 1, 1, UNSEEN_BF16},  {1, 5, 5, 16, 16, 3, 2, 1, UNSEEN_BF16},
    {9, 8, 8, 32, 48, 1, 1, 0, UNSEEN_BF16},  {3, 7, 9, 16, 32, 1, 2, 0, UNSEEN_BF16},
    {5, 5, 4, 80, 16, 3, 1, 1, UNSEEN_BF16},  {2, 13, 11, 48, 16, 5, 2, 2, UNSEEN_BF16},
    {32, 4, 4, 16, 80, 3, 1, 1, UNSEEN_BF16}, {67, 5, 4, 16, 48, 3, 2, 1, UNSEEN_BF16},
    {13, 3, 3, 144, 48, 3, 1, 1, UNSEEN_BF16}};
enum { SHAPES_BF16 = sizeof shapes_bf16 / sizeof *shapes_bf16 };

static double *doubles(const float *from, size_t n)
{
    double *to = calloc(n ? n : 1, sizeof *to);
    assert_non_null(to);
    for (size_t i = 0; from && i < n; i++)
        to[i] = from[i];
    return to;
}

/* As convolutions of that precision read them: to nearest, ties to even. */
static double *inputs(const float *from, size_t n, enum unseen_precision precision)
{
    double *to = doubles(from, n);
    for (size_t i = 0; precision == UNSEEN_BF16 && i < n; i++) {
        uint32_t bits;
        float rounded;
        memcpy(&bits, &from[i], sizeof bits);
        bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
        memcpy(&rounded, &bits, sizeof rounded);
        to[i] = rounded;
    }
    return to;
}

/* One convolution with all that its three calls need. */
struct fixture {
    struct us_conv_shape shape;
    int n;
    struct test_conv_sizes z;
    struct us_conv *conv;
    float *x, *w, *dy, *dx0;
    struct us_buf *bx, *bw, *bdy, *work;
};

static void set_up(struct fixture *f, const struct us_conv_shape *shape, int n, const char *algorithm)
{
    const char *wish[US_CONV_DIRECTIONS];
    for (int i = 0; i < US_CONV_DIRECTIONS; i++)
        wish[i] =
            us_conv_suits(test_device(), algorithm, shape, (enum us_conv_direction)i) ? algorithm : NULL;
    if (strstr(algorithm, "-bf16") && !wish[US_CONV_BWD_WEIGHTS])
        wish[US_CONV_BWD_WEIGHTS] = strstr(algorithm, "amx") ? "amx-bf16-weights" : "paired-bf16";
    memset(f, 0, sizeof *f);
    f->shape = *shape;
    f->n = n;
    f->z = test_conv_sizes(shape, n);
    assert_ok(us_conv_new(test_device(), shape, wish, &f->conv));
    f->x = test_random(1, f->z.x, -1.0f, 1.0f);
    f->w = test_random(2, f->z.w, -1.0f, 1.0f);
    f->dy = test_random(3, f->z.y, -1.0f, 1.0f);
    f->dx0 = test_random(4, f->z.x, -1.0f, 1.0f);
    f->bx = test_buf(f->z.x, f->x);
    f->bw = test_buf(f->z.w, f->w);
    f->bdy = test_buf(f->z.y, f->dy);
    f->work = test_buf(us_conv_workspace(f->conv) / sizeof(float), NULL);
}

static void tear_down(struct fixture *f)
{
    struct us_buf *bufs[] = {f->bx, f->bw, f->bdy, f->work};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        test_buf_free(bufs[i]);
    us_conv_free(f->conv);
    free(f->x);
    free(f->w);
    free(f->dy);
    free(f->dx0);
}

/* The three results, each in a fresh guarded buffer. */
struct results {
    struct us_buf *y, *dx, *dw;
};

static struct results run(struct fixture *f, bool accumulate)
{
    struct results r = {.y = test_buf(f->z.y, NULL),
                        .dx = test_buf(f->z.x, accumulate ? f->dx0 : NULL),
                        .dw = test_buf(f->z.w, NULL)};
    assert_ok(us_conv_forward(f->conv, f->n, f->bx, f->bw, f->work, r.y));
    assert_ok(us_conv_backward_data(f->conv, f->n, f->bdy, f->bw, f->work, accumulate, r.dx));
    assert_ok(us_conv_backward_weights(f->conv, f->n, f->bx, f->bdy, f->work, r.dw));
    return r;
}

static void free_results(struct results *r)
{
    test_buf_free(r->y);
    test_buf_free(r->dx);
    test_buf_free(r->dw);
}

static void check(const struct us_conv_shape *shape, int n, const char *algorithm, bool accumulate)
{
    struct fixture f;
    set_up(&f, shape, n, algorithm);
    double *x = inputs(f.x, f.z.x, shape->precision), *w = inputs(f.w, f.z.w, shape->precision);
    double *dy = inputs(f.dy, f.z.y, shape->precision);
    double *y = doubles(NULL, f.z.y), *dx = doubles(accumulate ? f.dx0 : NULL, f.z.x);
    double *dw = doubles(NULL, f.z.w);
    test_conv_reference(shape, n,
                        &(struct test_conv_pass){.x = x, .w = w, .dy = dy, .y = y, .dx = dx, .dw = dw});
    struct results r = run(&f, accumulate);
    /* Winograd rounds what it has transformed, in which errors are several times those of its inputs. */
    const double bound = strcmp(algorithm, "winograd4-bf16") ? 1e-5 : 5e-2;
    test_buf_close("y", r.y, y, f.z.y, bound);
    test_buf_close("dx", r.dx, dx, f.z.x, bound);
    test_buf_close("dw", r.dw, dw, f.z.w, 1e-5);
    free_results(&r);
    tear_down(&f);
    double *all[] = {x, w, dy, y, dx, dw};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void direct_matches(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        check(&shapes[i], shapes[i].n, "direct", i % 2);
}

static void bf16_matches(void **state)
{
    (void)state;
    if (!us_device_has_bf16(test_device()))
        skip();
    for (int i = 0; i < SHAPES_BF16; i++)
        check(&shapes_bf16[i], shapes_bf16[i].n, "direct-bf16", i % 2);
    check(&shapes_bf16[6], 21, "direct-bf16", true);
    for (int i = 0; i < SHAPES_BF16; i++)
        if (us_conv_suits(test_device(), "winograd4-bf16", &shapes_bf16[i], US_CONV_FORWARD))
            check(&shapes_bf16[i], shapes_bf16[i].n, "winograd4-bf16", i % 2);
}

static bool lacks_tiles(void)
{
    if (us_device_has_tiles(test_device()))
        return false;
    printf("# no AMX tiles, or none that the OpenCL compiler reaches\n");
    return true;
}

/* Groups of 32 images that are not full, and rows that have to be cut. */
static void amx_matches(void **state)
{
    (void)state;
    static const struct us_conv_shape wide = {18, 3, 40, 144, 16, 3, 1, 1, UNSEEN_BF16};
    if (lacks_tiles())
        skip();
    for (int i = 0; i < SHAPES_BF16; i++) {
        struct us_conv_shape shape = shapes_bf16[i];
        shape.n += 30;
        check(&shape, shape.n, "amx-bf16", i % 2);
    }
    check(&wide, wide.n, "amx-bf16", false);
    check(&wide, 3, "amx-bf16", true);
}

/* Where channels are no multiples of 16 convolutions stay in float32. */
static void bf16_leaves_out_odd_channels(void **state)
{
    (void)state;
    struct us_conv_shape shape = shapes[0];
    shape.precision = UNSEEN_BF16;
    struct us_conv *conv = NULL;
    if (us_device_precision(test_device(), UNSEEN_BF16)) {
        assert_int_equal(us_conv_new(test_device(), &shape, NULL, &conv), UNSEEN_USAGE);
        return;
    }
    assert_ok(us_conv_new(test_device(), &shape, NULL, &conv));
    assert_string_not_equal(us_conv_algorithm_name(conv, US_CONV_FORWARD), "direct-bf16");
    us_conv_free(conv);
    shape = shapes_bf16[0];
    assert_int_equal(us_conv_suits(test_device(), "direct-bf16", &shape, US_CONV_FORWARD),
                     us_device_has_bf16(test_device()));
    shape.precision = UNSEEN_FLOAT32;
    assert_false(us_conv_suits(test_device(), "direct-bf16", &shape, US_CONV_FORWARD));
}

static void others_match(void **state)
{
    (void)state;
    static const char *const names[] = {"stem", "winograd2", "winograd4"};
    for (int i = 0; i < SHAPES; i++)
        for (size_t a = 0; a < sizeof names / sizeof *names; a++)
            if (us_conv_suits(test_device(), names[a], &shapes[i], US_CONV_FORWARD))
                check(&shapes[i], shapes[i].n, names[a], i % 2);
}

static void im2col_matches(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        check(&shapes[i], shapes[i].n, "im2col", i % 2);
}

static void fewer_images_than_prepared(void **state)
{
    (void)state;
    check(&shapes[3], 1, "direct", true);
    check(&shapes[3], 4, "im2col", true);
    check(&shapes[1], 2, "direct", false);
    check(&shapes[9], 21, "direct", true);
    check(&shapes[8], 3, "winograd4", false);
    check(&shapes[11], 5, "winograd4", true);
    check(&shapes[1], 2, "im2col", false);
}

/* 64 MiB of columns hold 41 of these images. */
static void im2col_goes_in_chunks(void **state)
{
    (void)state;
    const struct us_conv_shape s = {
        .n = 43, .h = 64, .w = 64, .cin = 2, .cout = 1, .kernel = 7, .stride = 1, .pad = 3};
    check(&s, s.n, "im2col", true);
}

/* sum(y * dy) as a function of x or of the weights. */
struct objective {
    const struct us_conv_shape *shape;
    const double *other, *dy;
    bool of_weights;
};

static double objective(const double *at, size_t n, void *context)
{
    (void)n;
    const struct objective *o = context;
    const struct test_conv_sizes z = test_conv_sizes(o->shape, o->shape->n);
    double *y = doubles(NULL, z.y), sum = 0.0;
    struct test_conv_pass p = {
        .x = o->of_weights ? o->other : at, .w = o->of_weights ? at : o->other, .y = y};
    test_conv_reference(o->shape, o->shape->n, &p);
    for (size_t i = 0; i < z.y; i++)
        sum += y[i] * o->dy[i];
    free(y);
    return sum;
}

static void gradients_are_slopes(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, &shapes[0], shapes[0].n, "direct");
    struct results r = run(&f, false);
    double *x = doubles(f.x, f.z.x), *w = doubles(f.w, f.z.w), *dy = doubles(f.dy, f.z.y);
    float *dx = test_buf_read(r.dx), *dw = test_buf_read(r.dw);
    struct objective o = {.shape = &f.shape, .other = w, .dy = dy};
    test_gradient("dx", objective, &o, x, dx, f.z.x, 1e-4);
    o = (struct objective){.shape = &f.shape, .other = x, .dy = dy, .of_weights = true};
    test_gradient("dw", objective, &o, w, dw, f.z.w, 1e-4);
    free(x);
    free(w);
    free(dy);
    free(dx);
    free(dw);
    free_results(&r);
    tear_down(&f);
}

static void assert_same_bits(struct us_buf *a, struct us_buf *b, size_t n)
{
    float *p = test_buf_read(a), *q = test_buf_read(b);
    assert_memory_equal(p, q, n * sizeof *p);
    free(p);
    free(q);
}

static void repeats_are_equal(void **state)
{
    (void)state;
    struct us_conv_shape shape = shapes[5];
    if (us_device_has_bf16(test_device()))
        shape.precision = UNSEEN_BF16;
    for (int a = 0; us_conv_algorithm_at(a); a++) {
        struct fixture f;
        if (!us_conv_suits(test_device(), us_conv_algorithm_at(a), &shape, US_CONV_FORWARD))
            continue;
        set_up(&f, &shape, shape.n, us_conv_algorithm_at(a));
        struct results one = run(&f, true), two = run(&f, true);
        assert_same_bits(one.y, two.y, f.z.y);
        assert_same_bits(one.dx, two.dx, f.z.x);
        assert_same_bits(one.dw, two.dw, f.z.w);
        free_results(&one);
        free_results(&two);
        tear_down(&f);
    }
}

static void refuses_nonsense(void **state)
{
    (void)state;
    struct us_conv *conv = NULL;
    struct us_conv_shape bad = shapes[0];
    bad.kernel = 9;
    assert_int_equal(us_conv_new(test_device(), &bad, NULL, &conv), UNSEEN_USAGE);
    bad = shapes[0];
    bad.stride = 0;
    assert_int_equal(us_conv_new(test_device(), &bad, NULL, &conv), UNSEEN_USAGE);
    assert_int_equal(setenv("UNSEEN_CONV", "fast", 1), 0);
    assert_int_equal(us_conv_new(test_device(), &shapes[0], NULL, &conv), UNSEEN_USAGE);
    assert_int_equal(setenv("UNSEEN_CONV", "im2col", 1), 0);
    assert_ok(us_conv_new(test_device(), &shapes[0], NULL, &conv));
    assert_string_equal(us_conv_algorithm_name(conv, US_CONV_BWD_DATA), "im2col");
    assert_int_equal(us_conv_forward(conv, shapes[0].n + 1, NULL, NULL, NULL, NULL), UNSEEN_USAGE);
    assert_int_equal(us_conv_forward(conv, 1, NULL, NULL, NULL, NULL), UNSEEN_USAGE);
    us_conv_free(conv);
    unsetenv("UNSEEN_CONV");
}

static void counts_flops(void **state)
{
    (void)state;
    const struct us_conv_shape s = {
        .n = 8, .h = 4, .w = 4, .cin = 2, .cout = 3, .kernel = 3, .stride = 1, .pad = 1};
    assert_true(us_conv_flops(&s, 5) == 2.0 * 5 * 16 * 3 * 2 * 9);
}

int main(void)
{
    cmocka_set_message_output(CM_OUTPUT_TAP);
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct_matches),
        cmocka_unit_test(bf16_matches),
        cmocka_unit_test(amx_matches),
        cmocka_unit_test(bf16_leaves_out_odd_channels),
        cmocka_unit_test(im2col_matches),
        cmocka_unit_test(others_match),
        cmocka_unit_test(fewer_images_than_prepared),
        cmocka_unit_test(im2col_goes_in_chunks),
        cmocka_unit_test(gradients_are_slopes),
        cmocka_unit_test(repeats_are_equal),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(counts_flops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
