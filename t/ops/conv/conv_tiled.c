#include "config.h"

#include "ops/conv/conv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/tuning.h"
#include "support/cmocka.h"
#include "support/conv.h"
#include "support/device.h"

/* The kernels for GPUs alone, with every tile that is offered and some that are not. */

/* Channels that take loads of one, two and four; strides that leave pixels without a tap; kernels larger than
 * the image; several parts of the weight gradient. */
static const struct us_conv_shape shapes[] = {
    {.n = 2, .h = 5, .w = 7, .cin = 3, .cout = 5, .kernel = 3, .stride = 1, .pad = 1},
    {.n = 3, .h = 6, .w = 6, .cin = 18, .cout = 34, .kernel = 3, .stride = 2, .pad = 1},
    {.n = 2, .h = 13, .w = 12, .cin = 3, .cout = 16, .kernel = 7, .stride = 2, .pad = 3},
    {.n = 9, .h = 8, .w = 8, .cin = 32, .cout = 48, .kernel = 1, .stride = 1, .pad = 0},
    {.n = 3, .h = 7, .w = 9, .cin = 16, .cout = 20, .kernel = 1, .stride = 3, .pad = 0},
    {.n = 3, .h = 2, .w = 2, .cin = 4, .cout = 6, .kernel = 5, .stride = 1, .pad = 3},
};

/* Tiles that reach beyond the outputs, all paddings, loads of one, two and four. */
static const struct us_conv_shape small_kernels[] = {
    {.n = 2, .h = 5, .w = 7, .cin = 3, .cout = 5, .kernel = 3, .stride = 1, .pad = 1},
    {.n = 3, .h = 9, .w = 10, .cin = 8, .cout = 12, .kernel = 3, .stride = 1, .pad = 0},
    {.n = 2, .h = 6, .w = 3, .cin = 4, .cout = 6, .kernel = 3, .stride = 1, .pad = 2},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static double *widened(const float *from, size_t n)
{
    double *to = calloc(n, sizeof *to);
    assert_non_null(to);
    for (size_t i = 0; from && i < n; i++)
        to[i] = from[i];
    return to;
}

/* Inputs and what is to come of them. */
struct problem {
    const struct us_conv_shape *shape;
    struct test_conv_sizes z;
    float *x, *w, *dy, *dx0;
    double *want[US_CONV_DIRECTIONS];
};

static struct problem open_problem(const struct us_conv_shape *s)
{
    struct problem p = {.shape = s, .z = test_conv_sizes(s, s->n)};
    p.x = test_random(1, p.z.x, -1.0f, 1.0f);
    p.w = test_random(2, p.z.w, -1.0f, 1.0f);
    p.dy = test_random(3, p.z.y, -1.0f, 1.0f);
    p.dx0 = test_random(4, p.z.x, -1.0f, 1.0f);
    p.want[US_CONV_FORWARD] = widened(NULL, p.z.y);
    p.want[US_CONV_BWD_DATA] = widened(p.dx0, p.z.x);
    p.want[US_CONV_BWD_WEIGHTS] = widened(NULL, p.z.w);
    double *x = widened(p.x, p.z.x), *w = widened(p.w, p.z.w), *dy = widened(p.dy, p.z.y);
    test_conv_reference(s, s->n,
                        &(struct test_conv_pass){x, w, dy, p.want[US_CONV_FORWARD], p.want[US_CONV_BWD_DATA],
                                                 p.want[US_CONV_BWD_WEIGHTS]});
    free(x);
    free(w);
    free(dy);
    return p;
}

static void close_problem(struct problem *p)
{
    free(p->x);
    free(p->w);
    free(p->dy);
    free(p->dx0);
    for (int d = 0; d < US_CONV_DIRECTIONS; d++)
        free(p->want[d]);
}

static void check(const struct problem *p, enum us_conv_direction direction, const char *name)
{
    const char *wish[US_CONV_DIRECTIONS] = {"im2col", "im2col", "im2col"}; /* builds next to nothing */
    struct us_conv *conv = NULL;
    wish[direction] = name;
    assert_ok(us_conv_new(test_device(), p->shape, wish, &conv));
    struct us_buf *x = test_buf(p->z.x, p->x), *w = test_buf(p->z.w, p->w), *dy = test_buf(p->z.y, p->dy);
    struct us_buf *work = test_buf(us_conv_workspace(conv) / sizeof(float), NULL), *out = NULL;
    const int n = p->shape->n;
    switch (direction) {
    case US_CONV_FORWARD:
        out = test_buf(p->z.y, NULL);
        assert_ok(us_conv_forward(conv, n, x, w, work, out));
        test_buf_close(name, out, p->want[direction], p->z.y, 1e-5);
        break;
    case US_CONV_BWD_DATA:
        out = test_buf(p->z.x, p->dx0);
        assert_ok(us_conv_backward_data(conv, n, dy, w, work, true, out));
        test_buf_close(name, out, p->want[direction], p->z.x, 1e-5);
        break;
    default:
        out = test_buf(p->z.w, NULL);
        assert_ok(us_conv_backward_weights(conv, n, x, dy, work, out));
        test_buf_close(name, out, p->want[direction], p->z.w, 1e-5);
    }
    struct us_buf *bufs[] = {x, w, dy, work, out};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        test_buf_free(bufs[i]);
    us_conv_free(conv);
}

static void usual_tiles_match(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        struct problem p = open_problem(&shapes[i]);
        for (int d = 0; d < US_CONV_DIRECTIONS; d++)
            check(&p, (enum us_conv_direction)d, "tiled");
        close_problem(&p);
    }
}

