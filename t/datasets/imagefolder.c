#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

static void make_tree(const char *folder)
{
    test_jpeg(folder, "train/zebra/1.jpg", 12, 20, 0xff0000, 0);
    test_jpeg(folder, "train/zebra/0.JPEG", 12, 20, 0x00ff00, 0);
    test_jpeg(folder, "train/ant/b.jpeg", 12, 20, 0x808080, 1);
    test_jpeg(folder, "val/ant/x.jpg", 12, 20, 0x0000ff, 0);
    test_file(folder, "train/bee/notes.txt", "hello", 5);
    test_jpeg(folder, "val/bee/y.jpg", 12, 20, 0xffffff, 0);
    test_file(folder, "train/ant/notes.txt", "hello", 5);
}

static void check_colour(const uint8_t *pixels, int64_t i, int red, int green, int blue)
{
    const uint8_t *pixel = pixels + i * 12 * 20 * 3 + 3 * 100;
    assert_in_range(pixel[0] + 4, red, red + 8);
    assert_in_range(pixel[1] + 4, green, green + 8);
    assert_in_range(pixel[2] + 4, blue, blue + 8);
}

static void check_tree(const char *name, char *hash)
{
    struct unseen_dataset *dataset = open_ok(name);
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN], *test = &dataset->split[UNSEEN_TEST];
    assert_string_equal(dataset->format, "imagefolder");
    assert_int_equal(dataset->height, 12);
    assert_int_equal(dataset->width, 20);
    assert_int_equal(dataset->classes, 3);
    assert_string_equal(dataset->class_names[0], "ant");
    assert_string_equal(dataset->class_names[1], "bee");
    assert_string_equal(dataset->class_names[2], "zebra");
    assert_int_equal(train->n, 3);
    assert_int_equal(test->n, 2);
    assert_int_equal(train->labels[0], 0);
    assert_int_equal(train->labels[1], 2);
    assert_int_equal(test->labels[1], 1);
    assert_non_null(strstr(train->paths[1], "train/zebra/0.JPEG"));
    check_colour(pixels_of(dataset, UNSEEN_TRAIN), 0, 128, 128, 128);
    check_colour(pixels_of(dataset, UNSEEN_TRAIN), 1, 0, 255, 0);
    check_colour(pixels_of(dataset, UNSEEN_TRAIN), 2, 255, 0, 0);
    check_colour(pixels_of(dataset, UNSEEN_TEST), 0, 0, 0, 255);
    assert_true(dataset->mean[0] > 0.48F && dataset->mean[0] < 0.52F);
    assert_true(dataset->std[0] > 0.38F && dataset->std[0] < 0.43F);
    memcpy(hash, dataset->hash, 65);
    unseen_dataset_close(dataset);
}

static void order_is_by_name_in_folder_and_archive(void **state)
{
    (void)state;
    const char *folder = test_path("tree");
    char hash[65], other[65];
    make_tree(folder);
    check_tree(folder, hash);
    const char *archive = test_path("tree.tar.xz");
    test_archive(folder, archive, "./deep/inside/");
    check_tree(archive, other);
    assert_string_equal(hash, other);
}

static void images_may_be_of_many_sizes(void **state)
{
    (void)state;
    const char *folder = test_path("sizes");
    test_jpeg(folder, "train/a/1.jpg", 8, 8, 0, 0);
    test_jpeg(folder, "train/a/2.jpg", 8, 9, 0, 0);
    test_jpeg(folder, "val/a/3.jpg", 20, 30, 0, 0);
    struct unseen_dataset *dataset = open_ok(folder);
    const struct us_image_size *const *sizes = dataset->reader->sizes;
    assert_int_equal(dataset->height, 0);
    assert_int_equal(dataset->width, 0);
    assert_int_equal(sizes[UNSEEN_TRAIN][0].width, 8);
    assert_int_equal(sizes[UNSEEN_TRAIN][1].height, 8);
    assert_int_equal(sizes[UNSEEN_TRAIN][1].width, 9);
    assert_int_equal(sizes[UNSEEN_TEST][0].height, 20);
    assert_int_equal(sizes[UNSEEN_TEST][0].width, 30);
    assert_true(dataset->mean[0] == 0.485F && dataset->std[2] == 0.225F);
    unseen_dataset_close(dataset);
}

