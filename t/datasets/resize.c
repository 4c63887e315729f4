#include "config.h"

#include "datasets/image/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/picture.h"

static struct us_resize *resize;

/* The weight of input `at` for an output with its centre at `centre`, not yet divided by their sum. */
static double weight_of(int at, double centre, double widened)
{
    double distance = fabs((at - centre + 0.5) * (1 / widened));
    return distance < 1 ? 1 - distance : 0;
}

/* One output of a line of `n` inputs that lie `step` bytes apart: the definition, without any sharing. */
static uint8_t filter(const uint8_t *line, size_t step, int n, float from, float to, int outputs, int i)
{
    double scale = (double)(to - from) / outputs, widened = scale < 1 ? 1 : scale;
    double centre = from + (i + 0.5) * scale, sum = 0;
    int first = (int)(centre - widened + 0.5), end = (int)(centre + widened + 0.5);
    first = first < 0 ? 0 : first;
    end = end > n ? n : end;
    int64_t value = 1 << 21;
    for (int at = first; at < end; at++)
        sum += weight_of(at, centre, widened);
    for (int at = first; at < end; at++)
        value += line[(size_t)at * step] * (int64_t)(0.5 + weight_of(at, centre, widened) / sum * (1 << 22));
    value >>= 22;
    return (uint8_t)(value > 255 ? 255 : value);
}

/* All of it, from a picture [h, w, 4] that the caller has cut out if the filter clips. */
static void reference(const uint8_t *picture, int h, int w, const struct us_crop *crop, int height, int width,
                      uint8_t *pixels)
{
    uint8_t *half = malloc((size_t)h * (size_t)width * 3);
    assert_non_null(half);
    for (int y = 0; y < h; y++) {
        for (int i = 0; i < width * 3; i++)
            half[y * width * 3 + i] = filter(picture + (size_t)(y * w * 4 + i % 3), 4, w, crop->x,
                                             crop->x + crop->width, width, i / 3);
    }
    for (int y = 0; y < height; y++) {
        for (int i = 0; i < width * 3; i++)
            pixels[y * width * 3 + i] =
                filter(half + i, (size_t)width * 3, h, crop->y, crop->y + crop->height, height, y);
    }
    free(half);
}

static uint8_t *make_picture(int h, int w)
{
    size_t size = (size_t)h * (size_t)w * 4;
    uint8_t *picture = malloc(size + US_ROW_SLACK);
    assert_non_null(picture);
    for (size_t i = 0; i < size + US_ROW_SLACK; i++)
        picture[i] = test_noise((uint32_t)i);
    return picture;
}

static uint8_t *cut(const uint8_t *picture, int w, const struct us_crop *crop)
{
    size_t stride = (size_t)crop->width * 4;
    uint8_t *part = malloc(stride * (size_t)crop->height);
    assert_non_null(part);
    for (int y = 0; y < (int)crop->height; y++)
        memcpy(part + (size_t)y * stride,
               picture + 4 * ((size_t)(y + (int)crop->y) * (size_t)w + (size_t)crop->x), stride);
    return part;
}

static void run(const uint8_t *picture, int h, int w, const struct us_crop *crop, int height, int width,
                uint8_t *pixels)
{
    struct us_rect needs;
    assert_true(us_resize_begin(resize, h, w, crop, height, width, pixels, &needs));
    assert_true(needs.x >= 0 && needs.y >= 0 && needs.x + needs.width <= w && needs.y + needs.height <= h);
    for (int y = 0; y < needs.height; y++) {
        /* In a place of its own, so that a read behind its slack is one behind the block. */
        uint8_t *row = malloc((size_t)needs.width * 4 + US_ROW_SLACK);
        assert_non_null(row);
        memcpy(row, picture + 4 * ((size_t)(needs.y + y) * (size_t)w + (size_t)needs.x),
               (size_t)needs.width * 4);
        memset(row + (size_t)needs.width * 4, 0xa5, US_ROW_SLACK);
        us_resize_row(resize, row);
        free(row);
    }
}

