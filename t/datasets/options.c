/* How image files are read that are turned, bad, or without a test split. */
#include "config.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

static struct unseen_dataset *open_with(const char *name, struct unseen_dataset_options options)
{
    struct unseen_dataset *dataset = NULL;
    assert_ok(unseen_dataset_open(name, &options, &dataset));
    return dataset;
}

static void read_one(const struct unseen_dataset *dataset, enum unseen_split split, int64_t i, int height,
                     int width, uint8_t *pixels, enum unseen_status expected)
{
    struct us_scratch *scratch = NULL;
    assert_ok(dataset->reader->scratch_new(dataset, &scratch));
    assert_int_equal(dataset->reader->read(dataset, scratch, split, i, NULL, height, width, pixels),
                     expected);
    dataset->reader->scratch_free(scratch);
}

static void bad_files_are_grey_where_that_is_asked_for(void **state)
{
    (void)state;
    const char *folder = test_path("bad");
    uint8_t pixels[8 * 8 * 3], grey[8 * 8 * 3];
    memset(grey, 128, sizeof grey);
    test_jpeg(folder, "train/a/1.jpg", 8, 8, 0xff0000, 0);
    test_file(folder, "train/a/2.jpg", "text", 4);
    test_file(folder, "val/a/3.jpg", "", 0);
    open_bad(folder, "train/a/2.jpg: is ");
    assert_non_null(strstr(unseen_last_hint(), "2 of 3 files are bad"));
    struct unseen_dataset *dataset =
        open_with(folder, (struct unseen_dataset_options){.on_bad = UNSEEN_BAD_GREY});
    assert_int_equal(dataset->height, 8);
    assert_int_equal(dataset->split[UNSEEN_TRAIN].n, 2);
    read_one(dataset, UNSEEN_TRAIN, 1, 8, 8, pixels, UNSEEN_OK);
    assert_memory_equal(pixels, grey, sizeof grey);
    read_one(dataset, UNSEEN_TEST, 0, 8, 8, pixels, UNSEEN_OK);
    assert_memory_equal(pixels, grey, sizeof grey);
    read_one(dataset, UNSEEN_TRAIN, 0, 8, 8, pixels, UNSEEN_OK);
    assert_in_range(pixels[0], 250, 255);
    unseen_dataset_close(dataset);
}

static void bad_files_are_skipped_where_that_is_asked_for(void **state)
{
    (void)state;
    const char *folder = test_path("skip");
    uint8_t pixels[8 * 8 * 3], grey[8 * 8 * 3];
    memset(grey, 128, sizeof grey);
    test_jpeg(folder, "train/a/1.jpg", 8, 8, 0xff0000, 0);
    test_file(folder, "train/a/2.jpg", "text", 4);
    test_jpeg(folder, "train/b/3.jpg", 8, 8, 0x00ff00, 0);
    test_jpeg(folder, "train/b/4.jpg", 8, 8, 0x00ff00, 0); /* a copy, damaged as the first is */
    test_jpeg(folder, "train/b/5.jpg", 8, 8, 0x0000ff, 0);
    test_shorten(folder, "train/b/3.jpg");
    test_shorten(folder, "train/b/4.jpg");
    struct unseen_dataset *dataset =
        open_with(folder, (struct unseen_dataset_options){.on_bad = UNSEEN_BAD_SKIP});
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    assert_int_equal(dataset->height, 8);
    assert_int_equal(train->n, 5);
    assert_int_equal(train->n_skipped, 3);
    assert_memory_equal(train->skipped, ((const uint8_t[]){0, 1, 1, 1, 0}), 5);
    assert_null(train->duplicate_of);
    assert_null(dataset->split[UNSEEN_TEST].skipped);
    read_one(dataset, UNSEEN_TRAIN, 2, 8, 8, pixels, UNSEEN_OK);
    assert_memory_equal(pixels, grey, sizeof grey);
    /* Damage that appears later ends the reading. */
    test_shorten(folder, "train/b/5.jpg");
    read_one(dataset, UNSEEN_TRAIN, 4, 8, 8, pixels, UNSEEN_BAD_DATA);
    assert_non_null(strstr(unseen_last_error(), "train/b/5.jpg"));
    unseen_dataset_close(dataset);
}

