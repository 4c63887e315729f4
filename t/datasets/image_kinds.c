#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/image/image.h"
#include "support/cmocka.h"
#include "support/decoder.h"
#include "support/picture.h"

/* FNV-1a. */
static uint32_t hash_of(const uint8_t *bytes, size_t size)
{
    uint32_t hash = 0x811c9dc5;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x01000193;
    return hash;
}

/* The hash of the pixels, which are those of PIL 13 for the same file. Takes `bytes`. */
static void check_hash(uint8_t *bytes, size_t size, uint32_t hash)
{
    int height = 0, width = 0;
    uint8_t pixels[33 * 45 * 3];
    assert_true(us_image_size(decoder, bytes, size, &height, &width));
    assert_int_equal(height, 33);
    assert_int_equal(width, 45);
    assert_true(us_image_decode(decoder, bytes, size, pixels));
    assert_null(us_image_note(decoder));
    assert_int_equal(hash_of(pixels, sizeof pixels), hash);
    free(bytes);
}

static void jpegs_are_the_pixels_of_pil(void **state)
{
    (void)state;
    static const struct {
        struct test_coding coding;
        uint32_t hash;
    } cases[] = {
        {{.colours = 1}, 0x0497b4c6},
        {{0}, 0x48a8bb50},
        {{.across = 2}, 0x9f63d3bf},
        {{.across = 2, .down = 2}, 0xd003454d},
        {{.down = 2}, 0x1c675755},
        {{.across = 4}, 0x44de4b42},
        {{.across = 2, .down = 2, .progressive = true}, 0xd003454d},
        {{.arithmetic = true}, 0x48a8bb50},
        {{.arithmetic = true, .progressive = true}, 0x48a8bb50},
        {{.colours = 4}, 0x4cca0155},
        {{.colours = 4, .unmarked = true}, 0x4cca0155},
        {{.colours = 4, .ycck = true, .across = 2, .down = 2}, 0xb6debf56},
        {{.colours = 4, .ycck = true, .unmarked = true}, 0x34930e9a},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = 0;
        uint8_t *bytes = test_jpeg_file(33, 45, &cases[i].coding, &size);
        check_hash(bytes, size, cases[i].hash);
    }
}

/* Interlaced and with transparent colours or not, which changes nothing. */
static void pngs_are_the_pixels_of_pil(void **state)
{
    (void)state;
    static const struct {
        int colour, depth;
        uint32_t hash;
    } cases[] = {
        {0, 1, 0xc90f3a02},  {0, 2, 0x0bcd3e29},  {0, 4, 0xa06c57d9}, {0, 8, 0x04442901},  {2, 8, 0x887c53e1},
        {2, 16, 0x4be7168b}, {3, 1, 0x31bc996e},  {3, 2, 0x4070dc40}, {3, 4, 0x31b945f9},  {3, 8, 0xdf587d43},
        {4, 8, 0x4065c129},  {4, 16, 0x7dbe19ab}, {6, 8, 0xa49fe077}, {6, 16, 0x3204544d},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int way = 0; way < 4; way++) {
            size_t size = 0;
            struct test_png_kind kind = {cases[i].colour, cases[i].depth, way % 2, way / 2};
            if (kind.clear && kind.colour >= 4)
                continue;
            uint8_t *bytes = test_png_file(33, 45, &kind, &size);
            check_hash(bytes, size, cases[i].hash);
        }
    }
}

static void webps_are_the_pixels_of_pil(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *bytes = test_webp_file(33, 45, false, &size);
    check_hash(bytes, size, 0x44ecf8aa);
    bytes = test_webp_file(33, 45, true, &size);
    check_hash(bytes, size, 0xdbcbcd9e);
}

static void check_refused(const char *bytes, size_t size, const char *reason)
{
    int height = 0, width = 0;
    assert_false(us_image_size(decoder, (const uint8_t *)bytes, size, &height, &width));
    assert_string_equal(us_image_reason(decoder), reason);
}

/* A frame header of one colour and, for what is refused only there, the scan's. */
#define JPEG_HEADER(process, bits, sides)                                                                    \
    "\xff\xd8\xff" process "\0\x0b" bits sides "\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\0\xff\xd9"
#define CHECK_JPEG(process, bits, sides, reason)                                                             \
    check_refused(JPEG_HEADER(process, bits, sides), sizeof JPEG_HEADER(process, bits, sides) - 1, reason)