static void check(int h, int w, struct us_crop crop, int height, int width)
{
    size_t size = (size_t)height * (size_t)width * 3;
    uint8_t *picture = make_picture(h, w), *pixels = malloc(size + 64), *expected = malloc(size);
    assert_non_null(pixels);
    assert_non_null(expected);
    memset(pixels, 0x5a, size + 64);
    run(picture, h, w, &crop, height, width, pixels);
    if (crop.clipped) {
        uint8_t *part = cut(picture, w, &crop);
        struct us_crop all = {.width = crop.width, .height = crop.height};
        reference(part, (int)crop.height, (int)crop.width, &all, height, width, expected);
        free(part);
    } else
        reference(picture, h, w, &crop, height, width, expected);
    assert_memory_equal(pixels, expected, size);
    for (size_t i = size; i < size + 64; i++)
        assert_int_equal(pixels[i], 0x5a);
    free(expected);
    free(pixels);
    free(picture);
}

static void boxes_are_resized_as_defined(void **state)
{
    (void)state;
    check(40, 50, (struct us_crop){0, 0, 50, 40, false}, 7, 9);
    check(40, 50, (struct us_crop){3.25F, 4.5F, 31.7F, 22.1F, false}, 16, 16);
    check(40, 50, (struct us_crop){3, 4, 31, 22, true}, 16, 16);
    check(40, 50, (struct us_crop){19, 39, 31, 1, true}, 5, 64);
    check(40, 50, (struct us_crop){49.5F, 0, 0.5F, 0.25F, false}, 3, 2);
    check(3, 500, (struct us_crop){0, 0, 500, 3, false}, 1, 1);
    check(500, 3, (struct us_crop){0, 0, 3, 500, true}, 2, 33);
    check(1, 1, (struct us_crop){0, 0, 1, 1, true}, 40, 41);
}

static void sizes_of_every_rest_are_resized(void **state)
{
    (void)state;
    for (int side = 1; side < 40; side++) {
        check(23, 29, (struct us_crop){2, 1, 20, 20, side % 2}, side, 41 - side);
        check(side, 2 * side, (struct us_crop){0, 0, (float)(2 * side), (float)side, side % 3}, 12, 11);
    }
}

/* Twenty thousand weights of a 22-bit unit are rounded each. */
static void sums_of_many_weights_stay_bytes(void **state)
{
    (void)state;
    enum { LONG = 40000 };
    uint8_t *picture = malloc(LONG * 4 + US_ROW_SLACK), pixel[3] = {0};
    assert_non_null(picture);
    memset(picture, 255, LONG * 4 + US_ROW_SLACK);
    run(picture, 1, LONG, &(struct us_crop){0, 0, LONG, 1, false}, 1, 1, pixel);
    assert_in_range(pixel[0], 254, 255);
    run(picture, LONG, 1, &(struct us_crop){0, 0, 1, LONG, false}, 1, 1, pixel);
    assert_in_range(pixel[0], 254, 255);
    free(picture);
}

static void the_same_size_is_the_same_pixels(void **state)
{
    (void)state;
    uint8_t *picture = make_picture(9, 13), pixels[5 * 6 * 3];
    run(picture, 9, 13, &(struct us_crop){4, 2, 6, 5, true}, 5, 6, pixels);
    for (int i = 0; i < 5 * 6 * 3; i++)
        assert_int_equal(pixels[i], picture[4 * ((2 + i / 18) * 13 + 4 + i / 3 % 6) + i % 3]);
    free(picture);
}

static int setup(void **state)
{
    (void)state;
    return us_resize_open(&resize) == UNSEEN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    us_resize_close(resize);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_resized_as_defined),
        cmocka_unit_test(sizes_of_every_rest_are_resized),
        cmocka_unit_test(sums_of_many_weights_stay_bytes),
        cmocka_unit_test(the_same_size_is_the_same_pixels),
    };
    return RUN_TESTS(tests, setup, teardown);
}