/* Its header is good, so that only decoding finds it. */
static void a_damaged_file_that_is_as_it_was_listed_is_grey(void **state)
{
    (void)state;
    const char *folder = test_path("damaged");
    uint8_t pixels[8 * 8 * 3];
    test_jpeg(folder, "train/a/1.jpg", 8, 8, 0xff0000, 0);
    test_jpeg(folder, "train/a/2.jpg", 8, 16, 0xff0000, 0); /* of many sizes: none is decoded at opening */
    test_shorten(folder, "train/a/1.jpg");
    struct unseen_dataset *dataset =
        open_with(folder, (struct unseen_dataset_options){.on_bad = UNSEEN_BAD_GREY});
    read_one(dataset, UNSEEN_TRAIN, 0, 8, 8, pixels, UNSEEN_OK);
    assert_int_equal(pixels[17], 128);
    unseen_dataset_close(dataset);
}

/* What happens to a file between opening and reading, which nothing lets pass. */
static void check_change(const char *name, void (*change)(const char *path), const char *part)
{
    const char *folder = test_path(name);
    uint8_t pixels[8 * 8 * 3];
    char path[2048];
    test_jpeg(folder, "train/a/1.jpg", 8, 8, 0xff0000, 0);
    snprintf(path, sizeof path, "%s/train/a/1.jpg", folder);
    for (int grey = 0; grey < 2; grey++) {
        test_jpeg(folder, "train/a/1.jpg", 8, 8, 0xff0000, 0);
        struct unseen_dataset *dataset = open_with(
            folder, (struct unseen_dataset_options){.on_bad = grey ? UNSEEN_BAD_GREY : UNSEEN_BAD_ERROR});
        change(path);
        read_one(dataset, UNSEEN_TRAIN, 0, 8, 8, pixels, UNSEEN_BAD_DATA);
        assert_non_null(strstr(unseen_last_error(), part));
        assert_non_null(strstr(unseen_last_error(), "train/a/1.jpg"));
        unseen_dataset_close(dataset);
        unlink(path);
    }
}

static void vanish(const char *path)
{
    assert_int_equal(unlink(path), 0);
}

static void shrink(const char *path)
{
    assert_int_equal(truncate(path, 100), 0);
}

static void touch(const char *path)
{
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void become_a_pipe(const char *path)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void files_that_change_are_named(void **state)
{
    (void)state;
    check_change("vanish", vanish, "No such file");
    check_change("shrink", shrink, "is 100 bytes now, and was ");
    check_change("touch", touch, "was changed since it was listed");
    check_change("pipe", become_a_pipe, "is neither a file");
}

/* Decoded whole it would take 48 MiB. */
static void large_pictures_are_measured_without_holding_them(void **state)
{
    (void)state;
    const char *folder = test_path("large");
    struct rusage before, after;
    static char row[4096];
    memset(row, 64, sizeof row);
    test_png(folder, "train/a/1.png", 4096, 4096, TEST_PNG_GREY, 8, row, sizeof row);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    struct unseen_dataset *dataset = open_ok(folder);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_int_equal(dataset->height, 4096);
    assert_true(fabsf(dataset->mean[0] - 64 / 255.F) < 0.001F);
    assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 32 << 10);
    unseen_dataset_close(dataset);
}

static void a_member_of_an_archive_that_shrinks_is_named(void **state)
{
    (void)state;
    const char *folder = test_path("members"), *archive = test_path("members.tar");
    uint8_t pixels[8 * 8 * 3];
    test_jpeg(folder, "train/a/1.jpg", 8, 8, 0xff0000, 0);
    test_archive(folder, archive, "");
    struct unseen_dataset *dataset = open_ok(archive);
    assert_int_equal(truncate(archive, 600), 0);
    read_one(dataset, UNSEEN_TRAIN, 0, 8, 8, pixels, UNSEEN_BAD_DATA);
    assert_non_null(strstr(unseen_last_error(), "train/a/1.jpg: "));
    unseen_dataset_close(dataset);
}