static void what_no_library_here_reads_is_named(void **state)
{
    (void)state;
    CHECK_JPEG("\xc1", "\x0c", "\0\x10\0\x10", "is a JPEG file of 12 bits a channel, which is not read");
    CHECK_JPEG("\xc3", "\x08", "\0\x10\0\x10", "is a lossless JPEG file, which is not read");
    CHECK_JPEG("\xcb", "\x08", "\0\x10\0\x10", "is a lossless JPEG file, which is not read");
    CHECK_JPEG("\xc5", "\x08", "\0\x10\0\x10", "is a hierarchical JPEG file, which is not read");
    static const char two[] =
        "\xff\xd8\xff\xc0\0\x0e\x08\0\x10\0\x10\2\1\x11\0\2\x11\0\xff\xda\0\x0a\2\1\0\2\0\0\x3f\0"
        "\0\xff\xd9";
    check_refused(two, sizeof two - 1, "is a JPEG file of 2 colours, which is not read");
}

static void sizes_beyond_the_limits_are_refused(void **state)
{
    (void)state;
    CHECK_JPEG("\xc0", "\x08", "\xea\x60\xea\x60",
               "has 60000x60000 pixels, but the most that is read is 1073741824");
    CHECK_JPEG("\xc2", "\x08", "\x2e\xe0\x32\xc8",
               "has 13000x12000 pixels, but the most that is read of files that are not decoded by rows is "
               "134217728");
    int height = 0, width = 0;
    size_t size = 0;
    uint8_t *made = test_png_file(1, 65536, &(struct test_png_kind){0, 1, false, false}, &size);
    assert_false(us_image_size(decoder, made, size, &height, &width));
    assert_string_equal(us_image_reason(decoder),
                        "has 65536x1 pixels, but the most that is read is 65535 a side");
    free(made);
}

enum { FILES = 19 };

static uint8_t *make_file(int i, size_t *size)
{
    static const struct test_coding codings[] = {
        {0},
        {.colours = 1},
        {.across = 2, .down = 2, .restart = 1},
        {.across = 2},
        {.progressive = true},
        {.arithmetic = true},
        {.colours = 4, .ycck = true},
    };
    static const struct test_png_kind kinds[] = {
        {0, 1, false, false}, {0, 16, true, true},  {2, 8, false, false}, {2, 16, false, true},
        {3, 2, true, true},   {3, 8, false, true},  {4, 8, true, false},  {4, 16, false, false},
        {6, 8, false, false}, {6, 16, true, false},
    };
    const int jpegs = sizeof codings / sizeof *codings, pngs = sizeof kinds / sizeof *kinds;
    if (i < jpegs)
        return test_jpeg_file(13, 17, &codings[i], size);
    return i < jpegs + pngs ? test_png_file(13, 17, &kinds[i - jpegs], size)
                            : test_webp_file(13, 17, i == jpegs + pngs, size);
}

/* From a block of its own, so that a read behind its end is seen. */
static bool decode_copy(const uint8_t *bytes, size_t size, bool part)
{
    struct us_crop crop = {3, 2, 5, 4, true};
    uint8_t pixels[13 * 17 * 3], *copy = malloc(size + !size);
    int height = 0, width = 0;
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    bool good = part ? us_image_crop(decoder, copy, size, &crop, 6, 6, pixels)
                     : us_image_size(decoder, copy, size, &height, &width) &&
                           (height * width > 13 * 17 || us_image_decode(decoder, copy, size, pixels));
    free(copy);
    return good;
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < FILES; i++) {
        size_t size = 0;
        uint8_t *bytes = make_file(i, &size);
        for (size_t cut = 0; cut < size; cut++) {
            assert_false(decode_copy(bytes, cut, true));
            assert_false(decode_copy(bytes, cut, false));
            assert_string_not_equal(us_image_reason(decoder), "");
        }
        assert_true(decode_copy(bytes, size, true));
        free(bytes);
    }
}

static void changed_bytes_harm_nothing(void **state)
{
    (void)state;
    int notes = 0;
    for (int i = 0; i < FILES; i++) {
        size_t size = 0;
        uint8_t *bytes = make_file(i, &size);
        for (size_t at = 0; at < size; at++) {
            uint8_t was = bytes[at];
            bytes[at] = (uint8_t)(was ^ (1 << at % 8));
            decode_copy(bytes, size, true);
            notes += decode_copy(bytes, size, false) && us_image_note(decoder);
            bytes[at] = was;
        }
        assert_true(decode_copy(bytes, size, true));
        assert_true(decode_copy(bytes, size, false));
        assert_null(us_image_note(decoder));
        free(bytes);
    }
    assert_true(notes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpegs_are_the_pixels_of_pil),
        cmocka_unit_test(pngs_are_the_pixels_of_pil),
        cmocka_unit_test(webps_are_the_pixels_of_pil),
        cmocka_unit_test(what_no_library_here_reads_is_named),
        cmocka_unit_test(sizes_beyond_the_limits_are_refused),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(changed_bytes_harm_nothing),
    };
    return RUN_TESTS(tests, test_decoder, test_decoder_end);
}
