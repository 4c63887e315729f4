#include "config.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

static bool is_there(const char *folder, const char *name)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return us_exists(path);
}

/* `out` holds exactly samples keep[0..n) of `dataset`, and its test split. */
static void check_copy(const struct unseen_dataset *dataset, const int64_t *keep, int64_t n, const char *out)
{
    struct unseen_dataset *copy = open_ok(out);
    size_t bytes = (size_t)dataset->height * (size_t)dataset->width * 3;
    assert_int_equal(copy->split[UNSEEN_TRAIN].n, n);
    assert_int_equal(copy->classes, dataset->classes);
    for (int c = 0; c < copy->classes; c++)
        assert_string_equal(copy->class_names[c], dataset->class_names[c]);
    for (int64_t k = 0; k < n; k++) {
        int64_t i = keep ? keep[k] : k;
        assert_int_equal(copy->split[0].labels[k], dataset->split[0].labels[i]);
        assert_memory_equal(pixels_of(copy, UNSEEN_TRAIN) + (size_t)k * bytes,
                            pixels_of(dataset, UNSEEN_TRAIN) + (size_t)i * bytes, bytes);
    }
    int64_t test = dataset->split[UNSEEN_TEST].n;
    assert_int_equal(copy->split[UNSEEN_TEST].n, test);
    assert_memory_equal(pixels_of(copy, UNSEEN_TEST), pixels_of(dataset, UNSEEN_TEST), (size_t)test * bytes);
    assert_memory_equal(copy->split[1].labels, dataset->split[1].labels, (size_t)test * sizeof(int32_t));
    unseen_dataset_close(copy);
}

static void cifar10_comes_back(void **state)
{
    (void)state;
    const char *folder = test_path("ten"), *out = test_path("ten-out");
    test_cifar(folder, "data_batch_1.bin", 1, 10, 0, 23);
    test_cifar(folder, "test_batch.bin", 1, 10, 30, 4);
    struct unseen_dataset *dataset = open_ok(folder);
    const int64_t keep[] = {0, 3, 4, 9, 15, 21, 22};
    assert_ok(unseen_dataset_export(dataset, keep, 7, NULL, out));
    check_copy(dataset, keep, 7, out);
    assert_true(is_there(out, "data_batch_5.bin"));
    assert_fails(UNSEEN_USAGE, "already holds batches.meta.txt",
                 unseen_dataset_export(dataset, keep, 7, NULL, out));
    assert_ok(unseen_dataset_export(dataset, keep, 3, NULL, out = test_path("three")));
    check_copy(dataset, keep, 3, out);
    assert_true(is_there(out, "data_batch_3.bin"));
    assert_false(is_there(out, "data_batch_4.bin"));
    assert_ok(unseen_dataset_export(dataset, NULL, 0, "cifar10", out = test_path("all")));
    struct unseen_dataset *copy = open_ok(out);
    assert_string_equal(copy->hash, dataset->hash);
    unseen_dataset_close(copy);
    unseen_dataset_close(dataset);
}

static void cifar100_keeps_both_labels(void **state)
{
    (void)state;
    const char *folder = test_path("hundred");
    struct unseen_dataset_options coarse = {.coarse_labels = 1};
    test_cifar(folder, "train.bin", 2, 100, 0, 30);
    test_cifar(folder, "test.bin", 2, 100, 7, 3);
    for (int i = 0; i < 2; i++) {
        const char *out = test_path(i ? "coarse-out" : "fine-out");
        struct unseen_dataset *dataset = NULL, *copy = NULL;
        assert_ok(unseen_dataset_open(folder, i ? &coarse : NULL, &dataset));
        const int64_t keep[] = {2, 29};
        assert_ok(unseen_dataset_export(dataset, keep, 2, NULL, out));
        assert_ok(unseen_dataset_open(out, &coarse, &copy));
        assert_int_equal(copy->split[0].labels[0], 2);
        assert_int_equal(copy->split[0].labels[1], 9);
        assert_int_equal(copy->split[0].second_labels[1], 29);
        unseen_dataset_close(copy);
        unseen_dataset_close(dataset);
    }
}

static void synth_becomes_cifar(void **state)
{
    (void)state;
    struct unseen_dataset *dataset = open_ok("synth:50,4,32,1");
    assert_ok(unseen_dataset_export(dataset, NULL, 0, NULL, test_path("synth4")));
    check_copy(dataset, NULL, 50, test_path("synth4"));
    unseen_dataset_close(dataset);
    dataset = open_ok("synth:50,23,32,1");
    assert_ok(unseen_dataset_export(dataset, NULL, 0, NULL, test_path("synth23")));
    check_copy(dataset, NULL, 50, test_path("synth23"));
    assert_fails(UNSEEN_USAGE, "at most 10",
                 unseen_dataset_export(dataset, NULL, 0, "cifar10", test_path("no")));
    assert_fails(UNSEEN_USAGE, "no image files",
                 unseen_dataset_export(dataset, NULL, 0, "imagefolder", test_path("no")));
    assert_fails(UNSEEN_USAGE, "no dataset format",
                 unseen_dataset_export(dataset, NULL, 0, "webp", test_path("no")));
    unseen_dataset_close(dataset);
    dataset = open_ok("synth:20,4,16,1");
    assert_fails(UNSEEN_USAGE, "16x16", unseen_dataset_export(dataset, NULL, 0, NULL, test_path("no")));
    unseen_dataset_close(dataset);
}

