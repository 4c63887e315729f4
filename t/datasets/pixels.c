/* Reading what lies in memory: as it is, cut out, resized, grey. */
#include "config.h"

#include "support/cmocka.h"

#include <string.h>

#include "datasets/pixels.h"

enum { SIDE = 12, TO = 5 };

static uint8_t colour[2][SIDE][SIDE][3], grey[2][SIDE][SIDE];
static struct unseen_reader colour_reader, grey_reader;
static struct unseen_dataset data = {.height = SIDE, .width = SIDE, .channels = 3, .reader = &colour_reader};
static struct unseen_dataset grey_data = {
    .height = SIDE, .width = SIDE, .channels = 1, .reader = &grey_reader};

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * SIDE * SIDE; i++) {
        ((uint8_t *)grey)[i] = (uint8_t)(i * 37 + i / 5);
        memset((uint8_t *)colour + 3 * i, ((uint8_t *)grey)[i], 3);
    }
    us_pixels_reader(&colour_reader, colour[0][0][0], NULL);
    us_pixels_reader(&grey_reader, grey[0][0], NULL);
    return 0;
}

static void read_one(const struct unseen_dataset *from, const struct us_crop *crop, int height, int width,
                     uint8_t *pixels)
{
    struct us_scratch *scratch;
    assert_ok(from->reader->scratch_new(from, &scratch));
    assert_ok(from->reader->read(from, scratch, UNSEEN_TRAIN, 1, crop, height, width, pixels));
    from->reader->scratch_free(scratch);
}

static void whole_pictures_are_copied(void **state)
{
    (void)state;
    uint8_t pixels[SIDE][SIDE][3];
    read_one(&data, NULL, SIDE, SIDE, pixels[0][0]);
    assert_memory_equal(pixels, colour[1], sizeof pixels);
}

/* A box of the size that is wanted is cut out without a filter. */
static void boxes_are_cut_out(void **state)
{
    (void)state;
    const struct us_crop crop = {.x = 3, .y = 4, .width = TO, .height = TO, .clipped = true};
    uint8_t pixels[TO][TO][3];
    read_one(&data, &crop, TO, TO, pixels[0][0]);
    for (int y = 0; y < TO; y++)
        assert_memory_equal(pixels[y], colour[1][4 + y][3], sizeof pixels[y]);
}

/* By a half: weights of a triangle over four pixels, 1 3 3 1 of 8, in both directions. */
static void pictures_are_reduced(void **state)
{
    (void)state;
    uint8_t pixels[SIDE / 2][SIDE / 2][3];
    static const int weight[4] = {1, 3, 3, 1};
    read_one(&data, NULL, SIDE / 2, SIDE / 2, pixels[0][0]);
    for (int y = 1; y < SIDE / 2 - 1; y++) {
        for (int x = 1; x < SIDE / 2 - 1; x++) {
            double sum = 0;
            for (int j = 0; j < 4; j++)
                for (int i = 0; i < 4; i++)
                    sum += weight[i] * weight[j] * grey[1][2 * y - 1 + j][2 * x - 1 + i] / 64.0;
            assert_float_equal(pixels[y][x][0], sum, 1.01);
        }
    }
}

static void grey_is_resized_as_colour_is(void **state)
{
    (void)state;
    const struct us_crop crop = {.x = 1.5F, .y = 0.25F, .width = 9, .height = 10.5F};
    uint8_t rgb[TO][TO + 1][3], one[TO][TO + 1];
    read_one(&data, &crop, TO, TO + 1, rgb[0][0]);
    read_one(&grey_data, &crop, TO, TO + 1, one[0]);
    for (int i = 0; i < TO * (TO + 1); i++)
        assert_int_equal(((uint8_t *)one)[i], ((uint8_t *)rgb)[3 * i + 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_pictures_are_copied),
        cmocka_unit_test(boxes_are_cut_out),
        cmocka_unit_test(pictures_are_reduced),
        cmocka_unit_test(grey_is_resized_as_colour_is),
    };
    return RUN_TESTS(tests, set_up, NULL);
}