static void a_test_share_is_of_each_class_and_always_the_same(void **state)
{
    (void)state;
    const char *folder = test_path("share");
    char name[64];
    for (int i = 0; i < 44; i++) {
        snprintf(name, sizeof name, "%s/%02d.jpg", i < 20 ? "a" : i < 40 ? "b" : i < 43 ? "c" : "d", i);
        test_jpeg(folder, name, 8, 8, (unsigned)i, 0);
    }
    struct unseen_dataset *all = open_ok(folder);
    assert_int_equal(all->split[UNSEEN_TEST].n, 0);
    const struct unseen_dataset_options options = {.test_share = 0.2F};
    struct unseen_dataset *first = open_with(folder, options), *again = open_with(folder, options);
    const struct unseen_images *train = &first->split[UNSEEN_TRAIN], *test = &first->split[UNSEEN_TEST];
    int of_class[4] = {0};
    assert_int_equal(test->n, 4 + 4 + 1 + 0);
    assert_int_equal(train->n, 35);
    for (int64_t i = 0; i < test->n; i++) {
        of_class[test->labels[i]]++;
        assert_string_equal(test->paths[i], again->split[UNSEEN_TEST].paths[i]);
        assert_true(i == 0 || strcmp(test->paths[i - 1], test->paths[i]) < 0);
    }
    for (int64_t i = 1; i < train->n; i++)
        assert_true(strcmp(train->paths[i - 1], train->paths[i]) < 0);
    assert_int_equal(of_class[0], 4);
    assert_int_equal(of_class[1], 4);
    assert_int_equal(of_class[2], 1);
    assert_string_equal(first->hash, again->hash);
    assert_string_not_equal(first->hash, all->hash);
    unseen_dataset_close(again);
    unseen_dataset_close(first);
    unseen_dataset_close(all);
    test_jpeg(test_path("split"), "train/a/1.jpg", 8, 8, 0, 0);
    test_jpeg(test_path("split"), "val/a/1.jpg", 8, 8, 0, 0);
    assert_fails(UNSEEN_USAGE, "has a test split, of 1 samples",
                 unseen_dataset_open(test_path("split"), &options, &all));
    assert_fails(UNSEEN_USAGE, "is for image files", unseen_dataset_open("synth:20,2,8,1", &options, &all));
    const struct unseen_dataset_options wrong = {.test_share = 1.5F};
    assert_fails(UNSEEN_USAGE, "test-share", unseen_dataset_open(folder, &wrong, &all));
}

/* A red JPEG of 16 x 8 pixels with an orientation put into it. */
static void put_turned(const char *folder, const char *name, uint8_t orientation)
{
    char path[2048], *bytes = NULL;
    size_t size = 0;
    uint8_t exif[] = {0xff, 0xe1, 0,    34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M',         0, 42, 0, 0, 0, 8,
                      0,    1,    0x01, 0x12, 0,   3,   0,   0,   0, 1, 0,   orientation, 0, 0,  0, 0, 0, 0};
    static uint8_t whole[8192];
    test_jpeg(folder, name, 8, 16, 0xff0000, 0);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(us_read_file(path, &bytes, &size));
    assert_true(size + sizeof exif < sizeof whole);
    memcpy(whole, bytes, 2);
    memcpy(whole + 2, exif, sizeof exif);
    memcpy(whole + 2 + sizeof exif, bytes + 2, size - 2);
    test_file(folder, name, whole, size + sizeof exif);
    free(bytes);
}

static void pictures_are_turned_where_that_is_asked_for(void **state)
{
    (void)state;
    const char *folder = test_path("turned");
    put_turned(folder, "train/a/1.jpg", 6);
    put_turned(folder, "train/a/2.jpg", 1);
    struct unseen_dataset *stored = open_ok(folder);
    struct unseen_dataset *turned =
        open_with(folder, (struct unseen_dataset_options){.exif = UNSEEN_EXIF_APPLY});
    uint8_t pixels[16 * 8 * 3];
    assert_int_equal(stored->height, 8);
    assert_int_equal(stored->width, 16);
    assert_int_equal(turned->height, 0);
    assert_int_equal(us_image_size_of(turned, UNSEEN_TRAIN, 0).height, 16);
    assert_int_equal(us_image_size_of(turned, UNSEEN_TRAIN, 0).width, 8);
    assert_int_equal(us_image_size_of(turned, UNSEEN_TRAIN, 1).height, 8);
    read_one(turned, UNSEEN_TRAIN, 0, 16, 8, pixels, UNSEEN_OK);
    assert_in_range(pixels[0], 250, 255);
    assert_string_not_equal(stored->hash, turned->hash);
    unseen_dataset_close(turned);
    unseen_dataset_close(stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_are_grey_where_that_is_asked_for),
        cmocka_unit_test(bad_files_are_skipped_where_that_is_asked_for),
        cmocka_unit_test(a_damaged_file_that_is_as_it_was_listed_is_grey),
        cmocka_unit_test(files_that_change_are_named),
        cmocka_unit_test(large_pictures_are_measured_without_holding_them),
        cmocka_unit_test(a_member_of_an_archive_that_shrinks_is_named),
        cmocka_unit_test(a_test_share_is_of_each_class_and_always_the_same),
        cmocka_unit_test(pictures_are_turned_where_that_is_asked_for),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
