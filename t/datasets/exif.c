#include "config.h"

#include "datasets/image/exif.h"

#include <stdlib.h>
#include <string.h>

#include "datasets/image/image.h"
#include "datasets/image/resize.h"
#include "support/cmocka.h"
#include "support/decoder.h"
#include "support/picture.h"

enum { H = 30, W = 44 };

static void orientation_is_found(void **state)
{
    (void)state;
    uint8_t file[64] =
        "\xff\xd8\xff\xe0\0\4ab\xff\xe1\0\42Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0";
    assert_int_equal(us_exif_orientation(file, sizeof file), 6);
    for (size_t size = 0; size < 42; size++)
        assert_int_equal(us_exif_orientation(file, size), 1);
    static const uint8_t little[] =
        "\xff\xd8\xff\xe1\0\36Exif\0\0II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0\3\0\0\0";
    assert_int_equal(us_exif_orientation(little, sizeof little), 3);
}

#define TIFF "II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0\3\0\0\0"

static void orientation_is_found_in_chunks(void **state)
{
    (void)state;
    static const uint8_t png[] = "\x89PNG\r\n\x1a\n\0\0\0\2abcd12CRCC\0\0\0\x16"
                                 "eXIf" TIFF "CRCC";
    assert_int_equal(us_exif_orientation(png, sizeof png - 1), 3);
    static const uint8_t webp[] = "RIFF\1\1\1\1WEBPVP8X\1\0\0\0a\0EXIF\x1c\0\0\0Exif\0\0" TIFF;
    assert_int_equal(us_exif_orientation(webp, sizeof webp - 1), 3);
    for (size_t size = 0; size < sizeof png - 1; size++)
        assert_int_equal(us_exif_orientation(png, size), 1);
    for (size_t size = 0; size < sizeof webp - 1; size++)
        assert_int_equal(us_exif_orientation(webp, size), 1);
}

/* The picture with EXIF's tag behind its first marker; freed with free. */
static uint8_t *make_file(int orientation, size_t *size)
{
    static const uint8_t tag[] = "\xff\xe1\0\x22"
                                 "Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\0\0\0\0\0\0";
    uint8_t *plain = test_jpeg_file(H, W, &(struct test_coding){0}, size);
    uint8_t *bytes = malloc(*size + 36);
    assert_non_null(bytes);
    memcpy(bytes, plain, 2);
    memcpy(bytes + 2, tag, 36);
    bytes[2 + 29] = (uint8_t)orientation;
    memcpy(bytes + 38, plain + 2, *size - 2);
    *size += 36;
    free(plain);
    assert_int_equal(us_exif_orientation(bytes, *size), orientation);
    return bytes;
}

/* Where the pixel at row y and column x of the turned picture is stored. */
static void place(int orientation, int y, int x, int *row, int *column)
{
    const int rows[] = {y, y, H - 1 - y, H - 1 - y, x, H - 1 - x, H - 1 - x, x};
    const int columns[] = {x, W - 1 - x, W - 1 - x, x, y, y, W - 1 - y, W - 1 - y};
    *row = rows[orientation - 1];
    *column = columns[orientation - 1];
}

/* The turned picture, of four bytes a pixel. */
static uint8_t *turn_plainly(int orientation, int h, int w)
{
    size_t size = 0;
    uint8_t *bytes = make_file(orientation, &size), stored[H * W * 3];
    uint8_t *turned = calloc((size_t)h * (size_t)w * 4 + US_ROW_SLACK, 1);
    int height = 0, width = 0, row = 0, column = 0;
    assert_non_null(turned);
    assert_true(us_image_size(decoder, bytes, size, &height, &width));
    assert_true(us_image_decode(decoder, bytes, size, stored));
    for (int i = 0; i < h * w; i++) {
        place(orientation, i / w, i % w, &row, &column);
        memcpy(turned + 4 * i, stored + 3 * (row * W + column), 3);
    }
    free(bytes);
    return turned;
}

/* `crop` of the turned picture, turned. */
static bool crop_upright(const uint8_t *bytes, size_t size, const struct us_crop *crop, int height, int width,
                         uint8_t *pixels)
{
    int orientation = us_exif_orientation(bytes, size);
    bool swaps = us_exif_swaps(orientation);
    struct us_crop box = us_exif_crop(orientation, H, W, crop);
    uint8_t *stored = calloc((size_t)height * (size_t)width, 3);
    assert_non_null(stored);
    bool good =
        us_image_crop(decoder, bytes, size, &box, swaps ? width : height, swaps ? height : width, stored);
    us_exif_turn(orientation, stored, height, width, pixels);
    free(stored);
    return good;
}

static void check(int orientation, const struct us_crop *crop, int height, int width)
{
    enum { MOST = 50 * 50 * 3 };
    uint8_t pixels[MOST], expected[MOST];
    int h = us_exif_swaps(orientation) ? W : H, w = us_exif_swaps(orientation) ? H : W;
    size_t size = 0;
    struct us_rect needs;
    struct us_resize *resize = NULL;
    uint8_t *bytes = make_file(orientation, &size), *turned = turn_plainly(orientation, h, w);
    assert_ok(us_resize_open(&resize));
    assert_true(us_resize_begin(resize, h, w, crop, height, width, expected, &needs));
    for (int y = 0; y < needs.height; y++)
        us_resize_row(resize, turned + 4 * ((needs.y + y) * w + needs.x));
    assert_true(crop_upright(bytes, size, crop, height, width, pixels));
    bool scaled = height != (int)crop->height;
    for (int i = 0; i < height * width * 3; i++)
        assert_in_range(pixels[i] + 1 - expected[i], scaled ? 0 : 1, scaled ? 2 : 1);
    us_resize_close(resize);
    free(turned);
    free(bytes);
}

static void crops_of_turned_pictures_are_turned(void **state)
{
    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        bool swaps = us_exif_swaps(orientation);
        struct us_crop all = {0, 0, swaps ? H : W, swaps ? W : H, false};
        check(orientation, &all, swaps ? W : H, swaps ? H : W);
        check(orientation, &all, 9, 11);
        check(orientation, &(struct us_crop){2, 3, 20, 25, true}, 25, 20);
        check(orientation, &(struct us_crop){2, 3, 20, 25, true}, 16, 12);
        check(orientation, &(struct us_crop){2.25F, 3.5F, 20.5F, 25.25F, false}, 40, 16);
    }
}

static void a_crop_outside_of_the_turned_picture_is_refused(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *bytes = make_file(6, &size), pixels[4 * 4 * 3];
    struct us_crop crop = {0, 0, H, W, false};
    assert_true(crop_upright(bytes, size, &crop, 4, 4, pixels));
    crop.width = H + 1;
    assert_false(crop_upright(bytes, size, &crop, 4, 4, pixels));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orientation_is_found),
        cmocka_unit_test(orientation_is_found_in_chunks),
        cmocka_unit_test(crops_of_turned_pictures_are_turned),
        cmocka_unit_test(a_crop_outside_of_the_turned_picture_is_refused),
    };
    return RUN_TESTS(tests, test_decoder, test_decoder_end);
}