static void make_tree(const char *folder)
{
    for (unsigned i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "train/c%u/%u.jpg", i / 2, i);
        test_jpeg(folder, name, 32, 32, 0x102030 * i, 0);
        snprintf(name, sizeof name, "test/c%u/%u.jpg", i / 2, i);
        test_jpeg(folder, name, 32, 32, 0x080502 * i, 0);
    }
}

static void folders_become_links_and_archives_copies(void **state)
{
    (void)state;
    const char *folder = test_path("tree");
    const int64_t keep[] = {1, 4, 5}; /* nothing of the class c1 but its test images */
    char path[2048];
    struct stat about;
    make_tree(folder);
    struct unseen_dataset *dataset = open_ok(folder);
    const char *out = test_path("tree-out");
    assert_ok(unseen_dataset_export(dataset, keep, 3, NULL, out));
    check_copy(dataset, keep, 3, out);
    snprintf(path, sizeof path, "%s/train/c2/4.jpg", out);
    assert_int_equal(lstat(path, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_fails(UNSEEN_USAGE, "already holds test", unseen_dataset_export(dataset, keep, 3, NULL, out));
    assert_ok(unseen_dataset_export(dataset, keep, 3, "cifar10", out = test_path("tree-cifar")));
    check_copy(dataset, keep, 3, out);
    unseen_dataset_close(dataset);

    test_archive(folder, test_path("tree.zip"), "top/");
    dataset = open_ok(test_path("tree.zip"));
    assert_ok(unseen_dataset_export(dataset, keep, 3, NULL, out = test_path("zip-out")));
    check_copy(dataset, keep, 3, out);
    snprintf(path, sizeof path, "%s/train/c2/4.jpg", out);
    assert_int_equal(lstat(path, &about), 0);
    assert_true(S_ISREG(about.st_mode));
    unseen_dataset_close(dataset);
}

static int hidden_names(const char *folder)
{
    struct dirent *entry;
    DIR *handle = opendir(folder);
    int n = 0;
    assert_non_null(handle);
    while ((entry = readdir(handle)))
        n += entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(handle);
    return n;
}

/* Nothing is left of what was not written. */
static void failures_leave_nothing(void **state)
{
    (void)state;
    const char *folder = test_path("cut"), *archive = test_path("cut.tar"), *out = test_path("cut-out");
    make_tree(folder);
    test_archive(folder, archive, "");
    struct unseen_dataset *dataset = open_ok(archive);
    assert_int_equal(truncate(archive, 3000), 0);
    assert_fails(UNSEEN_BAD_DATA, "ends before the size", unseen_dataset_export(dataset, NULL, 0, NULL, out));
    assert_non_null(strstr(unseen_last_error(), "cut.tar:"));
    assert_false(us_exists(out));
    assert_int_equal(hidden_names(test_folder), 0);
    unseen_dataset_close(dataset);
}

/* An empty folder is filled; what is hidden in it does not matter. */
static void an_empty_folder_is_filled(void **state)
{
    (void)state;
    const char *out = test_path("empty");
    struct unseen_dataset *dataset = open_ok("synth:50,4,32,1");
    test_file(out, ".hidden", "", 0);
    assert_ok(unseen_dataset_export(dataset, NULL, 0, NULL, out));
    check_copy(dataset, NULL, 50, out);
    assert_int_equal(hidden_names(out), 1);
    unseen_dataset_close(dataset);
}

static void bad_subsets_are_refused(void **state)
{
    (void)state;
    struct unseen_dataset *dataset = open_ok("synth:20,4,32,1");
    const int64_t high[] = {3, 20}, low[] = {-1}, same[] = {3, 3};
    const char *out = test_path("subset");
    assert_fails(UNSEEN_USAGE, "index 20 is not in 0..19",
                 unseen_dataset_export(dataset, high, 2, NULL, out));
    assert_fails(UNSEEN_USAGE, "index -1", unseen_dataset_export(dataset, low, 1, NULL, out));
    assert_fails(UNSEEN_USAGE, "must ascend", unseen_dataset_export(dataset, same, 2, NULL, out));
    assert_fails(UNSEEN_USAGE, "holds no samples", unseen_dataset_export(dataset, same, 0, NULL, out));
    assert_false(us_exists(out));
    unseen_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cifar10_comes_back),
        cmocka_unit_test(cifar100_keeps_both_labels),
        cmocka_unit_test(synth_becomes_cifar),
        cmocka_unit_test(folders_become_links_and_archives_copies),
        cmocka_unit_test(bad_subsets_are_refused),
        cmocka_unit_test(failures_leave_nothing),
        cmocka_unit_test(an_empty_folder_is_filled),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
