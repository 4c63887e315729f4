/* Boxes: the centre and random ones. */
#include "config.h"

#include "support/cmocka.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "loader/crop.h"

static void assert_box(struct us_crop crop, double x, double y, double width, double height)
{
    assert_float_equal(crop.x, x, 1e-4);
    assert_float_equal(crop.y, y, 1e-4);
    assert_float_equal(crop.width, width, 1e-4);
    assert_float_equal(crop.height, height, 1e-4);
}

/* Worked by hand from Resize(256), CenterCrop(224). */
static void centres_are_torchvisions(void **state)
{
    (void)state;
    const struct us_image_input input = {.size = 224, .resize = 256}, same = {.size = 32, .resize = 32};
    assert_box(us_crop_centre(&input, 256, 256), 16, 16, 224, 224);
    assert_box(us_crop_centre(&input, 512, 512), 32, 32, 448, 448);
    /* 500 x 375 becomes 341 x 256: (341 - 224) / 2 = 58.5 rounds to 58. */
    assert_box(us_crop_centre(&input, 375, 500), 58 * 500.0 / 341, 16 * 375.0 / 256, 224 * 500.0 / 341,
               224 * 375.0 / 256);
    assert_box(us_crop_centre(&input, 500, 375), 16 * 375.0 / 256, 58 * 500.0 / 341, 224 * 375.0 / 256,
               224 * 500.0 / 341);
    assert_box(us_crop_centre(&input, 1, 1000), 127888 / 256.0, 16 / 256.0, 224 / 256.0, 224 / 256.0);
    assert_box(us_crop_centre(&same, 32, 32), 0, 0, 32, 32);
    assert_false(us_crop_centre(&same, 32, 32).clipped);
}

static void random_boxes_lie_within(void **state)
{
    (void)state;
    static const int sizes[][2] = {{375, 500}, {1, 1000}, {1000, 1}, {1, 1}, {3, 2}, {4000, 30000}};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        const int height = sizes[k][0], width = sizes[k][1];
        for (int i = 0; i < 2000; i++) {
            const struct us_crop c = us_crop_random(3, 1, i, height, width);
            assert_true(c.clipped && c.x >= 0 && c.y >= 0 && c.width >= 1 && c.height >= 1);
            assert_true(c.x + c.width <= (float)width && c.y + c.height <= (float)height);
            assert_true(c.x == floorf(c.x) && c.y == floorf(c.y));
            assert_true(c.width == floorf(c.width) && c.height == floorf(c.height));
        }
    }
}

/* Areas are uniform and ratios log-uniform where every try succeeds: a square picture takes most of them. */
static void boxes_are_spread_as_they_should_be(void **state)
{
    (void)state;
    enum { COUNT = 100000, SIDE = 1000 };
    double area = 0, ratio = 0, least = 1, most = 0, x = 0, small = 0;
    int n = 0;
    for (int i = 0; i < COUNT; i++) {
        const struct us_crop c = us_crop_random(7, 0, i, SIDE, SIDE);
        const double a = (double)c.width * c.height / (SIDE * SIDE), r = log((double)c.width / c.height);
        least = fmin(least, a);
        most = fmax(most, a);
        small += a < 0.31;
        if (a < 0.5) { /* no try is lost below 3/4: uniform here */
            area += a;
            ratio += r * r;
            x += c.x / (SIDE - c.width);
            n++;
        }
    }
    assert_true(least >= 0.0795 && least < 0.0806 && most > 0.98 && most <= 1);
    assert_float_equal(area / n, (0.08 + 0.5) / 2, 0.002);
    assert_float_equal(ratio / n, pow(log(4.0 / 3), 2) / 3, 0.0005);
    assert_float_equal(x / n, 0.5, 0.005);
    assert_true(small / COUNT > 0.25); /* 0.23 of 0.92, and more where large ones are drawn again */
}

static void extreme_pictures_fall_back(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        assert_box(us_crop_random(1, 0, i, 10, 1000), 493, 0, 13, 10);
        assert_box(us_crop_random(1, 0, i, 1000, 9), 0, 494, 9, 12);
    }
}

static void draws_depend_on_seed_epoch_and_sample_alone(void **state)
{
    (void)state;
    const struct us_crop a = us_crop_random(1, 2, 3, 400, 500), b = us_crop_random(1, 2, 3, 400, 500);
    assert_memory_equal(&a, &b, sizeof(float) * 4);
    const struct us_crop other[] = {us_crop_random(2, 2, 3, 400, 500), us_crop_random(1, 3, 3, 400, 500),
                                    us_crop_random(1, 2, 4, 400, 500)};
    for (int i = 0; i < 3; i++)
        assert_memory_not_equal(&a, &other[i], sizeof(float) * 4);
    /* The words of the first try that the header names. */
    uint32_t word[4];
    us_philox(1, US_STREAM_AUGMENT, 2, UINT64_C(3) | UINT64_C(1) << 32, word);
    const double target = 400 * 500 * (0.08 + 0.92 * word[0] * 0x1p-32);
    const double ratio = exp((2 * (word[1] * 0x1p-32) - 1) * log(4.0 / 3));
    const double w = rint(sqrt(target * ratio)), h = rint(sqrt(target / ratio));
    assert_true(w <= 500 && h <= 400);
    assert_box(a, floor(word[3] * 0x1p-32 * (501 - w)), floor(word[2] * 0x1p-32 * (401 - h)), w, h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(centres_are_torchvisions),
        cmocka_unit_test(random_boxes_lie_within),
        cmocka_unit_test(boxes_are_spread_as_they_should_be),
        cmocka_unit_test(extreme_pictures_fall_back),
        cmocka_unit_test(draws_depend_on_seed_epoch_and_sample_alone),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
