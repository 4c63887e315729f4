#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

enum { RECORD = 3073 };

/* Image i of a split is record `record` of test_cifar. */
static void check_image(const struct unseen_dataset *dataset, enum unseen_split split, int64_t i, int record)
{
    const uint8_t *pixels = dataset->reader->pixels[split] + i * 3072;
    for (int p = 0; p < 1024; p++) {
        for (int c = 0; c < 3; c++)
            assert_int_equal(pixels[3 * p + c], test_cifar_byte(record, c * 1024 + p));
    }
}

static void make_good(const char *folder)
{
    test_cifar(folder, "cifar-10-batches-bin/data_batch_1.bin", 1, 10, 0, 7);
    test_cifar(folder, "cifar-10-batches-bin/data_batch_3.bin", 1, 10, 7, 4);
    test_cifar(folder, "cifar-10-batches-bin/test_batch.bin", 1, 10, 50, 3);
}

static void check_good(const char *name, char *hash)
{
    struct unseen_dataset *dataset = open_ok(name);
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN], *test = &dataset->split[UNSEEN_TEST];
    assert_string_equal(dataset->format, "cifar10");
    assert_int_equal(dataset->height * 10000 + dataset->width * 10 + dataset->channels, 320323);
    assert_int_equal(dataset->classes, 10);
    assert_string_equal(dataset->class_names[0], "airplane");
    assert_string_equal(dataset->class_names[9], "truck");
    assert_int_equal(train->n, 11);
    assert_int_equal(test->n, 3);
    assert_null(train->paths);
    for (int i = 0; i < 11; i++) {
        assert_int_equal(train->labels[i], i % 10);
        check_image(dataset, UNSEEN_TRAIN, i, i);
    }
    for (int i = 0; i < 3; i++)
        check_image(dataset, UNSEEN_TEST, i, 50 + i);
    assert_true(dataset->mean[0] > 0.4913F && dataset->mean[0] < 0.4915F);
    assert_int_equal(strlen(dataset->hash), 64);
    memcpy(hash, dataset->hash, 65);
    unseen_dataset_close(dataset);
}

static void reads_folders_and_archives_alike(void **state)
{
    (void)state;
    char hash[65], other[65], folder[1024];
    snprintf(folder, sizeof folder, "%s", test_path("good"));
    make_good(folder);
    check_good(folder, hash);
    static const char *const archives[] = {"good.tar", "good.tar.gz", "good.tar.xz", "good.zip"};
    for (size_t i = 0; i < 4; i++) {
        const char *archive = test_path(archives[i]);
        test_archive(folder, archive, i % 2 ? "./top/" : "");
        check_good(archive, other);
        assert_string_equal(hash, other);
    }
    char name[2048];
    snprintf(name, sizeof name, "cifar10:%s", folder);
    check_good(name, other);
    snprintf(name, sizeof name, "%s/cifar-10-batches-bin/", folder);
    check_good(name, other);
    assert_string_equal(hash, other);
}

static void hash_depends_on_labels_and_pixels(void **state)
{
    (void)state;
    char hash[3][65];
    for (int i = 0; i < 3; i++) {
        const char *folder = test_path(i == 0 ? "h0" : i == 1 ? "h1" : "h2");
        uint8_t record[RECORD] = {i == 1};
        record[100] = i == 2;
        test_file(folder, "data_batch_1.bin", record, sizeof record);
        struct unseen_dataset *dataset = open_ok(folder);
        memcpy(hash[i], dataset->hash, 65);
        unseen_dataset_close(dataset);
    }
    assert_string_not_equal(hash[0], hash[1]);
    assert_string_not_equal(hash[0], hash[2]);
}

static void refuses_what_is_wrong(void **state)
{
    (void)state;
    static uint8_t bytes[3 * RECORD + 5];
    const char *folder = test_path("empty");
    test_file(folder, "data_batch_1.bin", bytes, 0);
    open_bad(folder, "data_batch_1.bin: is empty");

    test_file(folder = test_path("short"), "data_batch_1.bin", bytes, 100);
    open_bad(folder, "data_batch_1.bin: record 0: truncated: 100 of 3073 bytes");
    test_file(folder = test_path("long"), "data_batch_1.bin", bytes, 3 * RECORD + 5);
    open_bad(folder, "data_batch_1.bin: record 3: truncated: 5 of 3073 bytes");

    bytes[2 * RECORD] = 10;
    test_file(folder = test_path("label"), "data_batch_1.bin", bytes, 3 * RECORD);
    open_bad(folder, "data_batch_1.bin: record 2: label 10 is out of range 0..9");
    bytes[2 * RECORD] = 0;
    test_file(folder, "data_batch_1.bin", bytes, 3 * RECORD);
    test_file(folder, "test_batch.bin", bytes, RECORD - 1);
    open_bad(folder, "test_batch.bin: record 0: truncated");

    test_file(folder = test_path("none"), "test_batch.bin", bytes, RECORD);
    open_bad(folder, "holds no data_batch_1.bin");
    test_file(folder = test_path("other"), "readme.txt", "hello", 5);
    open_bad(folder, "no dataset of a known format");
    open_bad(test_path("nowhere"), "No such file");
    char name[2048];
    snprintf(name, sizeof name, "%s/readme.txt", folder);
    open_bad(name, "cannot read the archive");

    test_file(folder = test_path("twice"), "a/data_batch_1.bin", bytes, RECORD);
    test_file(folder, "b/data_batch_1.bin", bytes, RECORD);
    open_bad(folder, "holds both a/data_batch_1.bin and b/data_batch_1.bin");
}

