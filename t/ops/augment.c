#include "config.h"

#include "ops/augment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "support/device.h"

enum { IMAGES = 11 };

static const float mean[3] = {0.4914F, 0.4822F, 0.4465F}, std[3] = {0.247F, 0.2435F, 0.2616F};

static bool is_mirrored(const struct us_augment *a, int32_t id)
{
    uint32_t draw[4];
    us_philox(a->seed, US_STREAM_AUGMENT, a->alternate ? 0 : a->epoch, (uint64_t)id, draw);
    return a->flip ? (a->alternate ? draw[2] + a->epoch : draw[2]) % 2 == 1 : a->mirrored;
}

/* Pixel (r, q) of the padded, cropped and mirrored image. */
static uint8_t pixel(const struct us_augment *a, const uint8_t *image, const uint32_t draw[4], bool mirrored,
                     int r, int q, int c)
{
    const uint32_t places = 2 * (uint32_t)a->pad + 1;
    if (mirrored)
        q = a->w - 1 - q;
    r += a->pad || a->flip ? (int)(draw[0] % places) - a->pad : a->down;
    q += a->pad || a->flip ? (int)(draw[1] % places) - a->pad : a->right;
    if (a->reflect) {
        r = r < 0 ? -r : r >= a->h ? 2 * a->h - 2 - r : r;
        q = q < 0 ? -q : q >= a->w ? 2 * a->w - 2 - q : q;
    }
    return r < 0 || r >= a->h || q < 0 || q >= a->w ? 0 : image[(r * a->w + q) * a->c + c];
}

static void reference(const struct us_augment *a, const uint8_t *pixels, const int32_t *rows,
                      const int32_t *ids, double *y)
{
    for (int i = 0; i < a->n; i++) {
        uint32_t draw[4];
        us_philox(a->seed, US_STREAM_AUGMENT, a->epoch, (uint64_t)ids[i], draw);
        for (int r = 0; r < a->h; r++)
            for (int q = 0; q < a->w; q++)
                for (int c = 0; c < a->c; c++)
                    *y++ = (pixel(a, pixels + (size_t)rows[i] * (size_t)(a->h * a->w * a->c), draw,
                                  is_mirrored(a, ids[i]), r, q, c) /
                                255.0 -
                            (double)a->mean[c]) /
                           (double)a->std[c];
    }
}

static void check(struct us_augment a)
{
    const size_t image = (size_t)(a.h * a.w * a.c), floats = (size_t)a.n * image;
    const size_t words = (IMAGES * image + 3) / 4;
    uint8_t *pixels = calloc(words, 4);
    int32_t *rows = calloc((size_t)a.n, sizeof *rows), *ids = calloc((size_t)a.n, sizeof *ids);
    double *want = calloc(floats, sizeof *want);
    assert_true(pixels && rows && ids && want);
    printf("# %d images %dx%dx%d, pad %d, flip %d\n", a.n, a.h, a.w, a.c, a.pad, a.flip);
    for (size_t i = 0; i < IMAGES * image; i++)
        pixels[i] = (uint8_t)(i * 37 + i / 256);
    for (int i = 0; i < a.n; i++) {
        rows[i] = i * 5 % IMAGES;
        ids[i] = 1000000 + i * 3;
    }
    for (int c = 0; c < 3; c++) {
        a.mean[c] = mean[c];
        a.std[c] = std[c];
    }
    a.pixels = test_buf_int(words, (const int32_t *)(const void *)pixels);
    a.rows = test_buf_int((size_t)a.n, rows);
    a.ids = test_buf_int((size_t)a.n, ids);
    struct us_buf *y = test_buf(floats, NULL);
    reference(&a, pixels, rows, ids, want);
    assert_ok(us_augment_run(test_device(), &a, y));
    test_buf_close("y", y, want, floats, 5e-7);
    test_buf_free(a.pixels);
    test_buf_free(a.rows);
    test_buf_free(a.ids);
    test_buf_free(y);
    free(pixels);
    free(rows);
    free(ids);
    free(want);
}

