/* Images in a given order: decoded ahead by any number of threads, kept, failed at, given up. */
#include "config.h"

#include "support/fake_reader.h"

#include <stdlib.h>

#include "loader/decoders.h"
#include "loader/reading.h"

enum { BYTES = PICTURE * PICTURE * 3 };

static const struct us_image_input input = {.size = PICTURE, .resize = PICTURE + 1, .resized = true};
static int64_t backwards[PICTURES];

static bool go_on(void *context, double seconds)
{
    double *waited = context;
    if (waited)
        *waited += seconds;
    return true;
}

static const struct us_waiting patient = {.go_on = go_on};

static int reset(void **state)
{
    (void)state;
    pictures_reset();
    us_decoders_limit(0);
    for (int i = 0; i < PICTURES; i++)
        backwards[i] = PICTURES - 1 - i;
    return 0;
}

static struct us_image_order order_of(enum unseen_split split, bool random)
{
    return (struct us_image_order){.split = split,
                                   .random = random,
                                   .seed = 5,
                                   .epoch = 2,
                                   .sample = split == UNSEEN_TRAIN ? backwards : backwards + PICTURES / 2,
                                   .n = split == UNSEEN_TRAIN ? PICTURES : PICTURES / 2};
}

/* What the reader is asked for sample i of an order. */
static void expect(const struct us_image_order *order, int64_t i, uint8_t pixels[BYTES])
{
    const struct us_image_size *size = &picture_sizes[i];
    const struct us_crop crop = order->random
                                    ? us_crop_random(order->seed, order->epoch, i, size->height, size->width)
                                    : us_crop_centre(&input, size->height, size->width);
    picture_draw(order->split, i, &crop, BYTES, pixels);
}

/* In pieces of seven. */
static void take_all(struct us_images *images, const struct us_image_order *order)
{
    struct us_reader *reader;
    uint8_t pixels[7][BYTES], expected[BYTES];
    assert_ok(us_reader_begin(images, order, &reader));
    for (int64_t at = 0; at < order->n; at += 7) {
        const int n = order->n - at < 7 ? (int)(order->n - at) : 7;
        assert_ok(us_reader_take(reader, order->sample + at, n, &patient, pixels[0]));
        for (int k = 0; k < n; k++) {
            expect(order, order->sample[at + k], expected);
            assert_memory_equal(pixels[k], expected, BYTES);
        }
    }
    us_reader_end(reader);
}

static void any_number_of_threads_gives_the_same(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 5, 16};
    for (size_t k = 0; k < sizeof threads / sizeof threads[0]; k++) {
        struct us_images *images;
        reset(state);
        us_decoders_limit(threads[k]);
        assert_ok(us_images_open(&pictures, &input, US_CACHE_OFF, &images));
        assert_int_equal(us_decoders_count(), threads[k]);
        for (int s = 0; s < 2; s++) {
            for (int random = 0; random < 2; random++) {
                const struct us_image_order order = order_of(s, random);
                take_all(images, &order);
            }
        }
        us_images_close(images);
        for (int i = 0; i < PICTURES; i++)
            assert_int_equal(atomic_load(&picture_reads[i]), 2);
    }
}

/* Centres are decoded once; random parts in every epoch. */
static void what_stays_the_same_is_kept(void **state)
{
    (void)state;
    struct us_images *images, *again;
    const struct us_image_order fixed = order_of(UNSEEN_TRAIN, false), random = order_of(UNSEEN_TRAIN, true);
    assert_ok(us_images_open(&pictures, &input, US_CACHE_AUTO, &images));
    assert_ok(us_images_open(&pictures, &input, US_CACHE_AUTO, &again));
    assert_ptr_equal(images, again);
    us_images_close(again);
    assert_null(us_images_held(images, UNSEEN_TRAIN));
    for (int epoch = 0; epoch < 3; epoch++) {
        take_all(images, &fixed);
        take_all(images, &random);
    }
    for (int i = 0; i < PICTURES; i++)
        assert_int_equal(atomic_load(&picture_reads[i]), 1 + 3);
    us_images_close(images);
}

/* Two readers of what is kept do not decode it twice. */
static void readers_share_what_is_kept(void **state)
{
    (void)state;
    struct us_images *images;
    struct us_reader *reader[2];
    uint8_t pixels[PICTURES][BYTES];
    const struct us_image_order order = order_of(UNSEEN_TRAIN, false);
    assert_ok(us_images_open(&pictures, &input, US_CACHE_MEMORY, &images));
    atomic_store(&picture_slow, 200);
    for (int k = 0; k < 2; k++)
        assert_ok(us_reader_begin(images, &order, &reader[k]));
    for (int k = 0; k < 2; k++) {
        assert_ok(us_reader_take(reader[k], order.sample, PICTURES, &patient, pixels[0]));
        us_reader_end(reader[k]);
    }
    for (int i = 0; i < PICTURES; i++)
        assert_int_equal(atomic_load(&picture_reads[i]), 1);
    us_images_close(images);
}