static void refuses_bad_names(void **state)
{
    (void)state;
    struct unseen_dataset *dataset = NULL;
    struct unseen_dataset_options coarse = {.coarse_labels = 1};
    assert_fails(UNSEEN_USAGE, "no dataset format", unseen_dataset_open("cifar11:/tmp", NULL, &dataset));
    assert_non_null(strstr(unseen_last_hint(), "cifar100:DIR"));
    assert_fails(UNSEEN_USAGE, "empty", unseen_dataset_open("", NULL, &dataset));
    const char *folder = test_path("good");
    make_good(folder);
    assert_fails(UNSEEN_USAGE, "coarse", unseen_dataset_open(folder, &coarse, &dataset));
    assert_null(dataset);
}

static void refuses_a_truncated_archive(void **state)
{
    (void)state;
    const char *folder = test_path("good"), *archive = test_path("cut.tar");
    make_good(folder);
    test_archive(folder, archive, "");
    assert_int_equal(truncate(archive, 10000), 0);
    open_bad(archive, "cut.tar");
}

static void names_come_from_the_file(void **state)
{
    (void)state;
    const char *folder = test_path("names");
    test_cifar(folder, "data_batch_1.bin", 1, 3, 0, 6);
    test_file(folder, "batches.meta.txt", "one\r\n\n two words \nthree", 24);
    struct unseen_dataset *dataset = open_ok(folder);
    assert_int_equal(dataset->classes, 3);
    assert_string_equal(dataset->class_names[0], "one");
    assert_string_equal(dataset->class_names[1], "two words");
    assert_string_equal(dataset->class_names[2], "three");
    assert_int_equal(dataset->split[UNSEEN_TEST].n, 0);
    /* Another name is another dataset. */
    test_file(folder, "batches.meta.txt", "one\ntwo words\nfour\n", 20);
    struct unseen_dataset *renamed = open_ok(folder);
    assert_string_not_equal(renamed->hash, dataset->hash);
    test_file(folder, "batches.meta.txt", "one\ntwo words\nthree\n", 21);
    struct unseen_dataset *same = open_ok(folder);
    assert_string_equal(same->hash, dataset->hash);
    unseen_dataset_close(same);
    unseen_dataset_close(renamed);
    unseen_dataset_close(dataset);
    test_file(folder, "batches.meta.txt", "one\ntwo\n", 8);
    open_bad(folder, "record 2: label 2 is out of range 0..1");
    test_file(folder, "batches.meta.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n", 24);
    open_bad(folder, "more than 10 class names");
}

static void cifar100_has_two_labels(void **state)
{
    (void)state;
    const char *folder = test_path("hundred");
    struct unseen_dataset_options coarse = {.coarse_labels = 1};
    test_cifar(folder, "train.bin", 2, 100, 0, 120);
    test_cifar(folder, "test.bin", 2, 100, 5, 2);
    struct unseen_dataset *dataset = open_ok(folder);
    assert_string_equal(dataset->format, "cifar100");
    assert_int_equal(dataset->classes, 100);
    assert_string_equal(dataset->class_names[42], "class 42");
    assert_int_equal(dataset->split[UNSEEN_TRAIN].labels[42], 42);
    assert_int_equal(dataset->split[UNSEEN_TRAIN].second_labels[42], 2);
    check_image(dataset, UNSEEN_TRAIN, 119, 119);
    unseen_dataset_close(dataset);
    dataset = NULL;
    assert_ok(unseen_dataset_open(folder, &coarse, &dataset));
    assert_int_equal(dataset->classes, 20);
    assert_int_equal(dataset->split[UNSEEN_TRAIN].labels[42], 2);
    assert_int_equal(dataset->split[UNSEEN_TRAIN].second_labels[42], 42);
    /* Its source opens the same labels without options. */
    struct unseen_dataset *again = open_ok(dataset->source);
    assert_string_equal(again->hash, dataset->hash);
    assert_string_equal(again->source, dataset->source);
    unseen_dataset_close(again);
    again = NULL;
    assert_ok(unseen_dataset_open(dataset->source, &coarse, &again));
    assert_string_equal(again->hash, dataset->hash);
    unseen_dataset_close(again);
    unseen_dataset_close(dataset);
    uint8_t record[3074] = {20, 0};
    test_file(folder, "train.bin", record, sizeof record);
    open_bad(folder, "train.bin: record 0: coarse label 20 is out of range 0..19");
}

static void reads_the_real_one(void **state)
{
    (void)state;
    struct unseen_dataset *dataset = open_ok(test_real_data("cifar10"));
    assert_int_equal(dataset->split[UNSEEN_TRAIN].n, 2034);
    assert_int_equal(dataset->split[UNSEEN_TEST].n, 1017);
    /* The first training image of CIFAR-10 is a frog whose first pixel is (59, 62, 63). */
    assert_string_equal(dataset->class_names[dataset->split[UNSEEN_TRAIN].labels[0]], "frog");
    assert_memory_equal(dataset->reader->pixels[UNSEEN_TRAIN], "\x3b\x3e\x3f", 3);
    unseen_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_folders_and_archives_alike),
        cmocka_unit_test(hash_depends_on_labels_and_pixels),
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(refuses_bad_names),
        cmocka_unit_test(refuses_a_truncated_archive),
        cmocka_unit_test(names_come_from_the_file),
        cmocka_unit_test(cifar100_has_two_labels),
        cmocka_unit_test(reads_the_real_one),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