static void agrees_with_the_host(void **state)
{
    (void)state;
    const uint64_t seed = 0x123456789abcdefULL;
    check((struct us_augment){.n = 64, .h = 32, .w = 32, .c = 3, .pad = 4, .flip = true, .seed = seed});
    check((struct us_augment){.n = 33, .h = 9, .w = 7, .c = 3, .pad = 2, .seed = seed, .epoch = 7});
    check((struct us_augment){.n = 20, .h = 28, .w = 28, .c = 1, .flip = true, .seed = 1, .epoch = 3});
    check((struct us_augment){.n = 20, .h = 5, .w = 17, .c = 1, .pad = 20, .flip = true, .seed = 1});
    check((struct us_augment){.n = 9, .h = 64, .w = 64, .c = 3, .seed = seed});
    for (uint32_t epoch = 0; epoch < 4; epoch++)
        check((struct us_augment){.n = 64,
                                  .h = 32,
                                  .w = 30,
                                  .c = 3,
                                  .pad = 2,
                                  .flip = true,
                                  .alternate = true,
                                  .reflect = true,
                                  .seed = seed,
                                  .epoch = epoch});
    check((struct us_augment){.n = 20, .h = 5, .w = 17, .c = 1, .pad = 4, .reflect = true, .seed = 1});
}

/* Evaluation's views: what is drawn elsewhere is told. */
static void looks_as_it_is_told(void **state)
{
    (void)state;
    for (int m = 0; m < 2; m++)
        for (int d = -2; d <= 2; d++)
            check((struct us_augment){
                .n = 9, .h = 6, .w = 9, .c = 3, .reflect = true, .down = d, .right = 1 - d, .mirrored = m});
    check((struct us_augment){.n = 9, .h = 6, .w = 9, .c = 1, .down = -3, .right = 20, .mirrored = true});
}

/* Two epochs in a row show both ways, and about half of the images begin with the one. */
static void alternates(void **state)
{
    (void)state;
    struct us_augment a = {.n = 64, .h = 1, .w = 2, .c = 1, .flip = true, .alternate = true, .seed = 5};
    uint8_t pixels[4] = {0, 255};
    int32_t rows[64] = {0}, ids[64];
    float *y[4];
    int mirrored = 0;
    for (int i = 0; i < a.n; i++)
        ids[i] = i;
    a.std[0] = 1;
    a.pixels = test_buf_int(1, (const int32_t *)(const void *)pixels);
    a.rows = test_buf_int((size_t)a.n, rows);
    a.ids = test_buf_int((size_t)a.n, ids);
    struct us_buf *out = test_buf(2 * (size_t)a.n, NULL);
    for (uint32_t epoch = 0; epoch < 4; epoch++) {
        a.epoch = epoch;
        assert_ok(us_augment_run(test_device(), &a, out));
        y[epoch] = test_buf_read(out);
    }
    for (int i = 0; i < a.n; i++) {
        mirrored += y[0][2 * i] > 0.5f;
        assert_float_equal(y[0][2 * i] + y[1][2 * i], 1, 1e-6);
        assert_float_equal(y[0][2 * i], y[2][2 * i], 0);
        assert_float_equal(y[1][2 * i], y[3][2 * i], 0);
    }
    assert_in_range(mirrored, 20, 44);
    for (int epoch = 0; epoch < 4; epoch++)
        free(y[epoch]);
    test_buf_free(a.pixels);
    test_buf_free(a.rows);
    test_buf_free(a.ids);
    test_buf_free(out);
}

static void refuses_what_it_cannot_do(void **state)
{
    (void)state;
    struct us_augment a = {.n = 1, .h = 4, .w = 4, .c = 2, .std = {1, 1, 1}};
    assert_fails(UNSEEN_USAGE, "channels", us_augment_run(test_device(), &a, NULL));
    a.c = 3;
    a.std[1] = 0;
    assert_fails(UNSEEN_USAGE, "deviation", us_augment_run(test_device(), &a, NULL));
    a.std[1] = 1;
    a.pad = 4;
    a.reflect = true;
    assert_fails(UNSEEN_USAGE, "cannot be mirrored", us_augment_run(test_device(), &a, NULL));
    a.pad = 0;
    a.down = -4;
    assert_fails(UNSEEN_USAGE, "4 pixels beside", us_augment_run(test_device(), &a, NULL));
    a.down = 0;
    a.right = 4;
    assert_fails(UNSEEN_USAGE, "4 pixels beside", us_augment_run(test_device(), &a, NULL));
    a.pad = -1;
    assert_fails(UNSEEN_USAGE, "padding", us_augment_run(test_device(), &a, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_host),
        cmocka_unit_test(looks_as_it_is_told),
        cmocka_unit_test(alternates),
        cmocka_unit_test(refuses_what_it_cannot_do),
    };
    test_device();
    return RUN_TESTS(tests, NULL, NULL);
}