/* What lies in memory as it is wanted is not decoded, and starts no threads. */
static void held_images_stay_where_they_are(void **state)
{
    (void)state;
    static const uint8_t held[PICTURES][BYTES];
    const struct us_image_input same = {.size = PICTURE, .resize = PICTURE};
    struct unseen_reader reader = picture_reader;
    struct unseen_dataset data = pictures;
    struct us_images *images;
    reader.pixels[UNSEEN_TRAIN] = reader.pixels[UNSEEN_TEST] = held[0];
    data.reader = &reader;
    data.height = data.width = PICTURE;
    assert_ok(us_images_open(&data, &same, US_CACHE_AUTO, &images));
    assert_ptr_equal(us_images_held(images, UNSEEN_TRAIN), held[0]);
    assert_int_equal(us_decoders_count(), 0);
    us_images_close(images);
    assert_ok(us_images_open(&data, &input, US_CACHE_AUTO, &images));
    assert_null(us_images_held(images, UNSEEN_TRAIN));
    us_images_close(images);
}

/* A failure comes when its image would, in the thread that asked. */
static void failures_come_in_their_turn(void **state)
{
    (void)state;
    struct us_images *images;
    struct us_reader *reader;
    uint8_t pixels[PICTURES][BYTES];
    for (int random = 0; random < 2; random++) {
        const struct us_image_order order = order_of(UNSEEN_TRAIN, random);
        atomic_store(&picture_bad, 20);
        assert_ok(us_images_open(&pictures, &input, US_CACHE_AUTO, &images));
        assert_ok(us_reader_begin(images, &order, &reader));
        assert_ok(us_reader_take(reader, order.sample, 39, &patient, pixels[0]));
        assert_fails(UNSEEN_BAD_DATA, "pictures/bad.jpg: cannot be read",
                     us_reader_take(reader, order.sample + 39, 2, &patient, pixels[0]));
        us_reader_end(reader);
        us_images_close(images);
    }
}

static void an_order_is_kept_to(void **state)
{
    (void)state;
    struct us_images *images;
    struct us_reader *reader;
    uint8_t pixels[BYTES];
    const struct us_image_order order = order_of(UNSEEN_TRAIN, true);
    assert_ok(us_images_open(&pictures, &input, US_CACHE_AUTO, &images));
    assert_ok(us_reader_begin(images, &order, &reader));
    assert_fails(UNSEEN_FAILED, "sample 3 is not the next",
                 us_reader_take(reader, (int64_t[]){3}, 1, &patient, pixels));
    us_reader_end(reader);
    us_images_close(images);
}

static bool give_up(void *context, double seconds)
{
    (void)seconds;
    return --*(int *)context > 0;
}

/* Whoever waits for an image that does not come can leave. */
static void waiting_can_be_given_up(void **state)
{
    (void)state;
    struct us_images *images;
    struct us_reader *reader;
    uint8_t pixels[BYTES];
    int looks = 3;
    const struct us_waiting impatient = {give_up, &looks};
    const struct us_image_order order = order_of(UNSEEN_TRAIN, true);
    us_decoders_limit(1);
    atomic_store(&picture_slow, 100000);
    assert_ok(us_images_open(&pictures, &input, US_CACHE_AUTO, &images));
    assert_ok(us_reader_begin(images, &order, &reader));
    assert_int_equal(us_reader_take(reader, order.sample, 1, &impatient, pixels), UNSEEN_INTERRUPTED);
    us_reader_end(reader);
    us_images_close(images);
}

static void time_spent_waiting_is_told(void **state)
{
    (void)state;
    struct us_images *images;
    struct us_reader *reader;
    uint8_t pixels[BYTES];
    double waited = 0;
    const struct us_waiting counting = {go_on, &waited};
    const struct us_image_order order = order_of(UNSEEN_TRAIN, true);
    const struct us_decoders_use before = us_decoders_use();
    us_decoders_limit(1);
    atomic_store(&picture_slow, 5000);
    assert_ok(us_images_open(&pictures, &input, US_CACHE_AUTO, &images));
    assert_ok(us_reader_begin(images, &order, &reader));
    assert_ok(us_reader_take(reader, order.sample, 1, &counting, pixels));
    assert_true(waited > 0.003);
    us_reader_end(reader);
    us_images_close(images);
    const struct us_decoders_use after = us_decoders_use();
    assert_true(after.images > before.images && after.busy - before.busy > 0.003);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(any_number_of_threads_gives_the_same, reset),
        cmocka_unit_test_setup(what_stays_the_same_is_kept, reset),
        cmocka_unit_test_setup(readers_share_what_is_kept, reset),
        cmocka_unit_test_setup(held_images_stay_where_they_are, reset),
        cmocka_unit_test_setup(failures_come_in_their_turn, reset),
        cmocka_unit_test_setup(an_order_is_kept_to, reset),
        cmocka_unit_test_setup(waiting_can_be_given_up, reset),
        cmocka_unit_test_setup(time_spent_waiting_is_told, reset),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