static void refuses_what_cannot_be_decoded(void **state)
{
    (void)state;
    const char *folder = test_path("broken");
    char path[2048];
    test_jpeg(folder, "train/a/1.jpg", 64, 64, 0x123456, 0);
    test_file(folder, "train/a/2.jpg", "", 0);
    open_bad(folder, "train/a/2.jpg: is empty");
    test_file(folder, "train/a/2.jpg", "\x89PNG\r\n\x1a\n", 8);
    open_bad(folder, "train/a/2.jpg: ends too early");
    test_file(folder, "train/a/2.jpg", "\xff\xd8nonsense", 10);
    open_bad(folder, "train/a/2.jpg: ");
    test_jpeg(folder, "train/a/2.jpg", 64, 64, 0x123456, 0);
    char *bytes = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/train/a/2.jpg", folder);
    assert_ok(us_read_file(path, &bytes, &size));
    free(bytes);
    assert_int_equal(truncate(path, (off_t)size - 40), 0);
    open_bad(folder, "train/a/2.jpg: ");
}

/* PNG bytes in .JPEG, JPEG bytes in .png. */
static void contents_decide_not_extensions(void **state)
{
    (void)state;
    const char *folder = test_path("kinds");
    test_png(folder, "train/a/1.JPEG", 2, 2, TEST_PNG_RGB, 8, "\1\2\3\4\5\6", 6);
    test_jpeg(folder, "train/a/2.png", 2, 2, 0x404040, 0);
    struct unseen_dataset *dataset = open_ok(folder);
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    assert_int_equal(train->n, 2);
    assert_memory_equal(pixels_of(dataset, UNSEEN_TRAIN), "\1\2\3\4\5\6\1\2\3\4\5\6", 12);
    assert_in_range(pixels_of(dataset, UNSEEN_TRAIN)[12], 0x3f, 0x41);
    unseen_dataset_close(dataset);
}

static void hash_of(const char *folder, char hash[65])
{
    struct unseen_dataset *dataset = open_ok(folder);
    memcpy(hash, dataset->hash, 65);
    unseen_dataset_close(dataset);
}

/* Same pixels and labels, but a class or a file has another name. */
static void hash_covers_names(void **state)
{
    (void)state;
    char hash[4][65];
    const char *const names[] = {"train/b/1.jpg", "train/c/1.jpg", "train/b/2.jpg", "deeper/train/b/1.jpg"};
    for (size_t i = 0; i < 4; i++) {
        char folder[16];
        snprintf(folder, sizeof folder, "names%zu", i);
        test_jpeg(test_path(folder), i < 3 ? "train/a/1.jpg" : "deeper/train/a/1.jpg", 8, 8, 1, 0);
        test_jpeg(test_path(folder), names[i], 8, 8, 2, 0);
        hash_of(test_path(folder), hash[i]);
    }
    assert_string_not_equal(hash[0], hash[1]);
    assert_string_not_equal(hash[0], hash[2]);
    assert_string_equal(hash[0], hash[3]);
}

static void refuses_trees_that_are_unclear(void **state)
{
    (void)state;
    const char *folder = test_path("two");
    test_jpeg(folder, "x/train/a/1.jpg", 8, 8, 0, 0);
    test_jpeg(folder, "y/train/a/2.jpg", 8, 8, 0, 0);
    open_bad(folder, "lie in two train folders");
    char name[2048];
    test_jpeg(folder = test_path("no-train"), "val/a/1.jpg", 8, 8, 0, 0);
    snprintf(name, sizeof name, "imagefolder:%s", folder);
    open_bad(name, "but no image in train/CLASS/");
}

static void opens_real(const char *archive, int64_t train, int64_t test, int classes, int size)
{
    struct unseen_dataset *dataset = open_ok(test_real_data(archive));
    assert_int_equal(dataset->split[UNSEEN_TRAIN].n, train);
    assert_int_equal(dataset->split[UNSEEN_TEST].n, test);
    assert_int_equal(dataset->classes, classes);
    assert_int_equal(dataset->height, size);
    unseen_dataset_close(dataset);
}

static void opens_the_real_imagenet64(void **state)
{
    (void)state;
    opens_real("imagenet64.tar.xz", 4000, 1000, 20, 64);
}

static void opens_the_real_cifar10_of_jpegs(void **state)
{
    (void)state;
    opens_real("cifar10-jpeg.tar.xz", 50000, 10000, 10, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_by_name_in_folder_and_archive),
        cmocka_unit_test(images_may_be_of_many_sizes),
        cmocka_unit_test(refuses_what_cannot_be_decoded),
        cmocka_unit_test(contents_decide_not_extensions),
        cmocka_unit_test(hash_covers_names),
        cmocka_unit_test(refuses_trees_that_are_unclear),
        cmocka_unit_test(opens_the_real_imagenet64),
        cmocka_unit_test(opens_the_real_cifar10_of_jpegs),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
