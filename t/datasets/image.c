#include "config.h"

#include "datasets/image/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "support/cmocka.h"
#include "support/files.h"
#include "support/folder.h"

static struct us_image_decoder *decoder;

static char *load(const char *name, size_t *size)
{
    char path[1024], *bytes = NULL;
    snprintf(path, sizeof path, "%s/%s", test_folder, name);
    assert_ok(us_read_file(path, &bytes, size));
    return bytes;
}

/* Decode; true if it could be. The first pixel goes to `pixel`. */
static bool decode(const void *bytes, size_t size, uint8_t pixel[3])
{
    int height = 0, width = 0;
    if (!us_image_size(decoder, bytes, size, &height, &width))
        return false;
    uint8_t *pixels = malloc((size_t)height * (size_t)width * 3);
    assert_non_null(pixels);
    bool good = us_image_decode(decoder, bytes, size, pixels);
    memcpy(pixel, pixels, 3);
    free(pixels);
    return good;
}

static void check_png(int colour, int depth, const char *row, size_t size, int red, int green, int blue)
{
    uint8_t pixel[3];
    size_t length = 0;
    test_png(test_folder, "x.png", 2, 2, colour, depth, row, size);
    char *bytes = load("x.png", &length);
    assert_true(decode(bytes, length, pixel));
    assert_int_equal(pixel[0], red);
    assert_int_equal(pixel[1], green);
    assert_int_equal(pixel[2], blue);
    free(bytes);
}

static void every_kind_of_png_becomes_rgb(void **state)
{
    (void)state;
    check_png(TEST_PNG_RGB, 8, "\1\2\3\4\5\6", 6, 1, 2, 3);
    check_png(TEST_PNG_RGBA, 8, "\1\2\3\0\4\5\6\377", 8, 1, 2, 3);
    check_png(TEST_PNG_GREY, 8, "\100\0", 2, 64, 64, 64);
    check_png(TEST_PNG_GREY, 1, "\200", 1, 255, 255, 255);
    check_png(TEST_PNG_GREY, 4, "\370", 1, 255, 255, 255);
    check_png(TEST_PNG_GREY, 16, "\200\0\0\0", 4, 128, 128, 128);
}

static void a_damaged_png_is_refused(void **state)
{
    (void)state;
    uint8_t pixel[3];
    size_t size = 0;
    test_png(test_folder, "cut.png", 2, 2, TEST_PNG_RGB, 8, "\1\2\3\4\5\6", 6);
    char *bytes = load("cut.png", &size);
    assert_false(decode(bytes, size - 14, pixel));
    assert_string_equal(us_image_reason(decoder), "ends too early");
    bytes[45] ^= 1;
    assert_false(decode(bytes, size, pixel));
    free(bytes);
}

static void other_kinds_of_file_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *reason;
    } cases[] = {
        {"BM..........", "is a BMP file"},       {"GIF89a......", "is a GIF file"},
        {"II*\0........", "is a TIFF file"},     {"hello, world", "is no JPEG, PNG"},
        {"\0\5\26\7........", "is AppleDouble"},
    };
    uint8_t pixel[3];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(decode(cases[i].bytes, 12, pixel));
        assert_non_null(strstr(us_image_reason(decoder), cases[i].reason));
    }
    assert_false(decode("", 0, pixel));
    assert_string_equal(us_image_reason(decoder), "is empty");
}

/* Bytes that mean nothing cost nothing: they are told of. Bytes that are missing are a refusal. */
static void a_warning_is_a_failure_only_if_data_are_missing(void **state)
{
    (void)state;
    uint8_t pixel[3];
    size_t size = 0;
    test_jpeg(test_folder, "x.jpg", 40, 40, 0x4080c0, 0);
    char *whole = load("x.jpg", &size), *longer = malloc(size + 100);
    assert_non_null(longer);
    assert_true(decode(whole, size, pixel));
    assert_null(us_image_note(decoder));
    memcpy(longer, whole, size - 2);
    memset(longer + size - 2, 0, 100);
    memcpy(longer + size + 98, whole + size - 2, 2);
    assert_true(decode(longer, size + 100, pixel));
    assert_non_null(strstr(us_image_note(decoder), "extraneous bytes"));
    assert_in_range(pixel[0], 0x3e, 0x42);
    memcpy(longer, whole, size);
    assert_true(decode(longer, size + 100, pixel));
    assert_null(us_image_note(decoder));
    assert_false(decode(whole, size - 30, pixel));
    assert_non_null(strstr(us_image_reason(decoder), "remature end"));
    free(longer);
    free(whole);
}

static void a_bad_file_spoils_no_other(void **state)
{
    (void)state;
    uint8_t pixel[3];
    size_t size = 0;
    test_jpeg(test_folder, "after.jpg", 16, 16, 0x4080c0, 0);
    char *bytes = load("after.jpg", &size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0x5a;
        decode(bytes, size, pixel);
        bytes[i] ^= 0x5a;
        assert_true(decode(bytes, size, pixel));
        decode(bytes, i, pixel);
        assert_true(decode(bytes, size, pixel));
    }
    free(bytes);
}

static int setup(void **state)
{
    return test_folder_make(state) == 0 && us_image_open(&decoder) == UNSEEN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    us_image_close(decoder);
    return test_folder_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_png_becomes_rgb),
        cmocka_unit_test(a_damaged_png_is_refused),
        cmocka_unit_test(other_kinds_of_file_are_named),
        cmocka_unit_test(a_warning_is_a_failure_only_if_data_are_missing),
        cmocka_unit_test(a_bad_file_spoils_no_other),
    };
    return RUN_TESTS(tests, setup, teardown);
}