/* Tiles of all proportions, of uneven registers, of one work-item and with one step for all of k. */
static void other_tiles_match(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum us_conv_direction direction;
        int shape;
    } tiles[] = {{"tiled:32x32x8/4x4", US_CONV_BWD_WEIGHTS, 0}, {"tiled:16x64x16/2x8", US_CONV_FORWARD, 3},
                 {"tiled:48x16x4/6x2", US_CONV_FORWARD, 0},     {"tiled:4x4x4/4x4", US_CONV_BWD_DATA, 3},
                 {"tiled:16x16x32/1x1", US_CONV_BWD_DATA, 0},   {"tiled:32x16x8/4x2", US_CONV_BWD_DATA, 1}};
    for (size_t t = 0; t < sizeof tiles / sizeof *tiles; t++) {
        struct problem p = open_problem(&shapes[tiles[t].shape]);
        check(&p, tiles[t].direction, tiles[t].name);
        close_problem(&p);
    }
}

static void winograd_matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof small_kernels / sizeof *small_kernels; i++) {
        struct problem p = open_problem(&small_kernels[i]);
        for (int d = 0; d < US_CONV_DIRECTIONS; d++) {
            if (i < 2)
                check(&p, (enum us_conv_direction)d, "winograd2-tiled:16x16x8/2x2");
            if (i != 1)
                check(&p, (enum us_conv_direction)d, "winograd4-tiled");
        }
        close_problem(&p);
    }
}

static void offered_tiles_are_accepted(void **state)
{
    (void)state;
    char name[US_CONV_NAME], other[US_CONV_NAME];
    for (int i = 0; i < SHAPES; i++) {
        for (int d = 0; d < US_CONV_DIRECTIONS; d++) {
            const enum us_conv_direction direction = (enum us_conv_direction)d;
            int n = 0;
            for (; us_conv_way_at(test_device(), "tiled", &shapes[i], direction, n, name); n++)
                assert_true(us_conv_suits(test_device(), name, &shapes[i], direction));
            assert_true(n > 0);
            assert_false(us_conv_way_at(test_device(), "tiled", &shapes[i], direction, n, other));
        }
    }
    assert_true(us_conv_way_at(test_device(), "im2col", &shapes[0], US_CONV_BWD_DATA, 0, name));
    assert_string_equal(name, "im2col");
    assert_false(us_conv_way_at(test_device(), "im2col", &shapes[0], US_CONV_BWD_DATA, 1, name));
}

static void what_is_no_tile_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "tiled:",                     /* nothing */
        "tiled:64x64/8x8",            /* too little */
        "tiled:64x64x16/8x8 ",        /* something behind it */
        "tiled:64x64x16/7x8",         /* does not divide */
        "tiled:0x64x16/8x8",          /* no rows */
        "tiled:-64x64x16/-8x8",       /* negative */
        "tiled:1024x1024x1024/16x16", /* no local memory is that large */
        "tiled:128x128x16/64x64",     /* nor is there room for so many sums */
        "tiled:64x64x1/4x4",          /* not a load for each work-item */
        "im2col:64x64x16/8x8",        /* has no tiles */
    };
    const struct us_conv_shape *s = &shapes[3];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *wish[US_CONV_DIRECTIONS] = {bad[i], NULL, NULL};
        struct us_conv *conv = NULL;
        assert_fails(UNSEEN_USAGE, "cannot do this shape", us_conv_new(test_device(), s, wish, &conv));
    }
}

static void the_tile_is_named(void **state)
{
    (void)state;
    const char *wish[US_CONV_DIRECTIONS] = {"tiled:16x16x16/2x2", "tiled", "im2col"};
    struct us_conv *conv = NULL;
    assert_ok(us_conv_new(test_device(), &shapes[3], wish, &conv));
    assert_string_equal(us_conv_algorithm_name(conv, US_CONV_FORWARD), wish[0]);
    assert_non_null(strchr(us_conv_algorithm_name(conv, US_CONV_BWD_DATA), ':'));
    assert_string_equal(us_conv_algorithm_name(conv, US_CONV_BWD_WEIGHTS), "im2col");
    us_conv_free(conv);
}

int main(void)
{
    setenv("UNSEEN_SHAPE", "gpu", 1);
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_tiles_match),          cmocka_unit_test(other_tiles_match),
        cmocka_unit_test(winograd_matches),           cmocka_unit_test(offered_tiles_are_accepted),
        cmocka_unit_test(what_is_no_tile_is_refused), cmocka_unit_test(the_tile_is_named),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
