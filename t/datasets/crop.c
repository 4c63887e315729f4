#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/image/codec.h"
#include "datasets/image/image.h"
#include "support/cmocka.h"
#include "support/decoder.h"
#include "support/picture.h"

static uint8_t *decode(const uint8_t *bytes, size_t size, int *height, int *width)
{
    assert_true(us_image_size(decoder, bytes, size, height, width));
    uint8_t *pixels = malloc((size_t)*height * (size_t)*width * 3);
    assert_non_null(pixels);
    assert_true(us_image_decode(decoder, bytes, size, pixels));
    return pixels;
}

static void check_part(const uint8_t *bytes, size_t size, const uint8_t *whole, int w, const int box[4])
{
    size_t stride = (size_t)box[2] * 3;
    struct us_crop crop = {(float)box[0], (float)box[1], (float)box[2], (float)box[3], true};
    uint8_t *part = malloc(stride * (size_t)box[3]);
    assert_non_null(part);
    assert_true(us_image_crop(decoder, bytes, size, &crop, box[3], box[2], part));
    for (int y = 0; y < box[3]; y++)
        assert_memory_equal(part + stride * (size_t)y,
                            whole + 3 * ((size_t)(box[1] + y) * (size_t)w + (size_t)box[0]), stride);
    free(part);
}

/* Parts that are decoded alone are the pixels of the whole picture. Takes `bytes`. */
static void check_parts(uint8_t *bytes, size_t size)
{
    int h = 0, w = 0;
    uint8_t *whole = decode(bytes, size, &h, &w);
    for (uint32_t i = 0; i < 150; i++) {
        int x = test_noise(4 * i) * w / 256, y = test_noise(4 * i + 1) * h / 256;
        check_part(bytes, size, whole, w,
                   (const int[]){x, y, 1 + test_noise(4 * i + 2) * (w - x) / 257,
                                 1 + test_noise(4 * i + 3) * (h - y) / 257});
    }
    check_part(bytes, size, whole, w, (const int[]){0, 0, w, h});
    check_part(bytes, size, whole, w, (const int[]){w - 1, h - 1, 1, 1});
    free(whole);
    free(bytes);
}

static void a_part_of_a_jpeg_is_that_of_the_whole(void **state)
{
    (void)state;
    static const struct test_coding codings[] = {
        {.colours = 1},
        {.across = 1},
        {.across = 2},
        {.across = 2, .down = 2},
        {.down = 2},
        {.across = 4},
        {.across = 2, .down = 2, .restart = 1},
        {.across = 2, .down = 2, .progressive = true},
        {.across = 2, .down = 2, .arithmetic = true},
        {.across = 2, .progressive = true, .restart = 2},
        {.colours = 4},
        {.colours = 4, .ycck = true, .across = 2, .down = 2},
    };
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        size_t size = 0;
        uint8_t *bytes = test_jpeg_file(75, 101, &codings[i], &size);
        check_parts(bytes, size);
    }
}

struct taken {
    uint8_t *pixels; /* where the next row goes */
    int width;
};

static void take_row(void *taker, const uint8_t *row)
{
    struct taken *taken = taker;
    memcpy(taken->pixels, row, 4 * (size_t)taken->width);
    taken->pixels += 4 * taken->width;
}

/* [height, width, 4] of a JPEG made smaller. */
static uint8_t *shrink(void *jpeg, const uint8_t *bytes, size_t size, int by, const struct us_rect *rect)
{
    struct us_coded image = {.bytes = bytes, .size = size};
    uint8_t *pixels = malloc(4 * (size_t)rect->width * (size_t)rect->height);
    struct taken taken = {pixels, rect->width};
    assert_non_null(pixels);
    assert_true(us_codec_jpeg.begin(jpeg, &image));
    assert_true(us_codec_jpeg.rows(jpeg, &image, by, rect, take_row, &taken));
    us_codec_jpeg.end(jpeg);
    return pixels;
}

static void check_shrunk(void *jpeg, const uint8_t *bytes, size_t size, int by)
{
    struct us_rect all = {0, 0, (301 - 1) / by + 1, (203 - 1) / by + 1};
    uint8_t *whole = shrink(jpeg, bytes, size, by, &all);
    for (uint32_t i = 0; i < 50; i++) {
        int x = test_noise(4 * i) * all.width / 256, y = test_noise(4 * i + 1) * all.height / 256;
        struct us_rect rect = {x, y, 1 + test_noise(4 * i + 2) * (all.width - x) / 257,
                               1 + test_noise(4 * i + 3) * (all.height - y) / 257};
        uint8_t *part = shrink(jpeg, bytes, size, by, &rect);
        for (int p = 0; p < rect.width * rect.height; p++)
            assert_memory_equal(part + 4 * p,
                                whole + 4 * ((y + p / rect.width) * all.width + x + p % rect.width), 3);
        free(part);
    }
    free(whole);
}

