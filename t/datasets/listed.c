/* Datasets that a table names. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

static const char *make_list(const char *folder, const char *text)
{
    char path[64];
    test_jpeg(test_path(folder), "photos/1.jpg", 8, 8, 0xff0000, 0);
    test_jpeg(test_path(folder), "photos/2.jpg", 8, 8, 0x00ff00, 0);
    test_jpeg(test_path(folder), "\xE6\x97\xA5/3.jpg", 8, 8, 0x0000ff, 0);
    test_file(test_path(folder), "list.csv", text, strlen(text));
    snprintf(path, sizeof path, "%s/list.csv", folder);
    return test_path(path);
}

static void check_red(const struct unseen_dataset *dataset, enum unseen_split split, int64_t i)
{
    uint8_t pixels[8 * 8 * 3];
    struct us_scratch *scratch = NULL;
    assert_ok(dataset->reader->scratch_new(dataset, &scratch));
    assert_ok(dataset->reader->read(dataset, scratch, split, i, NULL, 8, 8, pixels));
    dataset->reader->scratch_free(scratch);
    assert_in_range(pixels[0], 250, 255);
    assert_in_range(pixels[1], 0, 5);
}

static void samples_are_in_the_order_of_the_list(void **state)
{
    (void)state;
    const char *list =
        make_list("order", "path,label,split\nphotos/2.jpg,b,train\n\xE6\x97\xA5/3.jpg,a,test\n"
                           "photos/1.jpg,b,train\n");
    struct unseen_dataset *dataset = open_ok(list);
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN], *test = &dataset->split[UNSEEN_TEST];
    assert_string_equal(dataset->format, "list");
    assert_int_equal(train->n, 2);
    assert_int_equal(test->n, 1);
    assert_int_equal(dataset->classes, 2);
    assert_string_equal(dataset->class_names[1], "b");
    assert_string_equal(train->paths[0], "photos/2.jpg");
    assert_string_equal(test->paths[0], "\xE6\x97\xA5/3.jpg");
    assert_int_equal(train->labels[1], 1);
    assert_int_equal(test->labels[0], 0);
    check_red(dataset, UNSEEN_TRAIN, 1);
    unseen_dataset_close(dataset);
}

static void labels_may_be_numbers_and_paths_absolute(void **state)
{
    (void)state;
    char text[2048], name[2048];
    make_list("numbers", "");
    snprintf(text, sizeof text, "%s/numbers/photos/1.jpg,2\n../numbers/photos/2.jpg,0\n", test_folder);
    snprintf(name, sizeof name, "list:%s", make_list("numbers", text));
    struct unseen_dataset *dataset = open_ok(name);
    assert_int_equal(dataset->classes, 3);
    assert_string_equal(dataset->class_names[2], "class 2");
    assert_int_equal(dataset->split[UNSEEN_TRAIN].labels[0], 2);
    assert_int_equal(dataset->split[UNSEEN_TEST].n, 0);
    check_red(dataset, UNSEEN_TRAIN, 0);
    unseen_dataset_close(dataset);
}

static void a_file_of_several_spellings_is_one(void **state)
{
    (void)state;
    char text[2048];
    make_list("spellings", "");
    snprintf(text, sizeof text, "photos/2.jpg,a\nphotos/1.jpg,a\n%s/spellings/photos/1.jpg,a\n", test_folder);
    open_bad(make_list("spellings", text), "list.csv: line 3: ");
    assert_non_null(strstr(unseen_last_error(), "photos/1.jpg is in line 2 already, as photos/1.jpg"));
    open_bad(make_list("spellings", "photos/1.jpg,a,train\nphotos/../photos/1.jpg,b,test\n"),
             "line 2: photos/../photos/1.jpg is in line 1 already, as photos/1.jpg");
    /* Links are files of their own, as copies are. */
    assert_int_equal(symlink("1.jpg", test_path("spellings/photos/link.jpg")), 0);
    assert_int_equal(link(test_path("spellings/photos/1.jpg"), test_path("spellings/photos/hard.jpg")), 0);
    struct unseen_dataset *dataset = open_ok(
        make_list("spellings", "photos/1.jpg,a\nphotos/link.jpg,a\nphotos/hard.jpg,a\nphotos/2.jpg,a\n"));
    assert_int_equal(dataset->split[UNSEEN_TRAIN].n, 4);
    unseen_dataset_close(dataset);
}

static void files_that_cannot_be_had_are_named(void **state)
{
    (void)state;
    char name[2048];
    open_bad(make_list("missing", "photos/1.jpg,a\nphotos/8.jpg,a\nphotos/9.jpg,b\n"),
             "list.csv: line 2: photos/8.jpg: No such file or directory; files that cannot be had: 2");
    assert_non_null(strstr(unseen_last_hint(), "relative to the folder of the list"));
    open_bad(make_list("missing", "photos/1.jpg,a,test\n"), "names no sample of the train split");
    open_bad(make_list("missing", "photos,a\n"), "photos: is neither a file nor a link");
    test_file(test_path("missing"), "photos/3.jpg", "text", 4);
    open_bad(make_list("missing", "photos/3.jpg,a\n"), "photos/3.jpg: is no ");
    snprintf(name, sizeof name, "list:%s", test_path("missing"));
    open_bad(name, "missing: is a folder");
    open_bad("list:/nowhere/list.csv", "/nowhere/list.csv: No such file");
}

static void keeps_are_paths_of_the_list(void **state)
{
    (void)state;
    struct unseen_dataset *dataset =
        open_ok(make_list("keep", "photos/2.jpg,b\n\xE6\x97\xA5/3.jpg,a\nphotos/1.jpg,b\n"));
    int64_t *keep = NULL, n = 0;
    test_file(test_folder, "keep.txt", "photos/1.jpg\n./photos/2.jpg\n", 27);
    assert_ok(unseen_dataset_subset(dataset, test_path("keep.txt"), &keep, &n));
    assert_int_equal(n, 2);
    assert_int_equal(keep[0], 0);
    assert_int_equal(keep[1], 2);
    free(keep);
    unseen_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_in_the_order_of_the_list),
        cmocka_unit_test(labels_may_be_numbers_and_paths_absolute),
        cmocka_unit_test(a_file_of_several_spellings_is_one),
        cmocka_unit_test(files_that_cannot_be_had_are_named),
        cmocka_unit_test(keeps_are_paths_of_the_list),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