static void a_part_of_a_smaller_jpeg_is_that_of_the_whole(void **state)
{
    (void)state;
    static const struct test_coding codings[] = {
        {0}, {.across = 2}, {.across = 2, .down = 2}, {.down = 2}, {.colours = 1}};
    void *jpeg = NULL;
    assert_ok(us_codec_jpeg.open(&jpeg));
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        size_t size = 0;
        uint8_t *bytes = test_jpeg_file(203, 301, &codings[i], &size);
        for (int by = 1; by <= 8; by *= 2)
            check_shrunk(jpeg, bytes, size, by);
        free(bytes);
    }
    us_codec_jpeg.close(jpeg);
}

/* The decoder makes it smaller before it is resized, which is to be seen in no place. */
static void a_large_jpeg_is_made_small(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *bytes = test_jpeg_file(2060, 1030, &(struct test_coding){.colours = 1}, &size),
            pixels[16 * 8 * 3];
    uint8_t *whole = malloc(2060 * 1030 * 3);
    int height = 0, width = 0;
    assert_non_null(whole);
    assert_true(us_image_size(decoder, bytes, size, &height, &width));
    assert_true(us_image_decode(decoder, bytes, size, whole));
    assert_true(
        us_image_crop(decoder, bytes, size, &(struct us_crop){4, 4, 1024, 2048, true}, 16, 8, pixels));
    for (int i = 0; i < 16 * 8; i++) {
        double sum = 0, weights = 0;
        for (int y = -128; y < 128; y++) {
            for (int x = -128; x < 128; x++) {
                int row = i / 8 * 128 + 64 + y, column = i % 8 * 128 + 64 + x;
                if (row < 0 || row >= 2048 || column < 0 || column >= 1024)
                    continue;
                double weight = (128 - fabs(y + 0.5)) * (128 - fabs(x + 0.5));
                sum += weight * whole[3 * ((row + 4) * 1030 + column + 4)];
                weights += weight;
            }
        }
        assert_true(fabs(sum / weights - pixels[3 * i]) < 3);
    }
    free(whole);
    free(bytes);
}

static void a_part_of_a_png_is_that_of_the_whole(void **state)
{
    (void)state;
    static const struct test_png_kind kinds[] = {
        {0, 1, false, false}, {0, 16, true, false}, {2, 8, false, true}, {3, 4, true, true},
        {3, 8, false, false}, {4, 16, true, false}, {6, 8, true, false},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t size = 0;
        uint8_t *bytes = test_png_file(33, 45, &kinds[i], &size);
        check_parts(bytes, size);
    }
}

static void a_part_of_a_webp_is_that_of_the_whole(void **state)
{
    (void)state;
    for (int lossless = 0; lossless < 2; lossless++) {
        size_t size = 0;
        uint8_t *bytes = test_webp_file(75, 101, lossless, &size);
        check_parts(bytes, size);
    }
}

static bool crop_of(const uint8_t *bytes, size_t size, struct us_crop crop)
{
    uint8_t pixels[4 * 4 * 3];
    return us_image_crop(decoder, bytes, size, &crop, 4, 4, pixels);
}

static void a_crop_outside_of_the_picture_is_refused(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *bytes = test_jpeg_file(16, 24, &(struct test_coding){0}, &size);
    assert_true(crop_of(bytes, size, (struct us_crop){8, 0, 16.005F, 16, false}));
    assert_false(crop_of(bytes, size, (struct us_crop){8, 0, 17, 16, false}));
    assert_string_equal(us_image_reason(decoder), "has 24x16 pixels, and not all that are asked for");
    assert_false(crop_of(bytes, size, (struct us_crop){-1, 0, 8, 8, false}));
    assert_false(crop_of(bytes, size, (struct us_crop){0, 0, 8, 0, false}));
    free(bytes);
}

/* Whatever part is asked for: what is missing behind it is a fault of the file. */
static void a_cut_file_has_no_crops(void **state)
{
    (void)state;
    struct us_crop top = {0, 0, 8, 8, true};
    size_t sizes[4];
    uint8_t *files[] = {
        test_jpeg_file(64, 64, &(struct test_coding){0}, &sizes[0]),
        test_jpeg_file(64, 64, &(struct test_coding){.restart = 1}, &sizes[1]),
        test_png_file(64, 64, &(struct test_png_kind){2, 8, false, false}, &sizes[2]),
        test_webp_file(64, 64, false, &sizes[3]),
    };
    for (int i = 0; i < 4; i++) {
        assert_true(crop_of(files[i], sizes[i], top));
        assert_false(crop_of(files[i], sizes[i] - 2, top));
        assert_false(crop_of(files[i], sizes[i] / 2, top));
        files[i] = realloc(files[i], sizes[i] + 100);
        assert_non_null(files[i]);
        memset(files[i] + sizes[i], 0, 100);
        assert_true(crop_of(files[i], sizes[i] + 100, top));
        free(files[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_of_a_jpeg_is_that_of_the_whole),
        cmocka_unit_test(a_part_of_a_smaller_jpeg_is_that_of_the_whole),
        cmocka_unit_test(a_large_jpeg_is_made_small),
        cmocka_unit_test(a_part_of_a_png_is_that_of_the_whole),
        cmocka_unit_test(a_part_of_a_webp_is_that_of_the_whole),
        cmocka_unit_test(a_crop_outside_of_the_picture_is_refused),
        cmocka_unit_test(a_cut_file_has_no_crops),
    };
    return RUN_TESTS(tests, test_decoder, test_decoder_end);
}
